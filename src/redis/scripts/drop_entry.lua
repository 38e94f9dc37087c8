-- Removes an index entry that no document explains, unless the document has changed since that was found.
--
-- KEYS  1 record   2 index
-- ARGV  1 revision of the record that was derived from (8 + 16 bytes), or '' when there was no record   2 member
--       3 '1' to remove it
-- Reply {'extra'} the entry is there and is not explained   {'changed'}   {'gone'} the entry is not there

local stored = ask_of_any_type('GET', KEYS[1])
local revision = ''
if stored then
    revision = string.sub(stored, 5, 12) .. string.sub(stored, FIXED + 1, FIXED + WRITE_ID)
end
if revision ~= ARGV[1] then
    return { 'changed' }
end
if not ask_of_any_type('ZSCORE', KEYS[2], ARGV[2]) then
    return { 'gone' }
end
if ARGV[3] == '1' then
    redis.call('ZREM', KEYS[2], ARGV[2])
end
return { 'extra' }
