-- Replaces a request by its next revision, moves its index entries and adds a feed entry, or does nothing.
--
-- KEYS  1 record   2 feed   3 prefix of the partition's index keys (the index keys are built from it)
-- ARGV  1 new record, with its own write id only   2 feed length   3 id   4 revision number   5 status
--       6 kinds of its further decisions   7 expected revision: number (8 bytes) and write id (16 bytes)
--       8 how many decisions the sender takes to be stored   9 the mark of as many decisions of its own
--       10 the groups of index entries of its further decisions
-- Reply {'updated'}                    written
--       {'repeated', n}                this write was applied before, n writes ago
--       {'conflict', record}           stored is another revision
--       {'history', n, mark}           stored are n decisions with this mark: the sender took another number, or its
--                                      history does not begin with them
--       {'refiled'}                    what is fixed when a request is filed would be changed
--       {'missing'}                    there is no such request
--       {'unreadable', value}          what is stored is not a record this script understands
--       {'wrongtype', key, wanted, found} {'noperm', command, key}

local unwritable = write_refusal(KEYS[1], KEYS[2])
if unwritable then
    return unwritable
end
-- The document behind the header is of no use here, so it is not brought into Lua unless it has to be returned.
local MOST_HEADERS = 1024
local stored = redis.pcall('GETRANGE', KEYS[1], '0', tostring(MOST_HEADERS - 1))
if type(stored) == 'table' and stored.err then
    return type_refusal(KEYS[1], 'string') or stored
end
local function whole()
    return redis.call('GET', KEYS[1])
end
local old_groups = header_of(stored)
if not old_groups and #stored == MOST_HEADERS then
    stored = whole()
    old_groups = header_of(stored)
end
if not old_groups then
    if whole() then
        return { 'unreadable', stored }
    end
    return { 'missing' }
end

local new = ARGV[1]
local write_id = write_ids(new)
local since = writes_since(stored, write_id)
if since then
    return { 'repeated', since }
end
local revision = string.sub(stored, 5, 12) .. string.sub(stored, FIXED + 1, FIXED + 16)
if revision ~= ARGV[7] then
    return { 'conflict', whole() }
end

local count, mark = struct.unpack('>I4', stored, 13), string.sub(stored, 17, 20)
if count ~= tonumber(ARGV[8]) or mark ~= ARGV[9] then
    return { 'history', count, mark }
end
if string.sub(stored, 21, 24) ~= string.sub(new, 21, 24) then
    return { 'refiled' }
end

-- Most groups stay as they are.
local function but_for(groups, others)
    local is_other, left = {}, {}
    for _, group in ipairs(others) do
        is_other[group] = true
    end
    for _, group in ipairs(groups) do
        if not is_other[group] then
            left[#left + 1] = group
        end
    end
    return left
end
local new_groups = current_groups(new)
local removed = entries_of(but_for(old_groups, new_groups))
local added = entries_of(but_for(new_groups, old_groups))
for suffix, members in pairs(added) do
    local leaving = removed[suffix] or {}
    for member in pairs(members) do
        if leaving[member] then
            leaving[member], members[member] = nil, nil
        end
    end
    if not next(leaving) then
        removed[suffix] = nil
    end
    if not next(members) then
        added[suffix] = nil
    end
end
for _, group in ipairs(groups_at(ARGV[10], 1)) do
    add_entries(group, added)
end

local wrong = entries_refusal(KEYS[3], added, 'ZADD', '0', '') or entries_refusal(KEYS[3], removed, 'ZREM', '')
if wrong then
    return wrong
end

local earlier = write_ids(stored)
if #earlier > 16 * (EARLIER_WRITE_IDS + 1) then
    earlier = string.sub(earlier, 1, 16 * EARLIER_WRITE_IDS) .. string.sub(earlier, -16)
end
local ids = write_id .. earlier
redis.call('SET', KEYS[1],
    string.sub(new, 1, 3) .. string.char(#ids / 16) .. string.sub(new, 5, FIXED) .. ids .. string.sub(new, FIXED + 17))
remove(KEYS[3], removed)
add(KEYS[3], added)
announce(KEYS[2], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
return { 'updated' }
