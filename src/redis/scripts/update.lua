-- Replaces a request by its next revision, moves its index entries and adds a feed entry, or does nothing.
--
-- KEYS  1 record   2 feed   3 prefix of the partition's index keys (the index keys are built from it)   4 layout
-- ARGV  1 feed length   2 id   3 revision number   4 status   5 kinds of its further decisions
--       6 the state of the stored record that the sender assumes: the expected revision's number, how many decisions are
--         stored, the mark of as many of its own, its own submission mark, the expected revision's write id
--       7 the same 36 bytes of the new record, and the intent of this write
--       8 the index entries of the new record   9 its document
--       10 the groups of index entries of its further decisions
--       11 most bytes of a record that is returned   12 the sender's layout
--       13 only if the sender waits for a confirmation: '1'
-- Reply {'updated'}                    written
--       {'repeated', record}           a write with this id was applied before, with any intent; if the sender waits, the
--                                      record is written again unchanged
--       {'conflict', record}           another revision is stored
--       {'history', n, mark}           n decisions with this mark are stored: the sender assumed another number, or its
--                                      history does not begin with them
--       {'submitted fields changed'}   the write would change a field fixed at submission
--       {'missing'}                    there is no such request
--       {'unreadable', value}          this script does not understand the stored record; only its size if it is over the
--                                      limit
--       {'layout', key, layout}        the partition records another layout: the sender does not know its indexes
--       {'wrongtype', key, wanted, found} {'noperm', command, key}

local record, prefix, id = KEYS[1], KEYS[3], ARGV[2]
local expected, new, entries, document = ARGV[6], ARGV[7], ARGV[8], ARGV[9]

local layout = ask('GETRANGE', KEYS[4], '0', '64')
if layout ~= ARGV[12] then
    return type_of(layout) == 'table' and rejection(layout, 'string', 'GETRANGE', KEYS[4], '0', '0')
        or { 'layout', KEYS[4], layout }
end
-- GET is not always needed; if it is, its own error would not name the command.
if not may('SET', record, '') then
    return { 'noperm', 'SET', record }
elseif not may('GET', record) then
    return { 'noperm', 'GET', record }
elseif not may('STRLEN', record) then
    return { 'noperm', 'STRLEN', record }
end
-- The script does not need the document after the header, and reads it only to return it. A header with the entries of three
-- approvals and eight writes has about 800 bytes.
local MAX_HEADERS, END_OF_MAX = 896, '895'
local stored = ask('GETRANGE', record, '0', END_OF_MAX)
if type_of(stored) == 'table' then
    return rejection(stored, 'string', 'GETRANGE', record, '0', '0')
end
local one, several = header_of(stored, id)
-- The record, or its size if that is over the limit.
local function whole()
    local size = redis.call('STRLEN', record)
    return size > tonumber(ARGV[11]) and size or redis.call('GET', record)
end
if not one and #stored == MAX_HEADERS then
    stored = whole()
    if type_of(stored) == 'number' then
        return { 'unreadable', stored }
    end
    one, several = header_of(stored, id)
end
if not one then
    local value = whole()
    return value and { 'unreadable', value } or { 'missing' }
end

local writes = string.sub(stored, FIXED + 1, FIXED + WRITE * string.byte(stored, COVERED))
local write_id = string.sub(new, -WRITE, -WRITE + WRITE_ID - 1)
-- Compares everything at once, and part by part only if something differs.
if string.sub(stored, STATE, FIXED + WRITE_ID) ~= expected or string.find(writes, write_id, 1, true) then
    for at = 1, #writes, WRITE do
        if string.sub(writes, at, at + WRITE_ID - 1) == write_id then
            local value = whole()
            if type_of(value) == 'number' then
                return { 'unreadable', value }
            end
            -- From Redis 7.2 on, a connection that has written nothing gets a confirmation at once.
            if ARGV[13] then
                redis.call('SET', record, value)
            end
            return { 'repeated', value }
        end
    end
    local is_expected = revision_of(stored) == string.sub(expected, 1, 8) .. string.sub(expected, -WRITE_ID)
    if not is_expected then
        local value = whole()
        return { type_of(value) == 'number' and 'unreadable' or 'conflict', value }
    elseif string.sub(stored, STATE + 8, STATE + 15) ~= string.sub(expected, 9, 16) then
        return { 'history', (take('>I4', stored, STATE + 8)), string.sub(stored, STATE + 12, STATE + 15) }
    elseif string.sub(stored, STATE + 16, STATE + 19) ~= string.sub(expected, 17, 20) then
        return { 'submitted fields changed' }
    end
end

-- Entries that the new record also names stay and leave the stored entries; the rest is to be removed.
local count, at = take(COUNT, entries, 1)
local rejected = plan_groups(prefix, entries, at, count, one, several)
    or plan_groups(prefix, ARGV[10], 1, nil, one, several)
local added = planned
rejected = rejected or plan_removal(prefix, one, several, id)
if rejected and rejected[1] == 'unreadable' then
    return { 'unreadable', redis.call('GET', record) }
end
rejected = rejected or announce(KEYS[2], ARGV[1], id, ARGV[3], ARGV[4], ARGV[5])
if rejected then
    return rejected
end

-- The newest of the earlier writes stay, and so does the one that submitted the request.
local EARLIER_WRITES = 6
if #writes > WRITE * (EARLIER_WRITES + 1) then
    writes = string.sub(writes, 1, WRITE * EARLIER_WRITES) .. string.sub(writes, -WRITE)
end
local covered = string.char(#writes / WRITE + 1) .. new .. writes .. entries
local sum = checksum(id, covered .. string.sub(document, 1, DOCUMENT_HEAD))
redis.call('SET', record, 'MR\1' .. sum .. covered .. document)
carry_out('ZREM', added + 1, planned)
carry_out('ZADD', 1, added)
return { 'updated' }
