-- Reads one partition's feed on from an entry, and how many entries were ever added and are kept.
--
-- KEYS  1 feed
-- ARGV  1 the id of the entry to read on from, that one included; '-' the oldest that is kept; 'end' the newest alone
--       2 most entries to return
-- Reply {entries ever added, entries kept, {{id, {field, value, …}}, …}}
--       {'noperm', command, key}

local feed, from = KEYS[1], ARGV[1]
-- Asked for, because an error that comes of a missing permission does not name the command.
if not redis.acl_check_cmd('XRANGE', feed, '-', '+', 'COUNT', ARGV[2]) then
    return { 'noperm', 'XRANGE', feed }
elseif not redis.acl_check_cmd('XINFO', 'STREAM', feed) then
    return { 'noperm', 'XINFO STREAM', feed }
end

-- Fails where something else uses the key, so that XINFO can only fail where there is none.
local entries = redis.call('XRANGE', feed, from == 'end' and '-' or from, '+', 'COUNT', ARGV[2])
local told = redis.pcall('XINFO', 'STREAM', feed)
if told.err then
    return { 0, 0, {} }
end
local stream = {}
for at = 1, #told, 2 do
    stream[told[at]] = told[at + 1]
end
if from == 'end' then
    entries = { stream['last-entry'] or nil }
end
return { stream['entries-added'], stream['length'], entries }
