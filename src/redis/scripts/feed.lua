-- Reads one partition's feed from an entry on, and how many entries were ever added and are kept.
--
-- KEYS  1 feed   2 origin, only to read from the oldest entry
-- ARGV  1 the id of the entry to read from, inclusive; '-' the oldest entry kept; 'end' only the newest
--       2 most entries to return   3 how many bytes of entries are enough
-- Reply {entries ever added, entries kept, {{id, {field, value, …}}, …}, 1 if entries do not fit into one reply, the origin
--       if it is read from the oldest entry and has one, otherwise ''}
--       An entry longer than any valid one comes without its fields.
--       {'noperm', command, key}

local feed, from = KEYS[1], ARGV[1]
-- Checked first, because the error of a missing permission does not name the command.
if not redis.acl_check_cmd('XRANGE', feed, '-', '+', 'COUNT', ARGV[2]) then
    return { 'noperm', 'XRANGE', feed }
elseif not redis.acl_check_cmd('XINFO', 'STREAM', feed) then
    return { 'noperm', 'XINFO STREAM', feed }
end

-- Where the requests of a partition came from that a repartition added: only who begins with it has to know.
local origin = KEYS[2] and redis.call('GETRANGE', KEYS[2], '0', '1023') or ''

-- Fails if something else uses the key, so XINFO can only fail if the key is missing.
local entries = redis.call('XRANGE', feed, from == 'end' and '-' or from, '+', 'COUNT', ARGV[2])
local fields = redis.pcall('XINFO', 'STREAM', feed)
if fields.err then
    return { 0, 0, {}, 0, origin }
end
local stream = {}
for at = 1, #fields, 2 do
    stream[fields[at]] = fields[at + 1]
end
if from == 'end' then
    entries = { stream['last-entry'] or nil }
end

local MAX_ENTRY, enough_bytes = 1024 * 1024, tonumber(ARGV[3])
local sent, bytes = {}, 0
for place, entry in ipairs(entries) do
    local size = 0
    for _, text in ipairs(entry[2]) do
        size = size + #text
    end
    if size > MAX_ENTRY then
        entry[2], size = {}, 0
    end
    -- At least the second, because the first may be the entry read last.
    if place > 2 and bytes + size > enough_bytes then
        return { stream['entries-added'], stream['length'], sent, 1, origin }
    end
    sent[place], bytes = entry, bytes + size
end
return { stream['entries-added'], stream['length'], sent, 0, origin }
