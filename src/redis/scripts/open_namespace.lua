-- Looks at how a namespace is laid out, and records it when it is opened for the first time or its indexes are rebuilt.
--
-- KEYS  1 meta
-- ARGV  1 partitions   2 layout version   3 the indexed metadata keys, each behind its length
--       4, 5 a key like those of the indexes and records, a key like that of the feed
--       6 'open' to record a layout where there is none, 'look' not to, 'read' not to ask for permissions either;
--         'reindex' to record another choice of metadata keys or of how ids are compared, and that the indexes are not yet
--         rebuilt for it, 'reindexed' when they are
--       7 how ids of people are compared
-- Reply {partitions, layout version, indexed metadata keys, '1' while the indexes are not rebuilt, how ids are compared}, as
--       recorded
--       {'absent'}                     nothing is recorded, and nothing was to be
--       {'wrongtype', key, wanted, found}
--       {'denied', command}            the user may not run a command that other scripts need: a script that is stopped
--                                      half-way leaves what it has written

local function denied(commands)
    for _, command in ipairs(commands) do
        if not redis.acl_check_cmd(unpack(command)) then
            return { 'denied', command[1] }
        end
    end
    return nil
end

local needed = {
    { 'type', KEYS[1] }, { 'hmget', KEYS[1], 'partitions' },
    { 'get', ARGV[4] }, { 'getrange', ARGV[4], '0', '0' }, { 'strlen', ARGV[4] }, { 'set', ARGV[4], '' }, { 'mget', ARGV[4] }, { 'type', ARGV[4] },
    { 'zadd', ARGV[4], '0', '' }, { 'zrem', ARGV[4], '' }, { 'zrange', ARGV[4], '-', '+', 'BYLEX' },
    { 'zscore', ARGV[4], '' }, { 'zmscore', ARGV[4], '' }, { 'zcard', ARGV[4] }, { 'zlexcount', ARGV[4], '-', '+' },
    { 'xadd', ARGV[5], '*', 'id', '' },
}
local refused = ARGV[6] ~= 'read' and denied(needed)
if refused then
    return refused
end

local found = redis.call('TYPE', KEYS[1]).ok
if found ~= 'hash' and found ~= 'none' then
    return { 'wrongtype', KEYS[1], 'hash', found }
end
local mode = ARGV[6]
if found == 'none' and mode ~= 'open' then
    return { 'absent' }
end
if found == 'none' or mode == 'reindex' or mode == 'reindexed' then
    refused = denied({ { 'hset', KEYS[1], 'partitions', '' } })
    if refused then
        return refused
    end
end
local function recorded()
    local fields = redis.call('HMGET', KEYS[1], 'partitions', 'layout', 'metadata', 'reindexing', 'ids')
    for place, field in ipairs(fields) do
        -- Longer than any choice of keys: something else uses the field.
        if field and #field > 1024 * 1024 then
            fields[place] = place == 4 and '1' or false
        end
    end
    return fields
end
local is_same = recorded()[3] == ARGV[3] and recorded()[5] == ARGV[7]
if found == 'none' then
    redis.call('HSET', KEYS[1], 'partitions', ARGV[1], 'layout', ARGV[2], 'metadata', ARGV[3], 'ids', ARGV[7])
elseif mode == 'reindex' and not is_same then
    redis.call('HSET', KEYS[1], 'metadata', ARGV[3], 'ids', ARGV[7], 'reindexing', '1')
elseif mode == 'reindexed' and is_same then
    redis.call('HSET', KEYS[1], 'reindexing', '')
elseif mode == 'reindexed' then
    -- Another choice was recorded meanwhile, and what was just done has undone part of what was done for it.
    redis.call('HSET', KEYS[1], 'reindexing', '1')
end
return recorded()
