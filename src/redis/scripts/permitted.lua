-- Shared by the scripts that create a request with a unique key.

-- The reply if the permit for this request with this token is not there; nil if it is, and may be used up.
local function permit_missing(permits, id, token)
    if not may('HDEL', permits, id) then
        return { 'noperm', 'HDEL', permits }
    end
    local permit = ask('HMGET', permits, id)
    if permit.err then
        return rejection(permit, 'hash', 'HMGET', permits, id)
    elseif not permit[1] or string.match(permit[1], '^%x+') ~= token then
        return { 'unpermitted' }
    end
    return nil
end
