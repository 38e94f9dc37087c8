-- Shared by the scripts that read the header of a record; record.rs defines its layout.

-- The offsets of the checksum, of the part it covers and of the revision's state; the sizes of everything before the writes,
-- of an id, and of a write with its intent; the bytes of the document under the checksum, up to the document's own checksum.
local CHECKSUM, COVERED, STATE, FIXED, WRITE_ID, WRITE, DOCUMENT_HEAD = 4, 20, 21, 40, 16, 24, 16

-- Index entries come in groups: 2 bytes of length and a member; 2 bytes for the number of indexes that hold it, at least one;
-- and that many suffixes of their keys, each after 2 bytes of length. struct.unpack reads them, because reading byte by byte
-- costs more than the commands of a write; the first suffix is read in the same call, because the calls are what costs.
local COUNT, GROUP, TEXT = '>H', '>Hc0HHc0', '>Hc0'
local take = struct.unpack

-- Adds the entries of this many groups from a position on, or of all to the end: to `one` the first member of each suffix, and
-- to `several` the set of all its members if there are more. Returns the position of the next group. Raises an error if the
-- bytes end earlier.
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

-- The current index entries that a record names, as from `collect`, and the end of its header.
local function current_entries(record)
    local one, several = {}, {}
    local count, at = take(COUNT, record, FIXED + WRITE * string.byte(record, COVERED) + 1)
    return one, several, collect(one, several, record, at, count) - 1
end

-- The checksum of a header: `covered` is everything after it up to the body of the document.
local function checksum(id, covered)
    return string.sub(redis.sha1hex(id .. '\0' .. covered), 1, COVERED - CHECKSUM)
end

-- The same as `current_entries`, but nil unless the value is the record of this request with an undamaged header.
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

-- The number and the write id of a record's revision.
local function revision_of(record)
    return string.sub(record, STATE, STATE + 7) .. string.sub(record, FIXED + 1, FIXED + WRITE_ID)
end

-- Whether an index entry belongs to this request. No other may be removed for it, whatever a header says.
local function is_entry_of(member, id)
    local after = 9 + #id
    return string.sub(member, 9, after - 1) == id and (#member < after or string.byte(member, after) == 0)
end
