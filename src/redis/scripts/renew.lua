#!lua flags=allow-oom
-- Says that a worker is alive for a while, by Redis's clock, and forgets those that are not any more.
--
-- KEYS  1 workers (hash: id → 'expires info')
-- ARGV  1 id of the worker   2 lease, ms; 0 renews nothing   3 info
-- Reply {'LIVE', now, id, info, id, info …}
--       an error of type WRONGTYPE where the key holds something else: nothing was done
local workers, lease = KEYS[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local known = redis.call('HGETALL', workers)

if lease > 0 then redis.call('HSET', workers, ARGV[1], string.format('%.0f %s', now + lease, ARGV[3])) end
local live = { 'LIVE', now }
for at = 1, #known, 2 do
  local id, expires, info = known[at], string.match(known[at + 1], '^(%d+) (.*)$')
  if id == ARGV[1] and lease > 0 then
    -- answered below, as it is now
  elseif expires and tonumber(expires) > now then
    live[#live + 1] = id
    live[#live + 1] = info
  else
    redis.call('HDEL', workers, id)
  end
end
if lease > 0 then
  live[#live + 1] = ARGV[1]
  live[#live + 1] = ARGV[3]
end
return live
