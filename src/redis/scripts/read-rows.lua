#!lua flags=no-writes
-- Reads rows of one partition and the record of the task: all of one commit.
--
-- KEYS  1 task (hash)   buckets: 2… buckets of rows (hash)   scan: 2 a bucket
--       keys: 2 blocks (zset), 3… buckets   index: 2 index (zset), 3… all buckets, in order
-- ARGV  'keys'      then for each bucket: how many keys follow, the keys
--       'buckets'
--       'scan'      then where to go on (0 to begin), about how many rows
--       'index'     then 1 if reversed, lower or (reversed) upper bound, other bound, limit
-- Reply {'ROWS', record, found}            keys: a text or nil for each key; buckets: key, text or block …
--       {'ROWS', record, found, {cursor}}  scan: the same, and where to go on; 0 at the end
--       {'ROWS', record, found, members}   index: key, text …, and the member each was found by
--       {'WRONG_TYPE', key, type}
--       {'MALFORMED', what}
-- The record holds tick, positions, frontier, rows, conflicts, errors, checksum, extra, clocks, late, commit.
--
-- A stored value is the text of the row that is shown, then what only the task needs, from a line feed on. A value
-- without such a text shows no row. A value that begins with 1 is a block: how many rows, then of each LF, key, LF, text.
local SLICE, FIELDS = 7000, 32
local mode, at = ARGV[1], 2
local first = (mode == 'index' or mode == 'keys') and 3 or 2

local function is_block(stored)
  return string.byte(stored) == 1
end

local function shown(stored)
  if not stored then return false end
  if is_block(stored) then return stored end
  local line = string.find(stored, '\n', 1, true)
  if line then stored = string.sub(stored, 1, line - 1) end
  return stored ~= '' and stored
end

local function in_block(block, key)
  local _, before = string.find(block, '\n' .. key .. '\n', 1, true)
  return before and string.match(block, '[^\n]*', before + 1)
end

-- A row is under its key, or in the block that begins before it.
local function row_of(bucket, key, stored)
  if not stored then
    local block = redis.call('ZREVRANGEBYLEX', KEYS[2], '(' .. key, '-', 'LIMIT', 0, 1)[1]
    stored = block and redis.call('HGET', bucket, block)
    if not stored or not is_block(stored) then return false end
  end
  if is_block(stored) then return in_block(stored, key) or false end
  return shown(stored)
end

local function other_type(key, expected)
  local found = redis.call('TYPE', key).ok
  return found ~= expected and found ~= 'none' and found
end

for place = 1, #KEYS do
  local expected = place == 2 and first == 3 and 'zset' or 'hash'
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
      for index = 1, #stored do found[#found + 1] = row_of(KEYS[place], ARGV[from + index - 1], stored[index]) end
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
  local cursor, rows, stored = ARGV[2], 0, nil
  repeat
    cursor, stored = unpack(redis.call('HSCAN', KEYS[2], cursor, 'COUNT', FIELDS))
    for index = 1, #stored, 2 do
      local text = shown(stored[index + 1])
      if text then
        found[#found + 1] = stored[index]
        found[#found + 1] = text
        rows = rows + (is_block(text) and tonumber(string.match(text, '%d+', 2)) or 1)
      end
    end
  until cursor == '0' or rows >= tonumber(ARGV[3])
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
