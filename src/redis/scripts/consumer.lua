-- Leases, saves or removes a consumer of the feed.
--
-- KEYS  1 consumers: a hash of names. A value is the holder, when the lease ends, when the position was saved, both in
--         microseconds, and the position, with spaces between; 0 and '' as long as none was saved
-- ARGV  1 'lease', 'save' or 'remove'   2 name   3 holder   4 length of the lease in microseconds   5 the position to save
--       6 most consumers
-- Reply {'leased', position}    '' if none was saved
--       {'saved'}
--       {'removed', n}          1, or 0 if there was none
--       {'held', microseconds}  another holder has the lease for so long; for 'remove', anybody
--       {'lost'}                another holder has had the lease since, or there is no such consumer
--       {'full'}                there are as many consumers as there may be
--       {'damaged'}             the value is not one of ours; it can still be removed
--       {'wrongtype', key, wanted, found} {'noperm', command, key}

local key, mode, name, holder = KEYS[1], ARGV[1], ARGV[2], ARGV[3]

local found = ask('HMGET', key, name)
if found.err then
    return rejection(found, 'hash', 'HMGET', key, name)
end
local clock = ask('TIME')
if clock.err then
    return may('TIME') and clock or { 'noperm', 'TIME', key }
end
if mode == 'remove' and not may('HDEL', key, name) then
    return { 'noperm', 'HDEL', key }
elseif mode ~= 'remove' and not may('HSET', key, name, '') then
    return { 'noperm', 'HSET', key }
end

local stored, now = found[1], clock[1] * 1000000 + clock[2]
local of, ends, saved, position
if stored then
    of, ends, saved, position = string.match(stored, '^(%x+) (%d+) (%d+) ([%w_-]*)$')
    if (not of or #of ~= 32 or #ends > 16 or #saved > 16) and mode ~= 'remove' then
        return { 'damaged' }
    end
end
-- Of a value that is not one of ours there is no lease.
local left = of and #ends <= 16 and ends - now or 0

if mode == 'remove' then
    if left > 0 then
        return { 'held', left }
    end
    return { 'removed', redis.call('HDEL', key, name) }
elseif mode == 'save' then
    if of ~= holder then
        return { 'lost' }
    end
    saved, position = string.format('%.0f', now), ARGV[5]
elseif not stored then
    local count = ask('HLEN', key)
    if type_of(count) == 'table' then
        return rejection(count, 'hash', 'HLEN', key)
    elseif count >= tonumber(ARGV[6]) then
        return { 'full' }
    end
    saved, position = '0', ''
elseif of ~= holder and left > 0 then
    return { 'held', left }
end
redis.call('HSET', key, name, string.format('%s %.0f %s %s', holder, now + ARGV[4], saved, position))
if mode == 'save' then
    return { 'saved' }
end
return { 'leased', position }
