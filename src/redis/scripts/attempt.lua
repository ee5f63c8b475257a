#!lua flags=allow-oom
-- Writes down what the owner of a task is about to step, or that it survived that: what ended owners before, if anything did, was not this.
--
-- KEYS  1 task (hash)
-- ARGV  1 epoch   2 nonce of the owner   3 the attempt, or '' to take it back
-- Reply {'NOTED'}
--       {'FENCED', owner, epoch}   another token is in force: nothing was done
local task = KEYS[1]
local epoch, nonce, owner = unpack(redis.call('HMGET', task, 'epoch', 'nonce', 'owner'))
if epoch ~= ARGV[1] or nonce ~= ARGV[2] then return { 'FENCED', owner or '', epoch or '0' } end

if ARGV[3] == '' then
  redis.call('HDEL', task, 'attempt', 'grants')
else
  redis.call('HSET', task, 'attempt', ARGV[3])
end
return { 'NOTED' }
