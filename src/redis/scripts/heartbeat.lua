#!lua
-- Records that time has passed in a stream that is silent: a heartbeat, anchored to its last entry. Only while that is the
-- last one, and only upward.
--
-- KEYS  1 stream   2 heartbeats (zset, scores 0: 'anchor clock', the parts of the anchor in 20 digits each, so that members
--       have the order of the ids)   3 silence (string: 'anchor since clock')
-- ARGV  1 anchor: the last id as the caller has read it, 0-0 of an empty stream
--       2 'moving': others of its source move   3 the clock to record
--       2 'silent': all are silent              3 the clock now
-- Reply {'RECORDED', clock}
--       {'SILENT'}                 the silence begins: it is written down, with the time of this Redis
--       {'NOT_HIGHER', clock}      there is a heartbeat as great
--       {'MOVED', last}            another entry is the last one by now
--       {'WRONG_TYPE', key, type}
--       {'MALFORMED', what}
--
-- In silence the clock goes on, from where it stood when the silence was first written down, by as much as has passed
-- since. So time passes in a log as fast as outside of it, and old events stay old.
local stream, heartbeats, silence = KEYS[1], KEYS[2], KEYS[3]
local anchor, mode, clock = ARGV[1], ARGV[2], tonumber(ARGV[3])

local types = {}
for place, expected in ipairs({ 'stream', 'zset', 'string' }) do
  types[place] = redis.call('TYPE', KEYS[place]).ok
  if types[place] ~= expected and types[place] ~= 'none' then return { 'WRONG_TYPE', KEYS[place], types[place] } end
end
local ms, sequence = string.match(anchor, '^(%d+)%-(%d+)$')
if not ms or #ms > 20 or #sequence > 20 then return { 'MALFORMED', 'the anchor is no id' } end
if not clock or (mode ~= 'moving' and mode ~= 'silent') then return { 'MALFORMED', 'unknown mode or clock' } end
local last = '0-0'
if types[1] == 'stream' then
  local info = redis.call('XINFO', 'STREAM', stream)
  for at = 1, #info, 2 do
    if info[at] == 'last-generated-id' then last = info[at + 1] end
  end
end
if last ~= anchor then return { 'MOVED', last } end

local padded = string.rep('0', 20 - #ms) .. ms .. '-' .. string.rep('0', 20 - #sequence) .. sequence
local known = redis.call('ZRANGEBYLEX', heartbeats, '[' .. padded .. ' ', '(' .. padded .. '!')[1]
local recorded = known and tonumber(string.sub(known, #padded + 2))
if mode == 'silent' then
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local of, since, from
  if types[3] == 'string' then of, since, from = string.match(redis.call('GET', silence), '^(%S+) (%S+) (%S+)$') end
  local reached = of == anchor and tonumber(from) + now - tonumber(since)
  if not reached or reached < clock then
    redis.call('SET', silence, string.format('%s %.0f %.0f', anchor, now, clock))
    return { 'SILENT' }
  end
  clock = reached
end
if recorded and recorded >= clock then return { 'NOT_HIGHER', string.format('%.0f', recorded) } end

if mode == 'moving' then redis.call('DEL', silence) end
-- What is anchored behind the last entry is of a log that was there before this one.
redis.call('ZREMRANGEBYLEX', heartbeats, '[' .. padded .. ' ', '+')
redis.call('ZADD', heartbeats, 0, padded .. string.format(' %.0f', clock))
return { 'RECORDED', string.format('%.0f', clock) }
