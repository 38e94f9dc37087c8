-- Shared by the scripts that check permissions.

-- The reply that names the first of these commands that the user may not run; nil if they may run all.
local function denied(commands)
    for _, command in ipairs(commands) do
        if not redis.acl_check_cmd(unpack(command)) then
            return { 'denied', command[1] }
        end
    end
    return nil
end

-- The same for the commands that other scripts run on keys of a partition: on one like those of its indexes and records, and
-- one like that of its feed.
local function denied_in_partition(key, feed)
    return denied({
        { 'get', key }, { 'getrange', key, '0', '0' }, { 'strlen', key }, { 'set', key, '' }, { 'mget', key }, { 'type', key },
        { 'zadd', key, '0', '' }, { 'zrem', key, '' }, { 'zrange', key, '-', '+', 'BYLEX' },
        { 'zscore', key, '' }, { 'zmscore', key, '' }, { 'zcard', key }, { 'zlexcount', key, '-', '+' },
        { 'xadd', feed, '*', 'id', '' },
    })
end
