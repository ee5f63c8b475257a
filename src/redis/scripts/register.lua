#!lua
-- Gives a release its number: the one it has, or the next. Of those that begin with "~" only the newest is remembered.
--
-- KEYS  1 registry (hash)
-- ARGV  1 identity of the release
-- Reply {'KNOWN', number}
--       {'NEW', number}
--       an error of type WRONGTYPE where the key holds something else: nothing was done
local registry, field = KEYS[1], 'release:' .. ARGV[1]
local known = redis.call('HGET', registry, field)
if known then return { 'KNOWN', tonumber(known) } end

if string.sub(ARGV[1], 1, 1) == '~' then
  for _, other in ipairs(redis.call('HKEYS', registry)) do
    if string.sub(other, 1, 9) == 'release:~' then redis.call('HDEL', registry, other) end
  end
end
local number = redis.call('HINCRBY', registry, 'release', 1)
redis.call('HSET', registry, field, number)
redis.call('HINCRBY', registry, 'revision', 1)
return { 'NEW', number }
