-- Reads a part of an index; or, if there are any, the members whose score is not 0, which breaks the index order.
--
-- KEYS  1 index   2 layout
-- ARGV  1 bound to read from, as ZRANGE BYLEX takes it   2 most members, of those below 0, above it, and of all
--       3 '1' to remove members longer than any valid one, '0' only to count them
--       4 the sender's layout
-- Reply {members whose score is not 0, members, how many are longer than any valid one, next position}
--       {'layout', key, layout} nothing removed, because the partition records another layout
--       The second list is empty unless the first is: bytes order only the members with one score.
--       The next position is a member to continue after, '' to begin again, or false at the end. A member longer than any
--       valid one is not returned, and of its bytes only as many as give its position.

local index, from, most, removes = KEYS[1], ARGV[1], ARGV[2], ARGV[3] == '1'
local LONGEST = 512

if removes then
    local layout = redis.call('GETRANGE', KEYS[2], '0', '64')
    if layout ~= ARGV[4] then
        return { 'layout', KEYS[2], layout }
    end
end

local long = 0
-- The members that can be valid.
local function possible(members)
    local kept = {}
    for _, member in ipairs(members) do
        if #member <= LONGEST then
            kept[#kept + 1] = member
        else
            long = long + 1
            if removes then
                redis.call('ZREM', index, member)
            end
        end
    end
    return kept
end

local misplaced = redis.call('ZRANGE', index, '-inf', '(0', 'BYSCORE', 'LIMIT', '0', most)
for _, member in ipairs(redis.call('ZRANGE', index, '(0', '+inf', 'BYSCORE', 'LIMIT', '0', most)) do
    misplaced[#misplaced + 1] = member
end
if #misplaced > 0 then
    -- A member that was not removed still breaks the order, so nothing else can be read.
    return { possible(misplaced), {}, long, removes and '' or false }
end
local members = redis.call('ZRANGE', index, from, '+', 'BYLEX', 'LIMIT', '0', most)
local last = #members == tonumber(most) and members[#members]
if last and #last > LONGEST then
    last = string.sub(last, 1, LONGEST) .. '\255'
end
return { {}, possible(members), long, last }
