#!lua flags=allow-oom
-- Deletes keys of a task, if the token is in force: who was paused since it claimed the task deletes nothing of what was
-- made there after it.
--
-- KEYS  1 task (hash)   2… what is to go; the task itself too, where it is named once more
-- ARGV  1 epoch   2 nonce of the owner
-- Reply {'UNLINKED', count}        how many of them there were
--       {'FENCED', owner, epoch}   another token is in force; owner is '' where the task is gone
--       an error of type WRONGTYPE where the task holds something else: nothing was done
local epoch, nonce, owner = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'nonce', 'owner'))
if epoch ~= ARGV[1] or nonce ~= ARGV[2] then return { 'FENCED', owner or '', epoch or '0' } end
return { 'UNLINKED', redis.call('UNLINK', unpack(KEYS, 2)) }
