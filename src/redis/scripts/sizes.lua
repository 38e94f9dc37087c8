-- Counts members of indexes, each within bounds.
--
-- KEYS  the indexes
-- ARGV  for each index its bounds, as ZLEXCOUNT takes them
-- Reply {sizes, first member of the first index or false}

local sizes = {}
for place, key in ipairs(KEYS) do
    local from, to = ARGV[2 * place - 1], ARGV[2 * place]
    if from == '-' and to == '+' then
        sizes[place] = redis.call('ZCARD', key)
    else
        sizes[place] = redis.call('ZLEXCOUNT', key, from, to)
    end
end
local first = redis.call('ZRANGE', KEYS[1], '-', '+', 'BYLEX', 'LIMIT', 0, 1)
return { sizes, first[1] or false }
