-- Reads one page along one or several indexes, in the order of their members' bytes, with the records they name.
--
-- KEYS  1 prefix of the partition's record keys (the record keys are built from it)
--       then the indexes to read along, merged; then the indexes to look members up in
-- ARGV  1 how many indexes to read along   2 '+' from the least member on, '-' from the greatest down
--       3, 4 bounds in the order of reading, as ZRANGE BYLEX takes them   5 most members to return
--       6 how much work: each member read counts, and each repeated read of an index
--       7 '+' if a member begins with its request's created time, '-' if it ends with it
--       8 '1' to return records, '0' to return members only   9 most bytes of a record that is returned
--       10 how many bytes of records are enough
--       then for each condition: the number of its indexes, one of which must hold the row; 'row' to look up the member
--       itself, 'request' to look up created time and id of its request
-- A member is 8 bytes, an id, and whatever follows a zero byte. Members longer than any valid one are skipped.
-- Records are returned until they have enough bytes in total, at least one. The script reads sizes first, and never reads a record
-- over its limit.
-- Reply {more, position, members read, sizes of the indexes, members, records}
--       more is 1 if there may be members after `position`, the last one read or returned; each request has one record, in
--       the order in which the members first name the requests: false if nothing is stored, and only the size of a record
--       over the limit
--       {'disordered', index}          a member's score is not 0

local along = tonumber(ARGV[1])
local descending = ARGV[2] == '-'
local from, to = ARGV[3], ARGV[4]
local limit, budget = tonumber(ARGV[5]), tonumber(ARGV[6]) + along
local created_first, wants_records = ARGV[7] == '+', ARGV[8] == '1'

local longest_record, enough_bytes = tonumber(ARGV[9]), tonumber(ARGV[10])

-- Bytes order only members with one score. With another score among them, reading misses members or never ends.
local sizes = {}
for place = 2, #KEYS do
    local size = redis.call('ZCARD', KEYS[place])
    if place <= along + 1 and size > 0 then
        local below = redis.call('ZRANGE', KEYS[place], '-inf', '(0', 'BYSCORE', 'LIMIT', '0', '1')
        local above = redis.call('ZRANGE', KEYS[place], '(0', '+inf', 'BYSCORE', 'LIMIT', '0', '1')
        if below[1] or above[1] then
            return { 'disordered', KEYS[place] }
        end
    end
    sizes[place - 1] = size
end

