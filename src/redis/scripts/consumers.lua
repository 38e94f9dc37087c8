-- Lists the consumers of the feed.
--
-- KEYS  1 consumers
-- ARGV  1 most consumers   2 most bytes of a value
-- Reply {microseconds, {name, value, …}}   the server's time, and what consumer.lua keeps; '' for a longer value
--       {'many', n}                        there are more than there may be
--       {'wrongtype', key, wanted, found} {'noperm', command, key}

local key = KEYS[1]
local count = ask('HLEN', key)
if type_of(count) == 'table' then
    return rejection(count, 'hash', 'HLEN', key)
elseif count > tonumber(ARGV[1]) then
    return { 'many', count }
end
local all = ask('HGETALL', key)
if all.err then
    return rejection(all, 'hash', 'HGETALL', key)
end
local longest = tonumber(ARGV[2])
for at, text in ipairs(all) do
    if #text > longest then
        all[at] = ''
    end
end
local clock = redis.call('TIME')
return { clock[1] * 1000000 + clock[2], all }
