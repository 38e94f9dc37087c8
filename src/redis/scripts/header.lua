-- Shared by the scripts that write: reading the header of a record. Its layout is in record.rs.

local FIXED = 24
-- Of the write ids that were there before a write, the newest that stay; the one that filed the request stays as well.
local EARLIER_WRITE_IDS = 6

local function write_ids(record)
    return string.sub(record, FIXED + 1, FIXED + 16 * string.byte(record, 4))
end

-- How many writes ago the write with this id was made: 0 for the newest; nil when it is not among those remembered.
local function writes_since(record, write_id)
    local ids = write_ids(record)
    for at = 1, #ids, 16 do
        if string.sub(ids, at, at + 15) == write_id then
            return (at - 1) / 16
        end
    end
    return nil
end

-- Index entries stand in groups: 2 bytes of length and a member; 2 bytes, how many indexes hold it; and as many suffixes of
-- their keys, each behind 2 bytes of length. They are taken apart by struct.unpack, since walking through them byte by byte
-- costs more than the commands of a write.
local MEMBER_AND_COUNT, TEXT = '>Hc0H', '>Hc0'
local unpack_bytes = struct.unpack

-- Adds the entries of so many groups that stand at a place, or of all to the end, to { member = { suffix = true } }. Returns
-- where the next would begin. Raises an error when the bytes end before that.
local function collect(by_member, bytes, at, count)
    local member, suffixes, suffix
    while count and count > 0 or not count and at <= #bytes do
        member, suffixes, at = unpack_bytes(MEMBER_AND_COUNT, bytes, at)
        local found = by_member[member] or {}
        by_member[member] = found
        for _ = 1, suffixes do
            suffix, at = unpack_bytes(TEXT, bytes, at)
            found[suffix] = true
        end
        count = count and count - 1
    end
    return at
end

-- How many groups of current index entries stand at a place, and where the first of them begins.
local function counted(bytes, at)
    return unpack_bytes('>H', bytes, at)
end

-- The current index entries that a record names, by member, and where its header ends.
local function current_entries(record)
    local by_member = {}
    local count, at = counted(record, FIXED + 16 * string.byte(record, 4) + 1)
    return by_member, collect(by_member, record, at, count) - 1
end

-- The current index entries, by member, of a value that is a record this script understands, and where its header ends; nil
-- when it is none.
local function header_of(value)
    local is_ours = string.sub(value, 1, 3) == 'MR\1' and (string.byte(value, 4) or 0) > 0
    if not is_ours then
        return nil
    end
    local is_whole, by_member, last = pcall(current_entries, value)
    if is_whole then
        return by_member, last
    end
    return nil
end

-- Scores are all 0, and a text, which costs less than a number: members are ordered by their bytes.
local SCORE = '0'

-- Adds an entry to what is planned: for each suffix the arguments of a command on that index, which are its key, then the
-- score, if there is one, and the member, then those of the next member.
local function plan(planned, prefix, suffix, member, score)
    local arguments = planned[suffix]
    if not arguments then
        planned[suffix] = score and { prefix .. suffix, score, member } or { prefix .. suffix, member }
        return
    end
    if score then
        arguments[#arguments + 1] = score
    end
    arguments[#arguments + 1] = member
end

-- Plans to add the entries of so many groups that stand at a place, or of all to the end. Those in `known`, by member, are
-- taken out of it instead.
local function plan_groups(planned, prefix, bytes, at, count, known)
    local member, suffixes, suffix
    while count and count > 0 or not count and at <= #bytes do
        member, suffixes, at = unpack_bytes(MEMBER_AND_COUNT, bytes, at)
        local there = known and known[member]
        for _ = 1, suffixes do
            suffix, at = unpack_bytes(TEXT, bytes, at)
            if there and there[suffix] then
                there[suffix] = nil
            else
                plan(planned, prefix, suffix, member, SCORE)
            end
        end
        count = count and count - 1
    end
end

-- Whether the user may run this command: nil when so, else the answer to give. Asked before the first write, since a
-- command that is refused later would leave half of the writes done.
local function permission_refusal(command, key, ...)
    if redis.acl_check_cmd(command, key, ...) then
        return nil
    end
    return { 'noperm', command, key }
end

-- Whether a key is of the type the script needs, or absent: nil when it is, else the answer to give.
local function type_refusal(key, wanted)
    local found = redis.pcall('TYPE', key)
    if found.err then
        return permission_refusal('TYPE', key) or found
    elseif found.ok == wanted or found.ok == 'none' then
        return nil
    end
    return { 'wrongtype', key, wanted, found.ok }
end

-- The answer to give when a command that reads has failed with this error. Its permission is asked for only then, since
-- nothing was written before it.
local function read_refusal(failed, wanted, command, key, ...)
    return permission_refusal(command, key, ...) or type_refusal(key, wanted) or failed
end

-- Runs a command on a key, of which another type is nothing to fail of: its answer, or nil when the key is of another type.
local function ask_of_any_type(command, key, ...)
    local found = redis.pcall(command, key, ...)
    if type(found) ~= 'table' or not found.err then
        return found
    elseif string.sub(found.err, 1, 9) == 'WRONGTYPE' then
        return nil
    end
    error(found)
end

-- Whether what is planned can be done, by `command`: nil when it can, else the answer to give. ZCARD finds another type as
-- TYPE does, for less.
local function plan_refusal(planned, command, ...)
    local may, ask = redis.acl_check_cmd, redis.pcall
    for _, arguments in pairs(planned) do
        local key = arguments[1]
        if not may(command, key, ...) then
            return { 'noperm', command, key }
        end
        local size = ask('ZCARD', key)
        if type(size) == 'table' then
            return read_refusal(size, 'zset', 'ZCARD', key)
        end
    end
    return nil
end

-- Whether record and feed can be written: nil when they can, else the answer to give.
local function write_refusal(record, feed)
    return permission_refusal('SET', record, '')
        or permission_refusal('XADD', feed, 'MAXLEN', '~', '1', '*', 'id', '')
        or type_refusal(feed, 'stream')
end

-- Lua does not unpack a longer list at once. A multiple of 2, since ZADD takes pairs.
local MOST_UNPACKED = 2000

-- Runs a command on each index, with what is planned for it.
local function carry_out(command, planned)
    local call = redis.call
    for _, arguments in pairs(planned) do
        if #arguments <= MOST_UNPACKED then
            call(command, unpack(arguments))
        else
            for first = 2, #arguments, MOST_UNPACKED do
                local last = math.min(#arguments, first + MOST_UNPACKED - 1)
                call(command, arguments[1], unpack(arguments, first, last))
            end
        end
    end
end

local function announce(feed, longest, id, revision, status, kinds)
    redis.call('XADD', feed, 'MAXLEN', '~', longest, '*',
        'id', id, 'revision', revision, 'status', status, 'decisions', kinds)
end
