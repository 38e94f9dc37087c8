-- Shared by the scripts that check everything before their first write.

-- Aliases, because reading a global costs a lookup each time.
local may, ask, type_of = redis.acl_check_cmd, redis.pcall, type

-- The reply for a command that failed with this error: it is not allowed, or the key has another type.
-- For a command that changes nothing if it fails, so its permission need not be checked before.
local function rejection(failed, wanted, command, key, ...)
    if not may(command, key, ...) then
        return { 'noperm', command, key }
    end
    local found = ask('TYPE', key)
    if found.err then
        return may('TYPE', key) and found or { 'noperm', 'TYPE', key }
    elseif found.ok ~= wanted and found.ok ~= 'none' then
        return { 'wrongtype', key, wanted, found.ok }
    end
    return failed
end
