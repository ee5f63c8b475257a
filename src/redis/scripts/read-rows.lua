#!lua flags=no-writes
-- Reads rows of one partition and the record of the task: all of one commit.
--
-- KEYS  1 task (hash)   keys, buckets: 2… buckets of rows (hash)   scan: 2 a bucket   index: 2 index (zset), 3… all buckets, in order
-- ARGV  'keys'      then for each bucket: how many keys follow, the keys
--       'buckets'
--       'scan'      then where to go on (0 to begin), about how many rows
--       'index'     then 1 if reversed, lower or (reversed) upper bound, other bound, limit
-- Reply {'ROWS', record, found}            keys: a text or nil for each key; buckets: key, text …
--       {'ROWS', record, found, {cursor}}  scan: key, text …, and where to go on; 0 at the end
--       {'ROWS', record, found, members}   index: key, text …, and the member each was found by
--       {'WRONG_TYPE', key, type}
--       {'MALFORMED', what}
-- The record holds tick, positions, frontier, rows, conflicts, errors, checksum, extra, clocks, late, commit.
--
-- A stored value is the text of the row that is shown, then what only the task needs, from a line feed on. A value
-- without such a text shows no row.
local SLICE = 7000
local mode, at = ARGV[1], 2
local first = mode == 'index' and 3 or 2

local function shown(stored)
  if not stored then return false end
  local line = string.find(stored, '\n', 1, true)
  if line then stored = string.sub(stored, 1, line - 1) end
  return stored ~= '' and stored
end

local function other_type(key, expected)
  local found = redis.call('TYPE', key).ok
  return found ~= expected and found ~= 'none' and found
end

for place = 1, #KEYS do
  local expected = place == 2 and mode == 'index' and 'zset' or 'hash'
  local found = other_type(KEYS[place], expected)
  if found then return { 'WRONG_TYPE', KEYS[place], found } end
end
local record = redis.call('HMGET', KEYS[1], 'tick', 'positions', 'frontier', 'rows', 'conflicts', 'errors', 'checksum', 'extra', 'clocks', 'late', 'commit')
local found = {}

if mode == 'keys' then
  for place = first, #KEYS do
    local count = tonumber(ARGV[at])
    if not count or at + count > #ARGV then return { 'MALFORMED', 'the keys of bucket ' .. place - first .. ' are cut off' } end
    for from = at + 1, at + count, SLICE do
      local stored = redis.call('HMGET', KEYS[place], unpack(ARGV, from, math.min(from + SLICE - 1, at + count)))
      for index = 1, #stored do found[#found + 1] = shown(stored[index]) end
    end
    at = at + 1 + count
  end
  return { 'ROWS', record, found }
end

if mode == 'buckets' then
  for place = first, #KEYS do
    local stored = redis.call('HGETALL', KEYS[place])
    for index = 1, #stored, 2 do
      local text = shown(stored[index + 1])
      if text then
        found[#found + 1] = stored[index]
        found[#found + 1] = text
      end
    end
  end
  return { 'ROWS', record, found }
end

if mode == 'scan' then
  if #KEYS ~= 2 or #ARGV ~= 3 then return { 'MALFORMED', 'a scan is of one bucket' } end
  local cursor, stored = unpack(redis.call('HSCAN', KEYS[2], ARGV[2], 'COUNT', ARGV[3]))
  for index = 1, #stored, 2 do
    local text = shown(stored[index + 1])
    if text then
      found[#found + 1] = stored[index]
      found[#found + 1] = text
    end
  end
  return { 'ROWS', record, found, { cursor } }
end

if mode ~= 'index' or #ARGV ~= 5 then return { 'MALFORMED', 'unknown mode or bounds' } end
local range = ARGV[2] == '1' and 'ZREVRANGEBYLEX' or 'ZRANGEBYLEX'
local members = {}
for _, member in ipairs(redis.call(range, KEYS[2], ARGV[3], ARGV[4], 'LIMIT', 0, ARGV[5])) do
  -- order text, NUL, bucket, NUL, key without NUL
  local bucket, key = string.match(member, '%z(%d+)%z([^%z]*)$')
  if not bucket or not KEYS[first + tonumber(bucket)] then return { 'MALFORMED', 'a member of the index names no bucket' } end
  key = string.gsub(key, '\1([01])', function(digit) return digit == '0' and '\0' or '\1' end)
  local text = shown(redis.call('HGET', KEYS[first + tonumber(bucket)], key))
  if text then
    found[#found + 1] = key
    found[#found + 1] = text
    members[#members + 1] = member
  end
end
return { 'ROWS', record, found, members }
