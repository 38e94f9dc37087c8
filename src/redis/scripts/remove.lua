-- Replaces a request by its tombstone, removes all its index entries and adds a feed entry, or does nothing.
--
-- KEYS  1 record   2 feed   3 prefix of the partition's index keys (the index keys are built from it)   4 layout
-- ARGV  1 feed length   2 id   3 revision number   4 status   5 who removes
--       6 the expected revision: its number (8 bytes) and its write id   7 the tombstone
--       8 the groups of the index entries that the header does not name: the lasting ones and those of decisions
--       9 most bytes of a record that is returned   10 the sender's layout
--       11 only if the sender waits for a confirmation: '1'
-- Reply {'removed'}                    written
--       {'removed before', tombstone}  another removal came first; if the sender waits, its tombstone is written again
--       {'conflict', record}           another revision is stored
--       {'missing'}                    there is and was no such request
--       {'unreadable', value}          this script does not understand the stored record; only its size if it is over the
--                                      limit
--       {'layout', key, layout}        the partition records another layout: the sender does not know its indexes
--       {'wrongtype', key, wanted, found} {'noperm', command, key}

local record, prefix, id = KEYS[1], KEYS[3], ARGV[2]

local layout = ask('GETRANGE', KEYS[4], '0', '64')
if layout ~= ARGV[10] then
    return type_of(layout) == 'table' and rejection(layout, 'string', 'GETRANGE', KEYS[4], '0', '0')
        or { 'layout', KEYS[4], layout }
end
-- Nothing else needs DEL but a repartition, so only a user who has it removes.
for _, command in ipairs({ 'DEL', 'GET', 'STRLEN' }) do
    if not may(command, record) then
        return { 'noperm', command, record }
    end
end
if not may('SET', record, '') then
    return { 'noperm', 'SET', record }
end
-- Most headers are as short as this; the document is of no concern.
local MAX_HEADERS, END_OF_MAX = 896, '895'
local stored = ask('GETRANGE', record, '0', END_OF_MAX)
if type_of(stored) == 'table' then
    return rejection(stored, 'string', 'GETRANGE', record, '0', '0')
end
-- The record, or its size if that is over the limit.
local function whole()
    local size = redis.call('STRLEN', record)
    return size > tonumber(ARGV[9]) and size or redis.call('GET', record)
end
local one, several = header_of(stored, id)
if not one and #stored == MAX_HEADERS then
    stored = whole()
    if type_of(stored) == 'number' then
        return { 'unreadable', stored }
    end
    one, several = header_of(stored, id)
end
if not one then
    local value = whole()
    if not value then
        return { 'missing' }
    elseif type_of(value) == 'number' or string.sub(value, 1, 3) ~= 'MT\1' then
        return { 'unreadable', value }
    end
    -- From Redis 7.2 on, a connection that has written nothing gets a confirmation at once.
    if ARGV[11] then
        redis.call('SET', record, value)
    end
    return { 'removed before', value }
end
if revision_of(stored) ~= ARGV[6] then
    local value = whole()
    return { type_of(value) == 'number' and 'unreadable' or 'conflict', value }
end

collect(one, several, ARGV[8], 1)
local rejected = plan_removal(prefix, one, several, id)
if rejected then
    return rejected[1] == 'unreadable' and { 'unreadable', whole() } or rejected
end
-- The first write: nothing is written if it fails for any reason.
local added = ask('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', 'id', id, 'revision', ARGV[3], 'status', ARGV[4],
    'decisions', '', 'first', '', 'by', ARGV[5], 'change', 'Removed')
if type_of(added) == 'table' then
    return rejection(added, 'stream', 'XADD', KEYS[2], 'MAXLEN', '~', '1', '*', 'id', '')
end
redis.call('DEL', record)
redis.call('SET', record, ARGV[7])
carry_out('ZREM', 1, planned)
return { 'removed' }
