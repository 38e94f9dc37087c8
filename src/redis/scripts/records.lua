-- Reads records one by one until they have this many bytes in total; only the last one may exceed that.
--
-- KEYS  the records
-- ARGV  1 how many bytes are enough   2 most bytes of a record that is returned
-- Reply the records in the order of their keys, as many as were read, at least one: false if nothing is stored, or a key of
--       another type, and only the size of a record over the limit

local enough, longest = tonumber(ARGV[1]), tonumber(ARGV[2])
local records, bytes = {}, 0
for place, key in ipairs(KEYS) do
    -- The size comes first, so that a record over the limit is not even read.
    local size = ask_of_any_type('STRLEN', key) or 0
    if size > longest then
        records[place] = size
    else
        local record = redis.call('MGET', key)[1]
        records[place] = record
        bytes = bytes + (record and #record or 0)
    end
    if bytes >= enough then
        break
    end
end
return records
