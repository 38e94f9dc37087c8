-- Records the layout of a partition that is to take requests over, and from whose feed those come.
--
-- KEYS  1 layout   2 index of all requests   3 origin
-- ARGV  1 the layout   2 the origin: each earlier partition, and how many entries its feed had
-- Reply the layout that the partition records then, '' if it records none although there are requests

local recorded = redis.call('GETRANGE', KEYS[1], '0', '64')
if recorded == '' and redis.call('ZCARD', KEYS[2]) == 0 then
    redis.call('SET', KEYS[3], ARGV[2])
    redis.call('SET', KEYS[1], ARGV[1])
    return ARGV[1]
end
return recorded
