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

-- The current index entries of a record, as a list of { suffix, member }, and where the header ends. Raises an error
-- when the header does not end within the record.
local function current_entries(record)
    local at = FIXED + 16 * string.byte(record, 4) + 1
    local function number()
        at = at + 2
        return struct.unpack('>I2', record, at - 2)
    end
    local function text()
        local length = number()
        at = at + length
        if at > #record + 1 then
            error('cut off')
        end
        return string.sub(record, at - length, at - 1)
    end
    local entries = {}
    for _ = 1, number() do
        local member = text()
        for _ = 1, number() do
            entries[#entries + 1] = { text(), member }
        end
    end
    return entries, at - 1
end

-- Whether a value is a record this script understands: nil when it is, else the answer to give. What is wrong with it
-- is for the client to say, who reads it anyway.
local function refusal(record)
    local is_ours = string.sub(record, 1, 3) == 'MR\1' and (string.byte(record, 4) or 0) > 0
    if is_ours and pcall(current_entries, record) then
        return nil
    end
    return { 'unreadable', record }
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

-- Whether index entries can be added or removed, by `command`: nil when they can, else the answer to give.
local function entries_refusal(prefix, entries, command, ...)
    for _, entry in ipairs(entries) do
        local key = prefix .. entry[1]
        local refused = permission_refusal(command, key, ...) or type_refusal(key, 'zset')
        if refused then
            return refused
        end
    end
    return nil
end

-- Whether record and feed can be written: nil when they can, else the answer to give.
local function write_refusal(record, feed)
    return permission_refusal('GET', record)
        or permission_refusal('TYPE', record)
        or permission_refusal('SET', record, '')
        or permission_refusal('XADD', feed, 'MAXLEN', '~', '1', '*', 'id', '')
        or type_refusal(feed, 'stream')
end

-- Adds and removes index entries. Scores are all 0: members are ordered by their bytes.
local function add(prefix, entry)
    redis.call('ZADD', prefix .. entry[1], 0, entry[2])
end

local function remove(prefix, entry)
    redis.call('ZREM', prefix .. entry[1], entry[2])
end

-- Adds a feed entry. Of the decision kinds, separated by commas, it names those behind the first `known`.
local function announce(feed, longest, id, revision, status, kinds, known)
    local new = {}
    local place = 0
    for kind in string.gmatch(kinds, '[^,]+') do
        place = place + 1
        if place > known then
            new[#new + 1] = kind
        end
    end
    redis.call('XADD', feed, 'MAXLEN', '~', longest, '*',
        'id', id, 'revision', revision, 'status', status, 'decisions', table.concat(new, ','))
end
