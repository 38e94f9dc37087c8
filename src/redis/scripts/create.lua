-- Stores a new request with its index entries and its feed entry, or nothing.
--
-- KEYS  1 record   2 feed   3 prefix of the partition's index keys (the index keys are built from it)   4 layout
--       5 only if the request has a unique key: the permits of the partition
-- ARGV  1 feed length   2 id   3 revision number   4 status   5 decision kinds
--       6 the place of the first decision in the history   7 who made it   8 record
--       9 the groups of the other index entries: the lasting ones and those of decisions
--       10 most bytes of a record that is returned   11 the sender's layout
--       12 '1' if the sender waits for a confirmation   13 only with permits: the token of the permit, which it uses up
-- Reply {'created'}                    written
--       {'repeated', record}           a write with this id submitted the request before, with any intent; if the sender waits,
--                                      the record is written again unchanged
--       {'exists', record}             another write has submitted a request with this id
--       {'unreadable', value}          this script does not understand the stored record; only its size if it is over the
--                                      limit
--       {'unpermitted'}                there is no such permit
--       {'layout', key, layout}        the partition records another layout: the sender does not know its indexes
--       {'wrongtype', key, wanted, found} {'noperm', command, key}

local record, new = KEYS[1], ARGV[8]

local layout = ask('GETRANGE', KEYS[4], '0', '64')
if layout ~= ARGV[11] then
    return type_of(layout) == 'table' and rejection(layout, 'string', 'GETRANGE', KEYS[4], '0', '0')
        or { 'layout', KEYS[4], layout }
end
if not may('SET', record, '') then
    return { 'noperm', 'SET', record }
end
local size = ask('STRLEN', record)
if type_of(size) == 'table' then
    return rejection(size, 'string', 'STRLEN', record)
elseif size > tonumber(ARGV[10]) then
    return { 'unreadable', size }
end
local existing = ask('GET', record)
if type_of(existing) == 'table' then
    return rejection(existing, 'string', 'GET', record)
elseif existing then
    if not header_of(existing, ARGV[2]) then
        return { 'unreadable', existing }
    end
    local submission = FIXED + WRITE * (string.byte(existing, COVERED) - 1)
    local filed_by = string.sub(existing, submission + 1, submission + WRITE_ID)
    if filed_by ~= string.sub(new, FIXED + 1, FIXED + WRITE_ID) then
        return { 'exists', existing }
    end
    -- From Redis 7.2 on, a connection that has written nothing gets a confirmation at once.
    if ARGV[12] == '1' then
        redis.call('SET', record, existing)
    end
    return { 'repeated', existing }
end

local permits = KEYS[5]
local unpermitted = permits and permit_missing(permits, ARGV[2], ARGV[13])
if unpermitted then
    return unpermitted
end

local nothing = {}
local count, at = take(COUNT, new, FIXED + WRITE + 1)
local wrong = plan_groups(KEYS[3], new, at, count, nothing, nothing)
    or plan_groups(KEYS[3], ARGV[9], 1, nil, nothing, nothing)
    or announce(KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7])
if wrong then
    return wrong
end

redis.call('SET', record, new)
carry_out('ZADD', 1, planned)
if permits then
    redis.call('HDEL', permits, ARGV[2])
end
return { 'created' }
