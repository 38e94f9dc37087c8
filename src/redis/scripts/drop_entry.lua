-- Removes an index entry that no document explains, unless the document has changed since then.
--
-- KEYS  1 record   2 index   3 layout of the record's partition
-- ARGV  1 revision of the record at that time (8 + 16 bytes), or '' if there was no record   2 member
--       3 '1' to remove it   4 the id of the request that the member names
--       5 the sender's layout
-- Reply {'extra'} the entry exists and no document explains it   {'changed'}   {'gone'} the entry does not exist
--       {'layout', key, layout} not removed, because the partition records another layout

if ARGV[3] == '1' then
    local layout = redis.call('GETRANGE', KEYS[3], '0', '64')
    if layout ~= ARGV[5] then
        return { 'layout', KEYS[3], layout }
    end
end

local stored = ask_of_any_type('GET', KEYS[1])
local revision = ''
if stored then
    revision = revision_of(stored)
end
if revision ~= ARGV[1] or not is_entry_of(ARGV[2], ARGV[4]) then
    return { 'changed' }
end
if not ask_of_any_type('ZSCORE', KEYS[2], ARGV[2]) then
    return { 'gone' }
end
if ARGV[3] == '1' then
    redis.call('ZREM', KEYS[2], ARGV[2])
end
return { 'extra' }
