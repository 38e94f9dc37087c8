-- Records how a namespace is laid out when it is opened for the first time; afterwards reports it.
--
-- KEYS  1 meta
-- ARGV  1 partitions   2 layout version   3 the indexed metadata keys, each on a line
--       4, 5 a key like those of the indexes and records, a key like that of the feed
-- Reply {partitions, layout version, indexed metadata keys}, as recorded
--       {'wrongtype', key, wanted, found}
--       {'denied', command}            the user may not run a command that other scripts need: a script that is stopped
--                                      half-way leaves what it has written

local needed = {
    { 'get', ARGV[4] }, { 'getrange', ARGV[4], '0', '0' }, { 'set', ARGV[4], '' }, { 'mget', ARGV[4] }, { 'type', ARGV[4] },
    { 'zadd', ARGV[4], '0', '' }, { 'zrem', ARGV[4], '' }, { 'zrange', ARGV[4], '-', '+', 'BYLEX' },
    { 'zscore', ARGV[4], '' }, { 'zmscore', ARGV[4], '' }, { 'zcard', ARGV[4] }, { 'zlexcount', ARGV[4], '-', '+' },
    { 'xadd', ARGV[5], '*', 'id', '' },
}
for _, command in ipairs(needed) do
    if not redis.acl_check_cmd(unpack(command)) then
        return { 'denied', command[1] }
    end
end

local found = redis.call('TYPE', KEYS[1]).ok
if found ~= 'hash' and found ~= 'none' then
    return { 'wrongtype', KEYS[1], 'hash', found }
end
if found == 'none' then
    redis.call('HSET', KEYS[1], 'partitions', ARGV[1], 'layout', ARGV[2], 'metadata', ARGV[3])
end
return redis.call('HMGET', KEYS[1], 'partitions', 'layout', 'metadata')
