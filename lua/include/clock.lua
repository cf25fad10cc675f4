-- The one clock: Redis's own time, in whole milliseconds and in microseconds of the second.
-- INCLUDES
local function clock()
  local time = redis.call("TIME")
  return time[1] * 1000 + math.floor(time[2] / 1000), tonumber(time[2])
end
