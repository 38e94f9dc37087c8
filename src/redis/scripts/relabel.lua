-- Records another layout of a partition, if it records the one expected.
--
-- KEYS  1 layout
-- ARGV  1 the layout expected   2 the new one
-- Reply the layout that the partition records then

local recorded = redis.call('GETRANGE', KEYS[1], '0', '64')
if recorded == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2])
    return ARGV[2]
end
return recorded
