#!lua flags=allow-oom
-- Gives a task up. The epoch stays, so that the next token is another one; a task given up properly has nothing to explain.
--
-- KEYS  1 task (hash)
-- ARGV  1 epoch   2 nonce of the owner
-- Reply {'RELEASED'}
--       {'FENCED', owner, epoch}   another token is in force: nothing was done
local task = KEYS[1]
local epoch, nonce, owner = unpack(redis.call('HMGET', task, 'epoch', 'nonce', 'owner'))
if epoch ~= ARGV[1] or nonce ~= ARGV[2] then return { 'FENCED', owner or '', epoch or '0' } end

redis.call('HDEL', task, 'owner', 'nonce', 'grants', 'attempt')
return { 'RELEASED' }
