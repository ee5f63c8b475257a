#!lua
-- Gives a release its number: the one it has, or the next. Of those that begin with "~" only the newest is remembered.
-- The revision becomes the time, as in change-registry.lua.
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
local time = redis.call('TIME')
local revision = tonumber(redis.call('HGET', registry, 'revision') or '0')
revision = math.max(revision + 1, tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
redis.call('HSET', registry, field, number, 'revision', string.format('%.0f', revision))
return { 'NEW', number }
