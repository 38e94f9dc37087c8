-- Repairs members of an index that need no look at a record.
--
-- KEYS  1 index   2 layout
-- ARGV  1 the layout of the sender   2 'restore' to give those that are there their score again, 'remove' to remove them
--       then the members
-- Reply {'repaired'}   {'layout', key, layout} the partition records another layout

local layout = redis.call('GETRANGE', KEYS[2], '0', '64')
if layout ~= ARGV[1] then
    return { 'layout', KEYS[2], layout }
end
for place = 3, #ARGV do
    if ARGV[2] == 'restore' then
        redis.call('ZADD', KEYS[1], 'XX', '0', ARGV[place])
    elseif ARGV[2] == 'add' then
        redis.call('ZADD', KEYS[1], '0', ARGV[place])
    else
        redis.call('ZREM', KEYS[1], ARGV[place])
    end
end
return { 'repaired' }
