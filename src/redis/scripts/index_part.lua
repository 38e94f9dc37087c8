-- Reads a part of an index; or, where there are any, the members that another score than 0 keeps from their places.
--
-- KEYS  1 index   2 layout
-- ARGV  1 bound to read from, as ZRANGE BYLEX takes it   2 most members, of those below 0, above it, and of all
--       3 '1' to remove what is longer than any member of ours, '0' to count it only
--       4 the layout of the sender
-- Reply {members of another score, members, how many are longer than any of ours, where to go on}
--       {'layout', key, layout} something was to be removed, and the partition records another layout
--       There are none of the second while there are any of the first: bytes order the members of one score only.
--       The last is a member to go on behind, '' to begin again, or false at the end. No member is returned that is longer
--       than any of ours, nor more of its bytes than tell where it stands.

local index, from, most, removes = KEYS[1], ARGV[1], ARGV[2], ARGV[3] == '1'
local LONGEST = 512

if removes then
    local layout = redis.call('GETRANGE', KEYS[2], '0', '64')
    if layout ~= ARGV[4] then
        return { 'layout', KEYS[2], layout }
    end
end

local long = 0
-- Those of the members that can be ours.
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
    -- What was not removed still keeps others from their places, so that nothing else can be read.
    return { possible(misplaced), {}, long, removes and '' or false }
end
local members = redis.call('ZRANGE', index, from, '+', 'BYLEX', 'LIMIT', '0', most)
local last = #members == tonumber(most) and members[#members]
if last and #last > LONGEST then
    last = string.sub(last, 1, LONGEST) .. '\255'
end
return { {}, possible(members), long, last }
