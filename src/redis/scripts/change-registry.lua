#!lua
-- Applies a change to the registry, if nobody changed it since it was read. Revisions are times, in ms: where the registry went
-- back, none is given a second time.
--
-- The highest number that a generation of a view was given stays when the generation goes: `number:<view>`.
--
-- KEYS  1 registry (hash)
-- ARGV  1 the revision the change was made from   2 how many fields are put   then field text …, then fields to remove
-- Reply {'CHANGED', revision}
--       {'OTHER_REVISION', revision}   nothing was done: read again
--       an error of type WRONGTYPE where the key holds something else: nothing was done
local registry, puts = KEYS[1], tonumber(ARGV[2])
local revision = redis.call('HGET', registry, 'revision') or '0'
if revision ~= ARGV[1] then return { 'OTHER_REVISION', tonumber(revision) } end

for at = 3, 2 + puts * 2, 2 do
  redis.call('HSET', registry, ARGV[at], ARGV[at + 1])
  local view, number = string.match(ARGV[at], '^generation:(.*)#(%d+)$')
  if view and tonumber(number) > tonumber(redis.call('HGET', registry, 'number:' .. view) or '0') then
    redis.call('HSET', registry, 'number:' .. view, number)
  end
end
for at = 3 + puts * 2, #ARGV do redis.call('HDEL', registry, ARGV[at]) end
local time = redis.call('TIME')
revision = math.max(tonumber(revision) + 1, tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
redis.call('HSET', registry, 'revision', string.format('%.0f', revision))
return { 'CHANGED', revision }
