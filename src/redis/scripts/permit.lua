-- Gives or revokes the permit to create a request that has a unique key.
--
-- KEYS  1 record   2 the permits of the partition: a hash of ids. A value is the token and when it was given in microseconds, with
--         a space between   3 layout
-- ARGV  1 'give' or 'revoke'   2 id   3 'give': the token of a new permit   4 the sender's layout
--       5 '1' if the sender waits for a confirmation
-- Reply {'given', token}    the token of the permit, which may be an earlier one
--       {'revoked'}         there is no such request, and no permit to create it any more
--       {'stored'}          there is such a request, which needs no permit
--       {'layout', key, layout}   the partition records another layout: the request may be in another one
--       {'wrongtype', key, wanted, found} {'noperm', command, key}

local record, permits, mode, id = KEYS[1], KEYS[2], ARGV[1], ARGV[2]

local layout = ask('GETRANGE', KEYS[3], '0', '64')
if layout ~= ARGV[4] then
    return type_of(layout) == 'table' and rejection(layout, 'string', 'GETRANGE', KEYS[3], '0', '0')
        or { 'layout', KEYS[3], layout }
end
local start = ask('GETRANGE', record, '0', '2')
if type_of(start) == 'table' then
    return rejection(start, 'string', 'GETRANGE', record, '0', '0')
elseif start ~= '' and mode == 'give' then
    return { 'stored' }
end
if mode == 'revoke' then
    if not may('HDEL', permits, id) then
        return { 'noperm', 'HDEL', permits }
    end
    -- A write in any case: what an earlier call revoked may not be confirmed yet.
    local written = ask('HSET', permits, id, '')
    if type_of(written) == 'table' then
        return rejection(written, 'hash', 'HSET', permits, id, '')
    end
    redis.call('HDEL', permits, id)
    -- A tombstone is no request, and none is created there any more.
    return { start ~= '' and start ~= 'MT\1' and 'stored' or 'revoked' }
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
