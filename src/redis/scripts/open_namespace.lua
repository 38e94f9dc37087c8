-- Looks at how a namespace is laid out, and records it when it is opened for the first time or its indexes are rebuilt.
--
-- KEYS  1 meta
-- ARGV  1 partitions   2 layout version   3 the indexed metadata keys, each behind its length
--       4, 5 a key like those of the indexes and records, a key like that of the feed
--       6 'open' to record a layout where there is none, 'look' not to, 'read' not to ask for permissions either;
--         'reindex' to record that the indexes are to be rebuilt for this layout version, choice of metadata keys and way to
--         compare ids, unless they are, or that is under way; 'step' to record how far that has come; 'reindexed' to record
--         that it is done, and then the layout version
--       7 how ids of people are compared
--       8 the mark of the rebuild: 'reindex' records it, 'step' and 'reindexed' do nothing in the name of another. It begins
--         with the layout version that is rebuilt for
--       9 with 'step': how far
-- Reply {partitions, layout version, indexed metadata keys, the mark while the indexes are not rebuilt, how ids are compared,
--       how far that has come}, as recorded
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
if found == 'none' or mode ~= 'open' and mode ~= 'look' and mode ~= 'read' then
    refused = denied({ { 'hset', KEYS[1], 'partitions', '' } })
    if refused then
        return refused
    end
end
local MARK = 4
local function recorded()
    local fields = redis.call('HMGET', KEYS[1], 'partitions', 'layout', 'metadata', 'reindexing', 'ids', 'reindexed')
    for place, field in ipairs(fields) do
        -- Longer than any choice of keys: something else uses the field.
        if field and #field > 1024 * 1024 then
            fields[place] = place == MARK and '1' or false
        end
    end
    return fields
end
local now = recorded()
local mark, target = now[MARK] or '', tonumber(string.match(now[MARK] or '', '^%d+')) or 0
local is_same = now[3] == ARGV[3] and now[5] == ARGV[7]
-- Of a newer layout, and of one that is being rebuilt for a newer one, an older release knows too little to rebuild it.
local own = tonumber(ARGV[2])
local is_known = now[1] == ARGV[1] and (tonumber(now[2]) or math.huge) <= own and target <= own
local is_current = now[2] == ARGV[2] and mark == ''
local is_under_way = mark ~= '' and target == own

if found == 'none' then
    redis.call('HSET', KEYS[1], 'partitions', ARGV[1], 'layout', ARGV[2], 'metadata', ARGV[3], 'ids', ARGV[7])
elseif mode == 'reindex' and is_known and not (is_same and (is_current or is_under_way)) then
    redis.call('HSET', KEYS[1], 'metadata', ARGV[3], 'ids', ARGV[7], 'reindexing', ARGV[8], 'reindexed', '')
elseif mode == 'step' and mark ~= '' and mark == ARGV[8] then
    redis.call('HSET', KEYS[1], 'reindexed', ARGV[9])
elseif mode == 'reindexed' and mark ~= '' and mark == ARGV[8] then
    redis.call('HSET', KEYS[1], 'layout', ARGV[2], 'reindexing', '', 'reindexed', '')
end
return recorded()
