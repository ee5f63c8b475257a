#!lua flags=no-writes
-- Who said last that it is alive, where Redis takes no writes: nobody can say it again, so that what has run out says nothing.
--
-- KEYS  1 workers (hash: id → 'expires info')
-- ARGV  none
-- Reply as that of renew.lua
local time = redis.call('TIME')
local live = { 'LIVE', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) }
local known = redis.call('HGETALL', KEYS[1])
for at = 1, #known, 2 do
  local info = string.match(known[at + 1], '^%d+ (.*)$')
  if info then
    live[#live + 1] = known[at]
    live[#live + 1] = info
  end
end
return live
