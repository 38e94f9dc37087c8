-- Replaces a request by its next revision, moves its index entries and adds a feed entry, or does nothing.
--
-- KEYS  1 record   2 feed   3 prefix of the partition's index keys (the index keys are built from it)
-- ARGV  1 new record, with its own write id only   2 feed length   3 id   4 revision number   5 status
--       6 decision kinds   7 expected revision: number (8 bytes) and write id (16 bytes)
--       8 how many decisions the sender takes to be stored   9 the mark of as many decisions of its own
--       then the index entries of its further decisions: suffix, member, suffix, member, …
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
local stored = redis.pcall('GET', KEYS[1])
if type(stored) == 'table' and stored.err then
    return type_refusal(KEYS[1], 'string') or stored
end
if not stored then
    return { 'missing' }
end
local refused = refusal(stored)
if refused then
    return refused
end

local new = ARGV[1]
local write_id = write_ids(new)
local since = writes_since(stored, write_id)
if since then
    return { 'repeated', since }
end
local revision = string.sub(stored, 5, 12) .. string.sub(stored, FIXED + 1, FIXED + 16)
if revision ~= ARGV[7] then
    return { 'conflict', stored }
end

local count, mark = struct.unpack('>I4', stored, 13), string.sub(stored, 17, 20)
if count ~= tonumber(ARGV[8]) or mark ~= ARGV[9] then
    return { 'history', count, mark }
end
if string.sub(stored, 21, 24) ~= string.sub(new, 21, 24) then
    return { 'refiled' }
end

local function name(entry)
    return #entry[1] .. ':' .. entry[1] .. entry[2]
end
local added = {}
local kept = {}
local old = {}
for _, entry in ipairs(current_entries(stored)) do
    old[name(entry)] = entry
end
for _, entry in ipairs(current_entries(new)) do
    local entry_name = name(entry)
    if old[entry_name] then
        kept[entry_name] = true
    else
        added[#added + 1] = entry
    end
end
for at = 10, #ARGV, 2 do
    added[#added + 1] = { ARGV[at], ARGV[at + 1] }
end
local removed = {}
for entry_name, entry in pairs(old) do
    if not kept[entry_name] then
        removed[#removed + 1] = entry
    end
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
for _, entry in ipairs(removed) do
    remove(KEYS[3], entry)
end
for _, entry in ipairs(added) do
    add(KEYS[3], entry)
end
announce(KEYS[2], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], count)
return { 'updated' }
