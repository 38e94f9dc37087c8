-- Counts members of indexes, each within bounds.
--
-- KEYS  the indexes
-- ARGV  for each index its bounds, as ZLEXCOUNT takes them
-- Reply {sizes, first member of the first index or false}
--       {'disordered', index}          a member's score is not 0, so bounds and order mean nothing

local function is_disordered(key)
    return redis.call('ZRANGE', key, '-inf', '(0', 'BYSCORE', 'LIMIT', '0', '1')[1]
        or redis.call('ZRANGE', key, '(0', '+inf', 'BYSCORE', 'LIMIT', '0', '1')[1]
end

local sizes = {}
for place, key in ipairs(KEYS) do
    local from, to = ARGV[2 * place - 1], ARGV[2 * place]
    local is_whole = from == '-' and to == '+'
    if (place == 1 or not is_whole) and is_disordered(key) then
        return { 'disordered', key }
    elseif is_whole then
        sizes[place] = redis.call('ZCARD', key)
    else
        sizes[place] = redis.call('ZLEXCOUNT', key, from, to)
    end
end
local first = redis.call('ZRANGE', KEYS[1], '-', '+', 'BYLEX', 'LIMIT', '0', '1')[1]
-- Anything longer than any valid member is no member.
return { sizes, first and #first <= 512 and first or false }
