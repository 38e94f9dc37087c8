-- Shared by the scripts that write a request: what changes in its indexes, one command for each.

-- The planned commands, in order: keys, and for each one a member or, after the second member, the list of its arguments.
-- The lists are preallocated, because a table for each command, or growing lists, cost more than comparing the entries.
local keys = { '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '' }
local members = { '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '' }
local planned, lists = 0, {}
-- The position of an index among those to add to, by suffix.
local places = {}

-- Every score is 0, so bytes order the members; a text costs less than a number.
local SCORE = '0'

-- Plans to add the entries of this many groups from a position on, or of all to the end. Entries in `one` and `several` are
-- removed from these instead. Returns the reply if an entry cannot be added, because the script would stop half-way. ZCARD
-- finds another type like TYPE, but costs less.
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
                    return rejection(size, 'zset', 'ZCARD', key)
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

-- Plans to remove the rest of `one` and `several`. Returns nil, or the reply if an entry cannot be removed, which is only
-- 'unreadable' if the header names an entry of another request.
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
            return rejection(size, 'zset', 'ZCARD', key)
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

-- Adds the feed entry. Returns nil, or the reply if it fails. This is the first write, so nothing is written if it fails for
-- any reason: no check finds a stream that has reached its last id.
local function announce(feed, longest, id, revision, status, kinds)
    local added = ask('XADD', feed, 'MAXLEN', '~', longest, '*',
        'id', id, 'revision', revision, 'status', status, 'decisions', kinds)
    if type_of(added) == 'table' then
        return rejection(added, 'stream', 'XADD', feed, 'MAXLEN', '~', '1', '*', 'id', '')
    end
    return nil
end

-- Lua does not unpack a longer list at once. A multiple of 2, because ZADD takes pairs.
local MAX_UNPACKED = 2000

-- Runs the planned commands from one position to another.
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
