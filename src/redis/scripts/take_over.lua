-- Stores the record of a request that this partition takes over from another, with its index entries. The feed has no entry of
-- it: nothing about the request changes.
--
-- KEYS  1 record   2 prefix of the partition's index keys (the index keys are built from it)   3 layout
-- ARGV  1 the record   2 the groups of all its index entries   3 the layout of the sender
--       4 only if the sender waits for a confirmation: '1', which changes nothing because each call writes
-- Reply {'taken'}   {'exists'} another record is stored there
--       {'layout', key, layout}   the partition records another layout
--       {'wrongtype', key, wanted, found} {'noperm', command, key}

local record, new = KEYS[1], ARGV[1]

local layout = ask('GETRANGE', KEYS[3], '0', '64')
if layout ~= ARGV[3] then
    return type_of(layout) == 'table' and rejection(layout, 'string', 'GETRANGE', KEYS[3], '0', '0')
        or { 'layout', KEYS[3], layout }
end
if not may('SET', record, '') then
    return { 'noperm', 'SET', record }
end
local existing = ask('GET', record)
if type_of(existing) == 'table' then
    return rejection(existing, 'string', 'GET', record)
elseif existing and existing ~= new then
    return { 'exists' }
end
local wrong = plan_groups(KEYS[2], ARGV[2], 1, nil, {}, {})
if wrong then
    return wrong
end
redis.call('SET', record, new)
carry_out('ZADD', 1, planned)
return { 'taken' }
