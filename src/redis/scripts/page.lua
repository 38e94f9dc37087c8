-- Reads one page of an index, in the order of its members, with the records the members name.
--
-- KEYS  1 index   2 prefix of the partition's record keys (the record keys are built from it)
-- ARGV  1 member the page begins behind, or ''   2 most members to return
--       (a member is 8 bytes of time, then the id)
-- Reply {more, member, record, member, record, …}; more is 1 when members are left behind the last one; a record is
--       false when the index names a request that is not there

local from = '-'
if ARGV[1] ~= '' then
    from = '(' .. ARGV[1]
end
local limit = tonumber(ARGV[2])
local members = redis.call('ZRANGE', KEYS[1], from, '+', 'BYLEX', 'LIMIT', 0, limit + 1)
local more = 0
if #members > limit then
    more = 1
    members[#members] = nil
end
if #members == 0 then
    return { more }
end
local keys = {}
for place, member in ipairs(members) do
    keys[place] = KEYS[2] .. string.sub(member, 9)
end
local records = redis.call('MGET', unpack(keys))
local reply = { more }
for place, member in ipairs(members) do
    reply[2 * place] = member
    reply[2 * place + 1] = records[place]
end
return reply
