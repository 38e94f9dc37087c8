-- Reads a part of an index; or, where there are any, the members that another score than 0 keeps from their places.
--
-- KEYS  1 index
-- ARGV  1 bound to read from, as ZRANGE BYLEX takes it   2 most members, of those below 0, above it, and of all
-- Reply {members of another score, members}
--       There are none of the second while there are any of the first: bytes order the members of one score only.

local index, from, most = KEYS[1], ARGV[1], ARGV[2]

local misplaced = redis.call('ZRANGE', index, '-inf', '(0', 'BYSCORE', 'LIMIT', '0', most)
for _, member in ipairs(redis.call('ZRANGE', index, '(0', '+inf', 'BYSCORE', 'LIMIT', '0', most)) do
    misplaced[#misplaced + 1] = member
end
if #misplaced > 0 then
    return { misplaced, {} }
end
return { misplaced, redis.call('ZRANGE', index, from, '+', 'BYLEX', 'LIMIT', '0', most) }
