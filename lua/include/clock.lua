-- The one clock: Redis's own time, in whole milliseconds and in microseconds of the second.
-- INCLUDES
local function clock()
  local time = redis.call("TIME")
  local microseconds = tonumber(time[2])
  return time[1] * 1000 + math.floor(microseconds / 1000), microseconds
end
