#!lua
-- Appends entries to a stream, all or none, and remembers for a while what it answered.
--
-- KEYS  1 stream   2 memory of this idempotency key (string), if there is one
-- ARGV  1 how long to remember, ms   2 digest of what the key stands for   then for each entry: how many values follow, field value …
-- Reply {'APPENDED', 'id id …'}
--       {'REPEATED', 'id id …'}     this key had appended these entries before: nothing was done
--       {'REUSED'}                  this key belongs to other entries: nothing was done
--       {'WRONG_TYPE', key, type}
--       {'REFUSED', error}          the stream can take no further id
--       {'MALFORMED', what}
--
-- The memory is 'digest id id …', and 'digest ' as long as the key is only known: no entries came with it.
-- The first XADD is the last check: an id that cannot be given is refused before anything is written.
local SLICE = 7000
local stream, memory, size = KEYS[1], KEYS[2], #ARGV
local found = redis.call('TYPE', stream).ok
if found ~= 'stream' and found ~= 'none' then return { 'WRONG_TYPE', stream, found } end
if memory then
  found = redis.call('TYPE', memory).ok
  if found ~= 'string' and found ~= 'none' then return { 'WRONG_TYPE', memory, found } end
  if found == 'string' then
    local digest, ids = string.match(redis.call('GET', memory), '^(%S+) (.*)$')
    if digest ~= ARGV[2] then return { 'REUSED' } end
    if ids ~= '' or size == 2 then return { 'REPEATED', ids } end
  end
end
local at = 3
while at <= size do
  local count = tonumber(ARGV[at])
  if not count or count < 2 or count % 2 ~= 0 then return { 'MALFORMED', 'number of values at argument ' .. at } end
  if count > SLICE then return { 'MALFORMED', 'an entry has more than ' .. SLICE / 2 .. ' fields' } end
  at = at + 1 + count
end
if at ~= size + 1 then return { 'MALFORMED', 'the last entry is cut off' } end

local ids = {}
at = 3
while at <= size do
  local last = at + tonumber(ARGV[at])
  local id = redis.pcall('XADD', stream, '*', unpack(ARGV, at + 1, last))
  if type(id) == 'table' then return { 'REFUSED', id.err } end
  ids[#ids + 1] = id
  at = last + 1
end
ids = table.concat(ids, ' ')
if memory then redis.call('SET', memory, ARGV[2] .. ' ' .. ids, 'PX', ARGV[1]) end
return { 'APPENDED', ids }
