-- Removes the record of a request that another partition has taken over, with its index entries.
--
-- KEYS  1 record   2 prefix of the partition's index keys (the index keys are built from it)   3 layout
-- ARGV  1 the SHA-1 of the record that was taken over, in hexadecimal   2 the groups of all its index entries
--       3 the layout of the sender
-- Reply {'given'} also if nothing is stored   {'changed'} another record is stored
--       {'layout', key, layout}   the partition records another layout
--       {'wrongtype', key, wanted, found} {'noperm', command, key}

local record, prefix = KEYS[1], KEYS[2]

local layout = ask('GETRANGE', KEYS[3], '0', '64')
if layout ~= ARGV[3] then
    return type_of(layout) == 'table' and rejection(layout, 'string', 'GETRANGE', KEYS[3], '0', '0')
        or { 'layout', KEYS[3], layout }
end
if not may('DEL', record) then
    return { 'noperm', 'DEL', record }
end
local stored = ask('GET', record)
if type_of(stored) == 'table' then
    return rejection(stored, 'string', 'GET', record)
elseif stored and redis.sha1hex(stored) ~= ARGV[1] then
    return { 'changed' }
end
local one, several = {}, {}
collect(one, several, ARGV[2], 1)
for suffix in pairs(one) do
    local key = prefix .. suffix
    if not may('ZREM', key, '') then
        return { 'noperm', 'ZREM', key }
    end
    local size = ask('ZCARD', key)
    if type_of(size) == 'table' then
        return rejection(size, 'zset', 'ZCARD', key)
    end
end
redis.call('DEL', record)
for suffix, member in pairs(one) do
    for each in pairs(several[suffix] or { [member] = true }) do
        redis.call('ZREM', prefix .. suffix, each)
    end
end
return { 'given' }