local conditions = {}
local next_key = along + 2
for at = 11, #ARGV, 2 do
    local keys = {}
    for _ = 1, tonumber(ARGV[at]) do
        keys[#keys + 1] = KEYS[next_key]
        next_key = next_key + 1
    end
    conditions[#conditions + 1] = { keys = keys, by_row = ARGV[at + 1] == 'row' }
end

-- Reads the next members of one index. Counts the work: the members, and one for the read.
local work = 0
local function fetch(key, behind, count)
    local members
    if descending then
        members = redis.call('ZRANGE', key, behind, to, 'BYLEX', 'REV', 'LIMIT', 0, count)
    else
        members = redis.call('ZRANGE', key, behind, to, 'BYLEX', 'LIMIT', 0, count)
    end
    work = work + 1 + #members
    return members
end

-- The indexes that hold more members; the one with the next member is last.
local sources = {}

local byte = string.byte

-- The first 8 bytes of a member as two numbers in the same order: a double is too small for one number.
local function time_of(member)
    local a, b, c, d, e, f, g, h = byte(member, 1, 8)
    if not h then
        -- Not a valid member.
        return time_of(member .. '\0\0\0\0\0\0\0\0')
    end
    return (a * 256 + b) * 65536 + c * 256 + d, (e * 256 + f) * 65536 + g * 256 + h
end

-- Whether one index's next member comes before that of the other. Compares bytes, because Lua compares texts by the server's
-- locale.
local function comes_first(one, other)
    if one.high ~= other.high then
        return (one.high < other.high) ~= descending
    elseif one.low ~= other.low then
        return (one.low < other.low) ~= descending
    end
    local a, b = one.member, other.member
    for at = 1, math.min(#a, #b) do
        local x, y = byte(a, at), byte(b, at)
        if x ~= y then
            return (x < y) ~= descending
        end
    end
    return #a ~= #b and (#a < #b) ~= descending
end

-- Moves to the next member of an index, and reads more if needed. There is none after the last.
local function advance(source, count)
    local at = source.at + 1
    local member = source.members[at]
    if not member and not source.is_done then
        count = math.max(1, math.min(count, budget - work))
        local members = fetch(source.key, source.behind, count)
        source.members, source.is_done = members, #members < count
        source.behind = '(' .. (members[#members] or '')
        at, member = 1, members[1]
    end
    source.at, source.member = at, member
    if member then
        source.high, source.low = time_of(member)
    end
end

-- Moves an index to its position among the others.
local function insert(source)
    local first, last = 1, #sources
    while first <= last do
        local middle = math.floor((first + last) / 2)
        if comes_first(source, sources[middle]) then
            first = middle + 1
        else
            last = middle - 1
        end
    end
    table.insert(sources, first, source)
end

local is_begun, last_merged = false, nil
local function begin(count)
    -- All indexes together read enough for a page, if each holds an equal share of it.
    local each = math.max(1, math.min(math.ceil(2 * count / along), math.floor(1000 / along)))
    for place = 2, along + 1 do
        local source = { key = KEYS[place], behind = from, members = {}, at = 0 }
        advance(source, each)
        if source.member then
            insert(source)
        end
    end
    is_begun = true
end

-- The next members of all indexes, merged, each once, and whether they are the last.
local function merged(count)
    if not is_begun then
        begin(count)
    end
    local members, taken = {}, 0
    while taken < count and sources[1] and (work < budget or taken == 0) do
        local source = sources[#sources]
        sources[#sources] = nil
        local rival = sources[#sources]
        repeat
            local member = source.member
            if member ~= last_merged then
                taken = taken + 1
                members[taken], last_merged = member, member
            end
            advance(source, count)
        until not source.member or taken == count or work >= budget or rival and not comes_first(source, rival)
        if source.member then
            insert(source)
        end
    end
    return members, not sources[1]
end

local function next_members(count)
    if along > 1 then
        return merged(count)
    end
    local members = fetch(KEYS[2], from, count)
    return members, #members < count
end

-- The id in a member, and the position after it, if anything follows.
local function id_of(member)
    local zero = string.find(member, '\0', 9, true)
    return string.sub(member, 9, zero and zero - 1), zero
end

local function request_of(member)
    return (created_first and string.sub(member, 1, 8) or string.sub(member, -8)) .. id_of(member)
end

-- Far more than any valid member has.
local MAX_MEMBER = 512

-- The members that can be valid.
local function possible(members)
    for _, member in ipairs(members) do
        if #member > MAX_MEMBER then
            local kept = {}
            for _, each in ipairs(members) do
                if #each <= MAX_MEMBER then
                    kept[#kept + 1] = each
                end
            end
            return kept
        end
    end
    return members
end

-- The members that meet every condition.
local function meeting(members)
    for _, condition in ipairs(conditions) do
        if #members == 0 then
            return members
        end
        local sought = members
        if not condition.by_row then
            sought = {}
            for place, member in ipairs(members) do
                sought[place] = request_of(member)
            end
        end
        local met
        for _, key in ipairs(condition.keys) do
            local scores = redis.call('ZMSCORE', key, unpack(sought))
            if not met then
                met = scores
            else
                for place = 1, #sought do
                    met[place] = met[place] or scores[place]
                end
            end
        end
        local left, count = {}, 0
        for place = 1, #members do
            if met[place] then
                count = count + 1
                left[count] = members[place]
            end
        end
        members = left
    end
    return members
end

-- Conditions are looked up for many members at once; the fewer are wanted, the fewer to begin with.
local BATCH = 200
local batch = limit + 1
if #conditions > 0 then
    batch = math.max(batch, math.min(4 * limit, BATCH))
end

local found, position, looked_at, more = {}, '', 0, 1
while more == 1 and #found <= limit and work < budget do
    local members, at_end = next_members(math.min(batch, budget - work))
    batch = math.max(batch, math.min(2 * batch, BATCH))
    looked_at = looked_at + #members
    if #members > 0 then
        position = members[#members]
        from = '(' .. position
        for _, member in ipairs(meeting(possible(members))) do
            found[#found + 1] = member
        end
    end
    if at_end then
        more = 0
    end
end
-- A position of bounded length: after an invalid member, and after others with the same beginning.
if #position > MAX_MEMBER then
    position = string.sub(position, 1, MAX_MEMBER) .. (descending and '' or '\255')
end
if #found > limit then
    more = 1
    for place = #found, limit + 1, -1 do
        found[place] = nil
    end
    position = found[limit]
end

-- Each record once, in the order in which the members first name them. Only members with more bytes after the id can name a
-- request twice.
local record_keys, first_named, named = {}, {}, {}
if wants_records then
    local prefix, count, find, sub = KEYS[1], 0, string.find, string.sub
    for number = 1, #found do
        local member = found[number]
        local zero = find(member, '\0', 9, true)
        local id = sub(member, 9, zero and zero - 1)
        if not named[id] then
            count = count + 1
            record_keys[count], first_named[count] = prefix .. id, number
            named[id] = zero
        end
    end
end
-- Once the records have enough bytes, the rest waits for the next call, from the first member on that needs one of it.
local AT_ONCE = 50
local records, bytes = {}, 0
local ask, type_of = redis.pcall, type
while #records < #record_keys and bytes < enough_bytes do
    local keys, places = {}, {}
    for place = #records + 1, math.min(#records + AT_ONCE, #record_keys) do
        local size = ask('STRLEN', record_keys[place])
        if type_of(size) == 'table' then
            -- A key of another type has no size, and reads as nothing stored.
            size = ask_of_any_type('STRLEN', record_keys[place]) or 0
        end
        if size > longest_record then
            records[place] = size
        else
            bytes = bytes + size
            keys[#keys + 1], places[#places + 1] = record_keys[place], place
            records[place] = false
        end
        if bytes >= enough_bytes then
            break
        end
    end
    if #keys > 0 then
        for at, record in ipairs(redis.call('MGET', unpack(keys))) do
            records[places[at]] = record
        end
    end
end
if #records < #record_keys then
    local kept = first_named[#records + 1] - 1
    for place = #found, kept + 1, -1 do
        found[place] = nil
    end
    more, position = 1, found[kept]
end
return { more, position, looked_at, sizes, found, records }
