-- Stores requests that come from elsewhere, each with its index entries and a feed entry, unless something is stored under the
-- id. Of all that are added, all or none.
--
-- KEYS  1 feed   2 prefix of the partition's index keys (the index keys are built from it)   3 layout
--       then the records, of different requests; last, only if an open request has a unique key, which then is the only one:
--       the permits of the partition
-- ARGV  1 feed length   2 most bytes of a record that is returned   3 the sender's layout
--       then for each record: id, revision number, status, the record with all its remembered writes, and the groups of its
--       other index entries: the lasting ones and those of decisions
--       '1' if the sender waits for a confirmation; last, only with permits: the token of the permit, which it uses up
-- Reply {'imported', {for each record: 1 if it was added, else what is stored: only its size if it is over the limit}}
--       {'unpermitted'}                there is no such permit
--       {'layout', key, layout}        the partition records another layout: the sender does not know its indexes
--       {'wrongtype', key, wanted, found} {'noperm', command, key}

local FIRST_KEY, FIRST_ARGUMENT, EACH = 4, 4, 5

local layout = ask('GETRANGE', KEYS[3], '0', '64')
if layout ~= ARGV[3] then
    return type_of(layout) == 'table' and rejection(layout, 'string', 'GETRANGE', KEYS[3], '0', '0')
        or { 'layout', KEYS[3], layout }
end

local longest, nothing, results = tonumber(ARGV[2]), {}, {}
local count = math.floor((#ARGV - FIRST_ARGUMENT + 1) / EACH)
local last, rest = FIRST_KEY + count - 1, FIRST_ARGUMENT + EACH * count
local permits, waits = KEYS[last + 1], ARGV[rest] == '1'
for place = FIRST_KEY, last do
    local record, at = KEYS[place], FIRST_ARGUMENT + EACH * (place - FIRST_KEY)
    if not may('SET', record, '') then
        return { 'noperm', 'SET', record }
    end
    local size = ask('STRLEN', record)
    if type_of(size) == 'table' then
        return rejection(size, 'string', 'STRLEN', record)
    end
    local result = size
    if size <= longest then
        local existing = ask('GET', record)
        if type_of(existing) == 'table' then
            return rejection(existing, 'string', 'GET', record)
        end
        result = existing
    end
    if not result then
        local unpermitted = permits and permit_missing(permits, ARGV[at], ARGV[rest + 1])
        if unpermitted then
            return unpermitted
        end
        local new = ARGV[at + 3]
        local count, groups = take(COUNT, new, FIXED + WRITE * string.byte(new, COVERED) + 1)
        local wrong = plan_groups(KEYS[2], new, groups, count, nothing, nothing)
            or plan_groups(KEYS[2], ARGV[at + 4], 1, nil, nothing, nothing)
        if wrong then
            return wrong
        end
        result = 1
    end
    results[place - FIRST_KEY + 1] = result
end

-- The feed comes first: if its first entry can be added, so can the others, unless it reaches its last id among them. Then
-- entries are left that name requests that are not there.
for place = FIRST_KEY, last do
    local at = FIRST_ARGUMENT + EACH * (place - FIRST_KEY)
    if results[place - FIRST_KEY + 1] == 1 then
        local added = ask('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'id', ARGV[at], 'revision', ARGV[at + 1],
            'status', ARGV[at + 2], 'decisions', '', 'first', '', 'by', '', 'change', 'Imported')
        if type_of(added) == 'table' then
            return rejection(added, 'stream', 'XADD', KEYS[1], 'MAXLEN', '~', '1', '*', 'id', '')
        end
    end
end
for place = FIRST_KEY, last do
    local result = results[place - FIRST_KEY + 1]
    if result == 1 then
        redis.call('SET', KEYS[place], ARGV[FIRST_ARGUMENT + EACH * (place - FIRST_KEY) + 3])
    elseif waits and type_of(result) == 'string' then
        -- From Redis 7.2 on, a connection that has written nothing gets a confirmation at once.
        redis.call('SET', KEYS[place], result)
    end
end
carry_out('ZADD', 1, planned)
if permits and results[1] == 1 then
    redis.call('HDEL', permits, ARGV[FIRST_ARGUMENT])
end
return { 'imported', results }
