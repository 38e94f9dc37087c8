-- Reads records one by one until they are together so many bytes: more than that by no more than the last one.
--
-- KEYS  the records
-- ARGV  1 how many bytes are enough
-- Reply the records in the order of their keys, as many as were read, at least one; false where nothing is stored, or
--       something of another type

local enough = tonumber(ARGV[1])
local records, bytes = {}, 0
for place, key in ipairs(KEYS) do
    local record = redis.call('MGET', key)[1]
    records[place] = record
    bytes = bytes + (record and #record or 0)
    if bytes >= enough then
        break
    end
end
return records
