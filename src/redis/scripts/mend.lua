-- Compares the index entries of one record with those its document asks for, and mends them when told to.
--
-- KEYS  1 record   2 prefix of the partition's index keys (the index keys are built from it)
-- ARGV  1 revision of the record that was derived from: number (8 bytes) and write id (16 bytes)   2 'report', 'repair' or 'migrate'
--       3 the record as it would be written now, with one write id
--       4 the groups of the entries that are not named in the header
-- Reply {'checked', entries checked, {missing suffixes}, {extra suffixes}, 1 when the header is stale}
--       {'changed'}   stored is another revision, or no record
--       {'noperm', command, key}

local stored = ask_of_any_type('GET', KEYS[1])
local one, several, stored_end
if stored then
    one, several, stored_end = header_of(stored)
end
if not one then
    return { 'changed' }
end
if string.sub(stored, 5, 12) .. string.sub(stored, FIXED + 1, FIXED + WRITE_ID) ~= ARGV[1] then
    return { 'changed' }
end

-- True or false; nil when the index is of another type, which can be neither added to nor removed from.
local function is_in(suffix, member)
    local score = ask_of_any_type('ZSCORE', KEYS[2] .. suffix, member)
    return score and true or score
end
-- The entries that `chosen` chooses, each its key and its member, and their suffixes.
local function choose(first, sets, chosen)
    local entries, suffixes = {}, {}
    for suffix, member in pairs(first) do
        for each in pairs(sets[suffix] or { [member] = true }) do
            if chosen(suffix, each) then
                entries[#entries + 1] = { KEYS[2] .. suffix, each }
                suffixes[#suffixes + 1] = suffix
            end
        end
    end
    return entries, suffixes
end

local wanted, wanted_sets, new_end = current_entries(ARGV[3])
collect(wanted, wanted_sets, ARGV[4], 1)
local checked = 0
local missing, missing_suffixes = choose(wanted, wanted_sets, function(suffix, member)
    checked = checked + 1
    return is_in(suffix, member) == false
end)
local extra, extra_suffixes = choose(one, several, function(suffix, member)
    local is_wanted = wanted[suffix] == member or wanted_sets[suffix] and wanted_sets[suffix][member]
    return not is_wanted and is_in(suffix, member)
end)
local header = string.sub(ARGV[3], 1, 3) .. string.sub(stored, 4, 4) .. string.sub(ARGV[3], 5, FIXED)
    .. string.sub(stored, FIXED + 1, FIXED + WRITE_ID * string.byte(stored, 4))
    .. string.sub(ARGV[3], FIXED + WRITE_ID + 1, new_end)
local stale = header ~= string.sub(stored, 1, stored_end)

if ARGV[2] ~= 'report' then
    if not may('SET', KEYS[1], '') then
        return { 'noperm', 'SET', KEYS[1] }
    end
    -- Their types have been seen.
    for _, entry in ipairs(extra) do
        if not may('ZREM', entry[1], '') then
            return { 'noperm', 'ZREM', entry[1] }
        end
    end
    for _, entry in ipairs(missing) do
        if not may('ZADD', entry[1], '0', '') then
            return { 'noperm', 'ZADD', entry[1] }
        end
    end
    if ARGV[2] == 'migrate' then
        redis.call('SET', KEYS[1], header .. string.sub(ARGV[3], new_end + 1))
    elseif stale then
        redis.call('SET', KEYS[1], header .. string.sub(stored, stored_end + 1))
    end
    for _, entry in ipairs(extra) do
        redis.call('ZREM', entry[1], entry[2])
    end
    for _, entry in ipairs(missing) do
        redis.call('ZADD', entry[1], '0', entry[2])
    end
end
return { 'checked', checked, missing_suffixes, extra_suffixes, stale and 1 or 0 }
