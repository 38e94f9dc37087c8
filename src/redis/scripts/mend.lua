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
local named, stored_end
if stored then
    named, stored_end = header_of(stored)
end
if not named then
    return { 'changed' }
end
if string.sub(stored, 5, 12) .. string.sub(stored, FIXED + 1, FIXED + 16) ~= ARGV[1] then
    return { 'changed' }
end

-- True or false; nil when the index is of another type, which can be neither added to nor removed from.
local function is_in(suffix, member)
    local score = ask_of_any_type('ZSCORE', KEYS[2] .. suffix, member)
    return score and true or score
end
-- Plans what `chosen` chooses of the entries, and lists their suffixes.
local function choose(by_member, score, chosen)
    local planned, listed = {}, {}
    for member, suffixes in pairs(by_member) do
        for suffix in pairs(suffixes) do
            if chosen(suffix, member) then
                plan(planned, KEYS[2], suffix, member, score)
                listed[#listed + 1] = suffix
            end
        end
    end
    return planned, listed
end

local wanted, new_end = current_entries(ARGV[3])
collect(wanted, ARGV[4], 1)
local checked = 0
local missing, missing_suffixes = choose(wanted, SCORE, function(suffix, member)
    checked = checked + 1
    return is_in(suffix, member) == false
end)
local extra, extra_suffixes = choose(named, nil, function(suffix, member)
    local is_wanted = wanted[member] and wanted[member][suffix]
    return not is_wanted and is_in(suffix, member)
end)
local header = string.sub(ARGV[3], 1, 3) .. string.sub(stored, 4, 4) .. string.sub(ARGV[3], 5, FIXED)
    .. write_ids(stored) .. string.sub(ARGV[3], FIXED + 17, new_end)
local stale = header ~= string.sub(stored, 1, stored_end)

if ARGV[2] ~= 'report' then
    local refused = permission_refusal('SET', KEYS[1], '')
        or plan_refusal(extra, 'ZREM', '')
        or plan_refusal(missing, 'ZADD', '0', '')
    if refused then
        return refused
    end
    if ARGV[2] == 'migrate' then
        redis.call('SET', KEYS[1], header .. string.sub(ARGV[3], new_end + 1))
    elseif stale then
        redis.call('SET', KEYS[1], header .. string.sub(stored, stored_end + 1))
    end
    carry_out('ZREM', extra)
    carry_out('ZADD', missing)
end
return { 'checked', checked, missing_suffixes, extra_suffixes, stale and 1 or 0 }
