#!lua flags=allow-oom
-- Writes down why a task does not go on, and when that was by the time of this server; or that it goes on.
--
-- KEYS  1 task (hash)
-- ARGV  1 epoch   2 nonce of the owner   3 the reason as a JSON object, or '' where it goes on
-- Reply {'PARKED'}
--       {'UNPARKED'}
--       {'FENCED', owner, epoch}   another token is in force: nothing was done
--
-- Who is parked again without a commit in between has been for as long as nothing comes of it, whoever tried meanwhile.
local task = KEYS[1]
local epoch, nonce, owner, tick, since, since_tick =
  unpack(redis.call('HMGET', task, 'epoch', 'nonce', 'owner', 'tick', 'parkedSince', 'parkedTick'))
if epoch ~= ARGV[1] or nonce ~= ARGV[2] then return { 'FENCED', owner or '', epoch or '0' } end

if ARGV[3] == '' then
  redis.call('HDEL', task, 'parked', 'parkedSince', 'parkedTick')
  return { 'UNPARKED' }
end
local reason = cjson.decode(ARGV[3])
local time = redis.call('TIME')
reason.at = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
tick = tick or '0'
if since_tick == tick then reason.since = tonumber(since) else since = string.format('%.0f', reason.at) end
redis.call('HSET', task, 'parked', cjson.encode(reason), 'parkedSince', since, 'parkedTick', tick)
return { 'PARKED' }
