#!lua flags=allow-oom
-- Writes down why a task does not go on, or takes it back.
--
-- KEYS  1 task (hash)
-- ARGV  1 epoch   2 nonce of the owner   3 the reason, or '' to take it back
-- Reply {'PARKED'}
--       {'UNPARKED'}
--       {'FENCED', owner, epoch}   another token is in force: nothing was done
local task = KEYS[1]
local epoch, nonce, owner = unpack(redis.call('HMGET', task, 'epoch', 'nonce', 'owner'))
if epoch ~= ARGV[1] or nonce ~= ARGV[2] then return { 'FENCED', owner or '', epoch or '0' } end

if ARGV[3] == '' then
  redis.call('HDEL', task, 'parked')
  return { 'UNPARKED' }
end
redis.call('HSET', task, 'parked', ARGV[3])
return { 'PARKED' }
