-- Finds, makes or releases the reservation of a unique key.
--
-- KEYS  1 the reservations of the partition that the unique key belongs to: a hash of unique keys. A value is the id of the
--         request, the token of its permit and when it was reserved in microseconds, with spaces between. 'drop': or the permits
--       2 layout
-- ARGV  1 'find', 'reserve', 'release', 'move' or 'drop'   2 unique key
--       3 the id of the request to reserve for; 'release' releases only a reservation for it
--       4 the token of its permit; 'release': '' for any
--       5 'reserve', 'drop': the value to replace or to remove; '' replaces none. 'move': the value to store
--       6 the sender's layout; 'find' does not ask for it   7 '1' if the sender waits for a confirmation
-- Reply {'free'}            'find': nobody has the key
--       {'held', value, microseconds}  somebody has it, for so long; 'reserve': somebody else. Only the size of a value that is
--                           longer than any of ours
--       {'reserved'}        now, or by an earlier call with the same id and token; 'move': or there is a reservation
--       {'released', n}     1, or 0 if there was no such reservation
--       {'layout', key, layout}   the partition records another layout: the reservation may be in another one
--       {'wrongtype', key, wanted, found} {'noperm', command, key}

local reservations, mode, name, id, token, expected = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

if mode ~= 'find' then
    local layout = ask('GETRANGE', KEYS[2], '0', '64')
    if layout ~= ARGV[6] then
        return type_of(layout) == 'table' and rejection(layout, 'string', 'GETRANGE', KEYS[2], '0', '0')
            or { 'layout', KEYS[2], layout }
    end
end
local found = ask('HMGET', reservations, name)
if found.err then
    return rejection(found, 'hash', 'HMGET', reservations, name)
end
local clock = ask('TIME')
if clock.err then
    return may('TIME') and clock or { 'noperm', 'TIME', reservations }
end
if (mode == 'release' or mode == 'drop') and not may('HDEL', reservations, name) then
    return { 'noperm', 'HDEL', reservations }
elseif (mode == 'reserve' or mode == 'move') and not may('HSET', reservations, name, '') then
    return { 'noperm', 'HSET', reservations }
end

local value, now = found[1], clock[1] * 1000000 + clock[2]
local function begins_with(start)
    return value and string.sub(value, 1, #start) == start
end

if mode == 'release' or mode == 'drop' then
    local start = token == '' and id .. ' ' or id .. ' ' .. token .. ' '
    local is_meant = mode == 'release' and begins_with(start) or mode == 'drop' and value == expected
    return { 'released', is_meant and redis.call('HDEL', reservations, name) or 0 }
elseif mode == 'find' and not value then
    return { 'free' }
elseif mode == 'move' then
    redis.call('HSET', reservations, name, value or expected)
    return { 'reserved' }
elseif mode == 'reserve' then
    if begins_with(id .. ' ' .. token .. ' ') then
        -- From Redis 7.2 on, a connection that has written nothing gets a confirmation at once.
        redis.call('HSET', reservations, name, value)
        return { 'reserved' }
    elseif not value or value == expected or begins_with(id .. ' ') then
        redis.call('HSET', reservations, name, string.format('%s %s %.0f', id, token, now))
        return { 'reserved' }
    end
end
local MAX_VALUE_BYTES = 256
local since = tonumber(string.match(value, ' (%d+)$')) or now
return { 'held', #value > MAX_VALUE_BYTES and #value or value, math.max(0, now - since) }
