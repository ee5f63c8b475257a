#!lua flags=allow-oom
-- Makes a worker the owner of a task if nobody took it meanwhile. Raises the epoch, so that earlier owners are fenced.
--
-- KEYS  1 task (hash)
-- ARGV  1 owner   2 the epoch at which the task was found free   3 nonce of the new token
--       4 what the task's state is made of, if nobody said it before; '' where it is claimed for something else
--       5 of which keys the generation of that definition is made
-- Reply {'CLAIMED', grants, attempt, definition, shape, parkedTick, tick, positions, frontier, rows, conflicts, errors, checksum, extra, clocks, late, commit}
--                                  attempt is nil where none was left, definition and shape where nobody said it, parkedTick where it was never
--                                  parked or has gone on since, tick before the first commit
--       {'TAKEN', epoch}           the epoch is another one: somebody was quicker
--       {'PARKED'}                 the task waits for a person
--       {'WRONG_TYPE', key, type}
local task = KEYS[1]
local found = redis.call('TYPE', task).ok
if found ~= 'hash' and found ~= 'none' then return { 'WRONG_TYPE', task, found } end
local epoch, grants, parked = unpack(redis.call('HMGET', task, 'epoch', 'grants', 'parked'))
if (epoch or '0') ~= ARGV[2] then return { 'TAKEN', epoch or '0' } end
if parked then return { 'PARKED' } end

grants = tonumber(grants or '0') + 1
redis.call('HSET', task, 'owner', ARGV[1], 'epoch', string.format('%.0f', tonumber(ARGV[2]) + 1), 'nonce', ARGV[3], 'grants', grants)
if ARGV[4] ~= '' then
  redis.call('HSETNX', task, 'definition', ARGV[4])
  if redis.call('HGET', task, 'definition') == ARGV[4] then redis.call('HSET', task, 'shape', ARGV[5]) end
end
return { 'CLAIMED', grants,
  unpack(redis.call('HMGET', task, 'attempt', 'definition', 'shape', 'parkedTick', 'tick', 'positions', 'frontier', 'rows', 'conflicts', 'errors', 'checksum', 'extra', 'clocks', 'late', 'commit')) }
