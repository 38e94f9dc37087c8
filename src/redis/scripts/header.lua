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

local function number(bytes, at)
    local high, low = string.byte(bytes, at, at + 1)
    return high * 256 + low
end

-- Where the text at a place ends: 2 bytes of length, then the text. Raises an error when the bytes end before it.
local function end_of_text(bytes, at)
    local last = at + 1 + number(bytes, at)
    if last > #bytes then
        error('cut off')
    end
    return last
end

-- So many groups of index entries that stand at a place, or all to the end, each as its bytes: a member and the suffixes
-- of the indexes that hold it. And the last byte of the last of them. Raises an error when the bytes end before that.
local function groups_at(bytes, at, count)
    local groups = {}
    while #groups < (count or math.huge) and (count or at <= #bytes) do
        local first = at
        at = end_of_text(bytes, at) + 1
        local suffixes = number(bytes, at)
        at = at + 2
        for _ = 1, suffixes do
            at = end_of_text(bytes, at) + 1
        end
        groups[#groups + 1] = string.sub(bytes, first, at - 1)
    end
    return groups, at - 1
end

-- The groups of current index entries of a record, and where its header ends.
local function current_groups(record)
    local at = FIXED + 16 * string.byte(record, 4) + 1
    return groups_at(record, at + 2, number(record, at))
end

-- Adds the entries of a group to members by suffix: { suffix = { member = true } }.
local function add_entries(group, entries)
    local last = end_of_text(group, 1)
    local member = string.sub(group, 3, last)
    local at = last + 3
    while at < #group do
        last = end_of_text(group, at)
        local suffix = string.sub(group, at + 2, last)
        local members = entries[suffix]
        if members then
            members[member] = true
        else
            entries[suffix] = { [member] = true }
        end
        at = last + 1
    end
end

local function entries_of(groups)
    local entries = {}
    for _, group in ipairs(groups) do
        add_entries(group, entries)
    end
    return entries
end

-- The groups of a value that is a record this script understands, and where its header ends; nil when it is none.
local function header_of(value)
    local is_ours = string.sub(value, 1, 3) == 'MR\1' and (string.byte(value, 4) or 0) > 0
    if not is_ours then
        return nil
    end
    local is_whole, groups, last = pcall(current_groups, value)
    if is_whole then
        return groups, last
    end
    return nil
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
    local found = redis.call('TYPE', key).ok
    if found == wanted or found == 'none' then
        return nil
    end
    return { 'wrongtype', key, wanted, found }
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

-- Whether index entries can be added or removed, by `command`: nil when they can, else the answer to give. ZCARD finds
-- another type as TYPE does, for less.
local function entries_refusal(prefix, entries, command, ...)
    for suffix in pairs(entries) do
        local key = prefix .. suffix
        local refused = permission_refusal(command, key, ...)
        if refused then
            return refused
        end
        local size = redis.pcall('ZCARD', key)
        if type(size) == 'table' then
            return type_refusal(key, 'zset') or size
        end
    end
    return nil
end

-- Whether record and feed can be written: nil when they can, else the answer to give.
local function write_refusal(record, feed)
    return permission_refusal('GET', record)
        or permission_refusal('GETRANGE', record, '0', '0')
        or permission_refusal('TYPE', record)
        or permission_refusal('ZCARD', record)
        or permission_refusal('SET', record, '')
        or permission_refusal('XADD', feed, 'MAXLEN', '~', '1', '*', 'id', '')
        or type_refusal(feed, 'stream')
end

-- Lua does not unpack a longer list at once. A multiple of 2, since ZADD takes pairs.
local MOST_UNPACKED = 2000

-- Runs a command on each index, with its members and what goes before each of them.
local function for_members(command, prefix, entries, before)
    for suffix, members in pairs(entries) do
        local list = {}
        for member in pairs(members) do
            if before then
                list[#list + 1] = before
            end
            list[#list + 1] = member
        end
        for first = 1, #list, MOST_UNPACKED do
            redis.call(command, prefix .. suffix, unpack(list, first, math.min(#list, first + MOST_UNPACKED - 1)))
        end
    end
end

-- Adds and removes index entries. Scores are all 0, and a text, which costs less than a number: members are ordered by
-- their bytes.
local function add(prefix, entries)
    for_members('ZADD', prefix, entries, '0')
end

local function remove(prefix, entries)
    for_members('ZREM', prefix, entries)
end

local function announce(feed, longest, id, revision, status, kinds)
    redis.call('XADD', feed, 'MAXLEN', '~', longest, '*',
        'id', id, 'revision', revision, 'status', status, 'decisions', kinds)
end
