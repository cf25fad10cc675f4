-- Keeps under how much pressure the cell is, as its keeper has measured, and slows its lines by so much. What a
-- keeper that sees more has said stays until that one takes it back, or has been silent for `lasts_ms`.
--
-- KEYS  cell (sale live)…
-- ARGV  epoch keeper level slowed_percent why lasts_ms
-- REPLY pressed: level | outdone: level | closed | fenced: epoch
-- INCLUDES clock gate turn pace door
-- FLAGS allow-oom
local cell = KEYS[1]
local epoch, keeper, why = ARGV[1], ARGV[2], ARGV[5]
local level, slowed_percent, lasts_ms = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[6])

local refusal = gate(cell, epoch)
if refusal then return refusal end
local now = clock()
local stored = redis.call("HMGET", cell, "level", "slowed_percent", "pressed_by", "pressed_until_ms", "why")
local level_before, slowed_before = tonumber(stored[1]) or 0, tonumber(stored[2]) or 0
local until_ms = tonumber(stored[4]) or 0
local is_milder = level < level_before or (level == level_before and slowed_percent < slowed_before)
if is_milder and stored[3] ~= keeper and now < until_ms then return {"outdone", level_before} end

local is_calm = level == 0 and slowed_percent == 0
local is_news = level ~= level_before or slowed_percent ~= slowed_before
if is_news or (not is_calm and until_ms - now < lasts_ms / 2) then
  redis.call("HSET", cell, "level", level, "slowed_percent", slowed_percent, "why", why, "pressed_by", keeper,
    "pressed_until_ms", now + lasts_ms)
end
for at = 2, #KEYS, 2 do
  local sale = KEYS[at]
  if (tonumber(redis.call("HGET", sale, "slowed_percent")) or 0) ~= slowed_percent then
    -- The line's clock is turned first, so that a new pace never reaches into the past; the part of a call that
    -- had come due by then is kept.
    local line = turn(sale, KEYS[at + 1], now)
    if line then
      turn_pace(line, now, line.rate, slowed_percent)
      redis.call("HSET", sale, "slowed_percent", slowed_percent, "is_held", 1,
        "served_at_ms", string.format("%.3f", line.served_at_ms), door_fields(line, now, 0))
    end
  end
end
return {"pressed", level}
