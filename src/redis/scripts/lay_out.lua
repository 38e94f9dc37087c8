-- Records the layout of a partition without requests, or reads the one that is recorded.
--
-- KEYS  1 layout   2 index of all requests
-- ARGV  1 the layout
-- Reply the recorded layout, '' if there is none although there are requests

local recorded = redis.call('GETRANGE', KEYS[1], '0', '64')
if recorded == '' and redis.call('ZCARD', KEYS[2]) == 0 then
    redis.call('SET', KEYS[1], ARGV[1])
    return ARGV[1]
end
return recorded
