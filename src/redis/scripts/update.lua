-- Replaces a request by its next revision, moves its index entries and adds a feed entry, or does nothing.
--
-- KEYS  1 record   2 feed   3 prefix of the partition's index keys (the index keys are built from it)
-- ARGV  1 new record up to its write ids, of which it has its own only   2 feed length   3 id   4 revision number
--       5 status   6 kinds of its further decisions   7 expected revision: number (8 bytes) and write id (16 bytes)
--       8 how many decisions the sender takes to be stored   9 the mark of as many decisions of its own
--       10 the groups of index entries of its further decisions   11 the rest of the new record
-- Reply {'updated'}                    written
--       {'repeated', n}                this write was applied before, n writes ago
--       {'conflict', record}           stored is another revision
--       {'history', n, mark}           stored are n decisions with this mark: the sender took another number, or its
--                                      history does not begin with them
--       {'refiled'}                    what is fixed when a request is filed would be changed
--       {'missing'}                    there is no such request
--       {'unreadable', value}          what is stored is not a record this script understands
--       {'wrongtype', key, wanted, found} {'noperm', command, key}

-- GET is not always needed, and where it is, its failing would be an error without a name.
local unwritable = write_refusal(KEYS[1], KEYS[2]) or permission_refusal('GET', KEYS[1])
if unwritable then
    return unwritable
end
-- The document behind the header is of no use here, so it is not brought into Lua unless it has to be returned.
local MOST_HEADERS = 1024
local stored = redis.pcall('GETRANGE', KEYS[1], '0', tostring(MOST_HEADERS - 1))
if type(stored) == 'table' and stored.err then
    return read_refusal(stored, 'string', 'GETRANGE', KEYS[1], '0', '0')
end
local function whole()
    return redis.call('GET', KEYS[1])
end
local old_entries = header_of(stored)
if not old_entries and #stored == MOST_HEADERS then
    stored = whole()
    old_entries = header_of(stored)
end
if not old_entries then
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

local decisions, mark = struct.unpack('>I4', stored, 13), string.sub(stored, 17, 20)
if decisions ~= tonumber(ARGV[8]) or mark ~= ARGV[9] then
    return { 'history', decisions, mark }
end
if string.sub(stored, 21, 24) ~= string.sub(new, 21, 24) then
    return { 'refiled' }
end

-- What the new record names as well stays, and is taken out of the old entries, so that those left are to be removed.
local added, removed = {}, {}
local count, at = counted(ARGV[11], 1)
plan_groups(added, KEYS[3], ARGV[11], at, count, old_entries)
plan_groups(added, KEYS[3], ARGV[10], 1)
for member, suffixes in pairs(old_entries) do
    for suffix in pairs(suffixes) do
        plan(removed, KEYS[3], suffix, member)
    end
end

local wrong = plan_refusal(added, 'ZADD', '0', '') or plan_refusal(removed, 'ZREM', '')
if wrong then
    return wrong
end

local earlier = write_ids(stored)
if #earlier > 16 * (EARLIER_WRITE_IDS + 1) then
    earlier = string.sub(earlier, 1, 16 * EARLIER_WRITE_IDS) .. string.sub(earlier, -16)
end
local ids = write_id .. earlier
redis.call('SET', KEYS[1],
    string.sub(new, 1, 3) .. string.char(#ids / 16) .. string.sub(new, 5, FIXED) .. ids .. ARGV[11])
carry_out('ZREM', removed)
carry_out('ZADD', added)
announce(KEYS[2], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
return { 'updated' }
