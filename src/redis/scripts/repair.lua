-- Compares the index entries of one record with those its document asks for, and repairs them in that mode.
--
-- KEYS  1 record   2 prefix of the partition's index keys (the index keys are built from it)   3 layout
-- ARGV  1 what was derived from: the revision of the record, number (8 bytes) and write id (16 bytes); or, of a record with
--         a damaged header, the SHA-1 of all of it in hexadecimal
--       2 'report', 'repair' or 'migrate'   3 the record as it would be written now, with one write
--       4 the groups of the entries that are not named in the header   5 the id of the request
--       6 the layout of the sender   7 where the document begins in a record with a damaged header, counted from 1
-- Reply {'checked', entries checked, {missing suffixes}, {extra suffixes}, 1 when the header is stale}
--       {'changed'}   stored is another revision, or no record
--       {'layout', key, layout}   the partition records another layout, and so nothing is repaired
--       {'wrongtype', key, wanted, found} {'noperm', command, key}

if ARGV[2] ~= 'report' then
    local layout = ask('GETRANGE', KEYS[3], '0', '64')
    if layout ~= ARGV[6] then
        return type_of(layout) == 'table' and rejection(layout, 'string', 'GETRANGE', KEYS[3], '0', '0')
            or { 'layout', KEYS[3], layout }
    end
end

local stored, id = ask_of_any_type('GET', KEYS[1]), ARGV[5]
local is_damaged = #ARGV[1] == 40
local one, several, stored_end
if stored and is_damaged and redis.sha1hex(stored) == ARGV[1] then
    -- What it names is not to be relied on: entries that are there too many are found along the indexes.
    one, several, stored_end = {}, {}, tonumber(ARGV[7]) - 1
elseif stored and not is_damaged then
    one, several, stored_end = header_of(stored, id)
end
if not one or not is_damaged and revision_of(stored) ~= ARGV[1] then
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
    return not is_wanted and is_entry_of(member, id) and is_in(suffix, member)
end)
-- A record whose header is damaged gets the one write of the new one.
local kept = is_damaged and ARGV[3] or stored
local document = ARGV[2] == 'migrate' and string.sub(ARGV[3], new_end + 1) or string.sub(stored, stored_end + 1)
local covered = string.sub(kept, COVERED, COVERED) .. string.sub(ARGV[3], STATE, FIXED)
    .. string.sub(kept, FIXED + 1, FIXED + WRITE * string.byte(kept, COVERED))
    .. string.sub(ARGV[3], FIXED + WRITE + 1, new_end)
local sum = checksum(id, covered .. string.sub(document, 1, DOCUMENT_HEAD))
local header = string.sub(ARGV[3], 1, 3) .. sum .. covered
local stale = covered ~= string.sub(stored, COVERED, stored_end)

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
    if stale or is_damaged or ARGV[2] == 'migrate' then
        redis.call('SET', KEYS[1], header .. document)
    end
    for _, entry in ipairs(extra) do
        redis.call('ZREM', entry[1], entry[2])
    end
    for _, entry in ipairs(missing) do
        redis.call('ZADD', entry[1], '0', entry[2])
    end
end
return { 'checked', checked, missing_suffixes, extra_suffixes, stale and not is_damaged and 1 or 0 }
