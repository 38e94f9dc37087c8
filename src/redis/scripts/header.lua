-- Shared by the scripts that read the header of a record, whose layout is in record.rs.

local FIXED, WRITE_ID = 24, 16

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
    local count, at = take(COUNT, record, FIXED + WRITE_ID * string.byte(record, 4) + 1)
    return one, several, collect(one, several, record, at, count) - 1
end

-- The same of a value that is a record this script understands; nil when it is none.
local function header_of(value)
    local is_ours = string.sub(value, 1, 3) == 'MR\1' and (string.byte(value, 4) or 0) > 0
    if not is_ours then
        return nil
    end
    local is_whole, one, several, last = pcall(current_entries, value)
    if is_whole then
        return one, several, last
    end
    return nil
end
