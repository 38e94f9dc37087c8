-- Shared by the scripts that tolerate a key of another type.

-- Runs a command on a key. Returns its answer, or nil if the key has another type.
local function ask_of_any_type(command, key, ...)
    local found = redis.pcall(command, key, ...)
    if type(found) ~= 'table' or not found.err then
        return found
    elseif string.sub(found.err, 1, 9) == 'WRONGTYPE' then
        return nil
    end
    error(found)
end
