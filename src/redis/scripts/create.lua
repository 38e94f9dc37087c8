-- Stores a new request with its index entries and its feed entry, or nothing.
--
-- KEYS  1 record   2 feed   3 prefix of the partition's index keys (the index keys are built from it)
-- ARGV  1 record   2 feed length   3 id   4 revision number   5 status   6 decision kinds
--       7 the groups of the other index entries: the lasting ones and those of decisions
-- Reply {'created'}                    written
--       {'exists', record}             the id is taken; the caller finds its own write id in the record, or not
--       {'unreadable', value}          what is stored is not a record this script understands
--       {'wrongtype', key, wanted, found} {'noperm', command, key}

local unwritable = write_refusal(KEYS[1], KEYS[2])
if unwritable then
    return unwritable
end
local existing = redis.pcall('GET', KEYS[1])
if type(existing) == 'table' and existing.err then
    return read_refusal(existing, 'string', 'GET', KEYS[1])
end
if existing then
    if not header_of(existing) then
        return { 'unreadable', existing }
    end
    return { 'exists', existing }
end

local added = {}
local count, at = counted(ARGV[1], FIXED + 16 + 1)
plan_groups(added, KEYS[3], ARGV[1], at, count)
plan_groups(added, KEYS[3], ARGV[7], 1)

local wrong = plan_refusal(added, 'ZADD', '0', '')
if wrong then
    return wrong
end

redis.call('SET', KEYS[1], ARGV[1])
carry_out('ZADD', added)
announce(KEYS[2], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
return { 'created' }
