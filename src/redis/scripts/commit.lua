#!lua
-- Stores one tick of a task: state, rows, indexes, changelog, positions and record. All of it or nothing.
--
-- KEYS  1 task (hash)   2 readers   3 subscribed   4 changes (stream)   5… the keys of state that change
-- ARGV  1 epoch   2 nonce of the owner   3 tick   4 nonce of the commit
--       5 positions it started from   6 positions   7 frontier   8 rows   9 conflicts   10 errors   11 checksum   12 extra
--       13 clocks   14 late   15 1 if there is a changelog entry   16 the entry   17 the tick from which the changelog is kept
--       18 nonce of the commit it follows
--       then for each change: index of the key, S | D | Z | R | X, how many arguments follow, the arguments
--         S  HSET  field value …     D  HDEL  field …     Z  ZADD  0 member …     R  ZREM  member …
--         X  XADD  id, id of the first entry that is kept, text
-- Reply {'COMMITTED'}               it is done
--       {'ALREADY'}                 this very commit was done before
--       {'FENCED', owner, epoch}    another token is in force
--       {'DIVERGED', tick}          the store is at this tick or a later one, at another commit, or at other positions
--       {'BROKE_OFF'}               a commit before this one came to no end: what is stored is of no tick
--       {'WANTS_CHANGELOG'}         somebody reads the changelog, and there is no entry
--       {'WRONG_TYPE', key, type}   a key holds something else
--       {'MALFORMED', what}         the arguments do not add up, or the entry's id does not rise
--
-- An error of a script takes nothing back: the first half finds all that could fail, the second only writes. The entry
-- of the changelog is the first write, so that an id that does not rise leaves nothing behind. The nonce of the commit before is
-- taken away next, and the new one written last: should a write in between fail all the same (a command that the user may not
-- run), whoever comes next finds none.
local HEADER, SLICE = 18, 7000
local COMMAND = { S = 'HSET', D = 'HDEL', Z = 'ZADD', R = 'ZREM', X = 'XADD' }
local TYPE = { S = 'hash', D = 'hash', Z = 'zset', R = 'zset', X = 'stream' }
local PAIRS = { S = true, Z = true }
local call, argv, keys, size = redis.call, ARGV, KEYS, #ARGV
local task, changes = keys[1], keys[4]

local function other_type(key, expected)
  local found = call('TYPE', key).ok
  return found ~= expected and found ~= 'none' and found
end

local found = other_type(task, 'hash')
if found then return { 'WRONG_TYPE', task, found } end
local epoch, nonce, tick, commit, positions, owner =
  unpack(call('HMGET', task, 'epoch', 'nonce', 'tick', 'commit', 'positions', 'owner'))
if epoch ~= argv[1] or nonce ~= argv[2] then return { 'FENCED', owner or '', epoch or '0' } end
if tick == argv[3] and commit == argv[4] then return { 'ALREADY' } end
if commit == '' then return { 'BROKE_OFF' } end
if tonumber(tick or '0') >= tonumber(argv[3]) or (commit or '') ~= argv[18] or (positions and positions ~= argv[5]) then
  return { 'DIVERGED', tick or '0' }
end
local logged = argv[15] == '1'
if not logged and call('EXISTS', keys[2], keys[3]) > 0 then return { 'WANTS_CHANGELOG' } end
found = other_type(changes, 'stream')
if found then return { 'WRONG_TYPE', changes, found } end
local at = HEADER + 1
while at <= size do
  local key, operation, count = keys[tonumber(argv[at])], argv[at + 1], tonumber(argv[at + 2])
  if not key or not TYPE[operation] or not count or count < 1 then return { 'MALFORMED', 'change at argument ' .. at } end
  if PAIRS[operation] and count % 2 ~= 0 then return { 'MALFORMED', 'odd number of values at argument ' .. at } end
  found = other_type(key, TYPE[operation])
  if found then return { 'WRONG_TYPE', key, found } end
  if operation == 'X' then
    if count ~= 3 then return { 'MALFORMED', 'an entry with ' .. count .. ' parts' } end
    if #call('XRANGE', key, argv[at + 3], '+', 'COUNT', 1) > 0 then return { 'MALFORMED', 'an entry that does not rise' } end
  end
  at = at + 3 + count
end
if at ~= size + 1 then return { 'MALFORMED', 'the last change is cut off' } end

if logged then
  local added = redis.pcall('XADD', changes, argv[3] .. '-0', 'c', argv[16])
  if type(added) == 'table' and added.err then return { 'MALFORMED', added.err } end
  call('HSET', task, 'commit', '')
  call('XTRIM', changes, 'MINID', '~', argv[17] .. '-0')
else
  call('HSET', task, 'commit', '')
end
at = HEADER + 1
while at <= size do
  local key, command, count = keys[tonumber(argv[at])], COMMAND[argv[at + 1]], tonumber(argv[at + 2])
  local last = at + 2 + count
  if command == 'XADD' then
    call(command, key, 'MINID', '~', argv[at + 4], argv[at + 3], 'c', argv[at + 5])
  else
    for from = at + 3, last, SLICE do
      call(command, key, unpack(argv, from, math.min(from + SLICE - 1, last)))
    end
  end
  at = last + 1
end
call('HSET', task, 'tick', argv[3], 'commit', argv[4], 'grants', '0', 'positions', argv[6], 'frontier', argv[7],
  'rows', argv[8], 'conflicts', argv[9], 'errors', argv[10], 'checksum', argv[11], 'extra', argv[12],
  'clocks', argv[13], 'late', argv[14])
return { 'COMMITTED' }
