-- Reads the layout of a namespace, and records it at its first opening or when its indexes are rebuilt.
--
-- KEYS  1 meta
-- ARGV  1 partitions   2 layout version   3 the indexed metadata keys, each after its length
--       4, 5 a key like those of the indexes and records, a key like that of the feed
--       6 'open' to record a layout if there is none, 'look' not to, 'read' also not to check permissions;
--         'reindex' to record that the indexes must be rebuilt for this layout version, choice of metadata keys and rule for
--         comparing ids, unless they already are or a rebuild for them is under way; 'step' to record its progress;
--         'reindexed' to record that it is complete, and the layout version;
--         'repartition' to record the new number of partitions, and that requests must be moved, unless that is under way;
--         'repartitioned' to record that all were moved
--       7 the rule for comparing ids of people
--       8 the mark of the rebuild: 'reindex' records it, 'step' and 'reindexed' do nothing under another mark. It begins with
--         the layout version of the rebuild. That of a repartition begins with the number of partitions before, which
--         'repartition' adds
--       9 with 'step': the progress
-- Reply {partitions, layout version, indexed metadata keys, the mark during a rebuild, the rule for comparing ids, the
--       progress of the rebuild or the repartition, the mark during a repartition}, as recorded
--       {'absent'}                     nothing is recorded, and the call records nothing
--       {'wrongtype', key, wanted, found}
--       {'denied', command}            the user may not run a command that other scripts need: a script that stops half-way
--                                      leaves its earlier writes

local rejected = ARGV[6] ~= 'read' and (denied({ { 'type', KEYS[1] }, { 'hmget', KEYS[1], 'partitions' } }) or denied_in_partition(ARGV[4], ARGV[5]))
if rejected then
    return rejected
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
    rejected = denied({ { 'hset', KEYS[1], 'partitions', '' } })
    if rejected then
        return rejected
    end
end
if mode == 'repartition' then
    rejected = denied({ { 'del', ARGV[4] } })
    if rejected then
        return rejected
    end
end
local MARK, REPARTITION = 4, 7
local function recorded()
    local fields = redis.call('HMGET', KEYS[1], 'partitions', 'layout', 'metadata', 'reindexing', 'ids', 'reindexed', 'repartition')
    for place, field in ipairs(fields) do
        -- Longer than any choice of keys, so something else uses the field.
        if field and #field > 1024 * 1024 then
            fields[place] = (place == MARK or place == REPARTITION) and '1' or false
        end
    end
    return fields
end
local now = recorded()
local mark, target = now[MARK] or '', tonumber(string.match(now[MARK] or '', '^%d+')) or 0
local repartition = now[REPARTITION] or ''
local is_same = now[3] == ARGV[3] and now[5] == ARGV[7]
-- An older release cannot rebuild a newer layout, nor one that is being rebuilt for a newer one.
local own = tonumber(ARGV[2])
local is_known = repartition == '' and now[1] == ARGV[1] and (tonumber(now[2]) or math.huge) <= own and target <= own
local is_current = now[2] == ARGV[2] and mark == ''
local is_under_way = mark ~= '' and target == own
local before, after = tonumber(now[1]), tonumber(ARGV[1])
local is_multiple = before and before > 0 and after > before and after % before == 0

if found == 'none' then
    redis.call('HSET', KEYS[1], 'partitions', ARGV[1], 'layout', ARGV[2], 'metadata', ARGV[3], 'ids', ARGV[7])
elseif mode == 'reindex' and is_known and not (is_same and (is_current or is_under_way)) then
    redis.call('HSET', KEYS[1], 'metadata', ARGV[3], 'ids', ARGV[7], 'reindexing', ARGV[8], 'reindexed', '')
elseif mode == 'step' and ARGV[8] ~= '' and (mark == ARGV[8] or repartition == ARGV[8]) then
    redis.call('HSET', KEYS[1], 'reindexed', ARGV[9])
elseif mode == 'repartition' and repartition == '' and is_same and is_current and is_multiple then
    redis.call('HSET', KEYS[1], 'partitions', ARGV[1], 'repartition', now[1] .. ' ' .. ARGV[8], 'reindexed', '')
elseif mode == 'repartitioned' and repartition ~= '' and repartition == ARGV[8] then
    redis.call('HSET', KEYS[1], 'repartition', '', 'reindexed', '')
elseif mode == 'reindexed' and mark ~= '' and mark == ARGV[8] then
    redis.call('HSET', KEYS[1], 'layout', ARGV[2], 'reindexing', '', 'reindexed', '')
end
return recorded()
