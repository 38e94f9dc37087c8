-- Shared by the scripts that read the header of a record, whose layout is in record.rs.

-- Where the checksum, the part it covers and the state of the revision begin; how much stands before the writes, how long
-- an id is, and a write with its intent; how much of the document the checksum covers, which is the document's own checksum.
local CHECKSUM, COVERED, STATE, FIXED, WRITE_ID, WRITE, DOCUMENT_HEAD = 4, 20, 21, 40, 16, 24, 16

-- Index entries stand in groups: 2 bytes of length and a member; 2 bytes, how many indexes hold it, at least one; and as many
-- suffixes of their keys, each behind 2 bytes of length. They are taken apart by struct.unpack, since walking through them
-- byte by byte costs more than the commands of a write; with the first suffix in one call, since it is the calls that cost.
local COUNT, GROUP, TEXT = '>H', '>Hc0HHc0', '>Hc0'
local take = struct.unpack

-- Adds the entries of so many groups that stand at a place, or of all to the end: to `one` the first member of each suffix,
-- and to `several` the set of all its members when there are more. Returns where the next group would begin. Raises an error
-- when the bytes end before that.
local function collect(one, several, bytes, at, count)
    local member, suffixes, suffix
    while count and count > 0 or not count and at <= #bytes do
        member, suffixes, suffix, at = take(GROUP, bytes, at)
        while true do
            local first = one[suffix]
            if not first then
                one[suffix] = member
            elseif several[suffix] then
                several[suffix][member] = true
            else
                several[suffix] = { [first] = true, [member] = true }
            end
            suffixes = suffixes - 1
            if suffixes == 0 then
                break
            end
            suffix, at = take(TEXT, bytes, at)
        end
        count = count and count - 1
    end
    return at
end

-- The current index entries that a record names, as `collect` gives them, and where its header ends.
local function current_entries(record)
    local one, several = {}, {}
    local count, at = take(COUNT, record, FIXED + WRITE * string.byte(record, COVERED) + 1)
    return one, several, collect(one, several, record, at, count) - 1
end

-- What a header holds for checksum: `covered` is what follows it up to the body of the document.
local function checksum(id, covered)
    return string.sub(redis.sha1hex(id .. '\0' .. covered), 1, COVERED - CHECKSUM)
end

-- The same as `current_entries` of a value that is the record of this request and has an undamaged header; nil of any other.
local function header_of(value, id)
    local is_ours = string.sub(value, 1, 3) == 'MR\1' and (string.byte(value, COVERED) or 0) > 0
    if not is_ours then
        return nil
    end
    local is_whole, one, several, last = pcall(current_entries, value)
    if not is_whole or #value < last + DOCUMENT_HEAD then
        return nil
    end
    local found = checksum(id, string.sub(value, COVERED, last + DOCUMENT_HEAD))
    if found ~= string.sub(value, CHECKSUM, COVERED - 1) then
        return nil
    end
    return one, several, last
end

-- The number and the write id of the revision that a record is at.
local function revision_of(record)
    return string.sub(record, STATE, STATE + 7) .. string.sub(record, FIXED + 1, FIXED + WRITE_ID)
end

-- Whether an index entry is one of this request. No other may be removed in its name, whatever a header says.
local function is_entry_of(member, id)
    local after = 9 + #id
    return string.sub(member, 9, after - 1) == id and (#member < after or string.byte(member, after) == 0)
end
