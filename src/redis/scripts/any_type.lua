-- Shared by the scripts that go on where a key is of another type.

-- Runs a command on a key, of which another type is nothing to fail of: its answer, or nil when the key is of another type.
local function ask_of_any_type(command, key, ...)
    local found = redis.pcall(command, key, ...)
    if type(found) ~= 'table' or not found.err then
        return found
    elseif string.sub(found.err, 1, 9) == 'WRONGTYPE' then
        return nil
    end
    error(found)
end
