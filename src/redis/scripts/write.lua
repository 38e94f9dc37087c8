-- Shared by the scripts that write a request: what changes in its indexes, one command for each.

-- What is planned, in order: keys, and a member for each, or, behind the second, the list of its arguments. These lists
-- have room from the start, since a table for each command, or lists that grow, cost more than comparing the entries.
local keys = { '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '' }
local members = { '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '' }
local planned, lists = 0, {}
-- Where an index is among those to be added to, by suffix.
local places = {}

-- Scores are all 0, and a text, which costs less than a number: members are ordered by their bytes.
local SCORE = '0'

-- Plans to add the entries of so many groups that stand at a place, or of all to the end. Those in `one` and `several` are
-- taken out of these instead. Returns the answer to give when something cannot be added, which would leave half of the writes
-- done. ZCARD finds another type as TYPE does, for less.
local function plan_groups(prefix, bytes, at, count, one, several)
    local member, suffixes, suffix
    while count and count > 0 or not count and at <= #bytes do
        member, suffixes, suffix, at = take(GROUP, bytes, at)
        while true do
            local set, place = several[suffix], places[suffix]
            if set and set[member] then
                set[member] = nil
            elseif not set and one[suffix] == member then
                one[suffix] = nil
            elseif not place then
                local key = prefix .. suffix
                if not may('ZADD', key, SCORE, '') then
                    return { 'noperm', 'ZADD', key }
                end
                local size = ask('ZCARD', key)
                if type_of(size) == 'table' then
                    return refusal(size, 'zset', 'ZCARD', key)
                end
                planned = planned + 1
                places[suffix], keys[planned], members[planned] = planned, key, member
            elseif lists[place] then
                local list = lists[place]
                local size = #list
                list[size + 1], list[size + 2] = SCORE, member
            else
                lists[place] = { SCORE, members[place], SCORE, member }
            end
            suffixes = suffixes - 1
            if suffixes == 0 then
                break
            end
            suffix, at = take(TEXT, bytes, at)
        end
        count = count and count - 1
    end
    return nil
end

-- Plans to remove what is left in `one` and `several`: nil, or the answer to give when something cannot be removed, which is
-- 'unreadable' alone when the header names an entry of another request.
local function plan_removal(prefix, one, several, id)
    for suffix, member in pairs(one) do
        local key = prefix .. suffix
        for each in pairs(several[suffix] or { [member] = true }) do
            if not is_entry_of(each, id) then
                return { 'unreadable' }
            end
        end
        if not may('ZREM', key, '') then
            return { 'noperm', 'ZREM', key }
        end
        local size = ask('ZCARD', key)
        if type_of(size) == 'table' then
            return refusal(size, 'zset', 'ZCARD', key)
        end
        planned = planned + 1
        keys[planned], members[planned] = key, member
        if several[suffix] then
            local list = {}
            for each in pairs(several[suffix]) do
                list[#list + 1] = each
            end
            lists[planned] = list
        end
    end
    return nil
end

-- Adds the feed entry: nil, or the answer to give. The first write, so that nothing is written when it fails, whatever it
-- fails of: a stream that has come to its last id is refused by no check.
local function announce(feed, longest, id, revision, status, kinds)
    local added = ask('XADD', feed, 'MAXLEN', '~', longest, '*',
        'id', id, 'revision', revision, 'status', status, 'decisions', kinds)
    if type_of(added) == 'table' then
        return refusal(added, 'stream', 'XADD', feed, 'MAXLEN', '~', '1', '*', 'id', '')
    end
    return nil
end

-- Lua does not unpack a longer list at once. A multiple of 2, since ZADD takes pairs.
local MAX_UNPACKED = 2000

-- Does what was planned from one place to another.
local function carry_out(command, from, to)
    local call = redis.call
    for place = from, to do
        local key, list = keys[place], lists[place]
        if list then
            for first = 1, #list, MAX_UNPACKED do
                call(command, key, unpack(list, first, math.min(#list, first + MAX_UNPACKED - 1)))
            end
        elseif command == 'ZADD' then
            call(command, key, SCORE, members[place])
        else
            call(command, key, members[place])
        end
    end
end
