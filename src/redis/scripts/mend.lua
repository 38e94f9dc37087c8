-- Compares the index entries of one record with those its document asks for, and mends them when told to.
--
-- KEYS  1 record   2 prefix of the partition's index keys (the index keys are built from it)
-- ARGV  1 revision of the record that was derived from: number (8 bytes) and write id (16 bytes)   2 'report', 'repair' or 'migrate'
--       3 the record as it would be written now, with one write id
--       then the entries that are not named in the header: suffix, member, suffix, member, …
-- Reply {'checked', entries checked, {missing suffixes}, {extra suffixes}, 1 when the header is stale}
--       {'changed'}   stored is another revision, or no record

local stored = redis.call('GET', KEYS[1])
if not stored or refusal(stored) then
    return { 'changed' }
end
if string.sub(stored, 5, 12) .. string.sub(stored, FIXED + 1, FIXED + 16) ~= ARGV[1] then
    return { 'changed' }
end

local function name(entry)
    return #entry[1] .. ':' .. entry[1] .. entry[2]
end
local function is_in(entry)
    return redis.call('ZSCORE', KEYS[2] .. entry[1], entry[2])
end

local wanted, new_end = current_entries(ARGV[3])
for at = 4, #ARGV, 2 do
    wanted[#wanted + 1] = { ARGV[at], ARGV[at + 1] }
end
local is_wanted, missing, missing_suffixes = {}, {}, {}
for _, entry in ipairs(wanted) do
    is_wanted[name(entry)] = true
    if not is_in(entry) then
        missing[#missing + 1] = entry
        missing_suffixes[#missing_suffixes + 1] = entry[1]
    end
end
local named, stored_end = current_entries(stored)
local extra, extra_suffixes = {}, {}
for _, entry in ipairs(named) do
    if not is_wanted[name(entry)] and is_in(entry) then
        extra[#extra + 1] = entry
        extra_suffixes[#extra_suffixes + 1] = entry[1]
    end
end
local header = string.sub(ARGV[3], 1, 3) .. string.sub(stored, 4, 4) .. string.sub(ARGV[3], 5, FIXED)
    .. write_ids(stored) .. string.sub(ARGV[3], FIXED + 17, new_end)
local stale = header ~= string.sub(stored, 1, stored_end)

if ARGV[2] ~= 'report' then
    if ARGV[2] == 'migrate' then
        redis.call('SET', KEYS[1], header .. string.sub(ARGV[3], new_end + 1))
    elseif stale then
        redis.call('SET', KEYS[1], header .. string.sub(stored, stored_end + 1))
    end
    for _, entry in ipairs(extra) do
        remove(KEYS[2], entry)
    end
    for _, entry in ipairs(missing) do
        add(KEYS[2], entry)
    end
end
return { 'checked', #wanted, missing_suffixes, extra_suffixes, stale and 1 or 0 }
