-- Gives or revokes the permit to create a request that has a unique key.
--
-- KEYS  1 record   2 the permits of the partition: a hash of ids. A value is the token and when it was given in microseconds, with
--         a space between
-- ARGV  1 'give' or 'revoke'   2 id   3 'give': the token of a new permit
-- Reply {'given', token}    the token of the permit, which may be an earlier one
--       {'revoked'}         there is no such request, and no permit to create it any more
--       {'stored'}          there is such a request, which needs no permit
--       {'wrongtype', key, wanted, found} {'noperm', command, key}

local record, permits, mode, id = KEYS[1], KEYS[2], ARGV[1], ARGV[2]

local size = ask('STRLEN', record)
if type_of(size) == 'table' then
    return rejection(size, 'string', 'STRLEN', record)
elseif size > 0 and mode == 'give' then
    return { 'stored' }
end
if mode == 'revoke' then
    local revoked = ask('HDEL', permits, id)
    if type_of(revoked) == 'table' then
        return rejection(revoked, 'hash', 'HDEL', permits, id)
    end
    return { size > 0 and 'stored' or 'revoked' }
end
local found = ask('HMGET', permits, id)
if found.err then
    return rejection(found, 'hash', 'HMGET', permits, id)
end
local token = found[1] and string.match(found[1], '^(%x+) %d+$')
if token then
    return { 'given', token }
end
local clock = ask('TIME')
if clock.err then
    return may('TIME') and clock or { 'noperm', 'TIME', permits }
end
local given = ask('HSET', permits, id, string.format('%s %.0f', ARGV[3], clock[1] * 1000000 + clock[2]))
return type_of(given) == 'table' and rejection(given, 'hash', 'HSET', permits, id, '') or { 'given', ARGV[3] }
