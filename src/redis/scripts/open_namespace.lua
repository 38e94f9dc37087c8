-- Records how a namespace is laid out when it is opened for the first time; afterwards reports it.
--
-- KEYS  1 meta
-- ARGV  1 partitions   2 layout version   3 the indexed metadata keys, each on a line
-- Reply {partitions, layout version, indexed metadata keys}, as recorded
--       {'wrongtype', key, wanted, found}

local found = redis.call('TYPE', KEYS[1]).ok
if found ~= 'hash' and found ~= 'none' then
    return { 'wrongtype', KEYS[1], 'hash', found }
end
if found == 'none' then
    redis.call('HSET', KEYS[1], 'partitions', ARGV[1], 'layout', ARGV[2], 'metadata', ARGV[3])
end
return redis.call('HMGET', KEYS[1], 'partitions', 'layout', 'metadata')
