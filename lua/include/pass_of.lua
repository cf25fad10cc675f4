-- A pass as the live set keeps it: its end in whole milliseconds, and in their fraction its generation, of 4096. Each
-- claim raises that, so that the pass of the device which claimed last is known from those it gave before.
-- INCLUDES
local GENERATIONS = 4096

-- When a member's pass ends (0: it has none), and its generation, or nil.
local function pass_of(live, member)
  local score = tonumber(redis.call("ZSCORE", live, member))
  if not score then return 0, nil end
  local expires_at_ms = math.floor(score)
  return expires_at_ms, (score - expires_at_ms) * GENERATIONS
end

-- The score of a pass. Text, for a number is written to fewer digits than it has.
local function score_of(expires_at_ms, generation)
  return string.format("%.12f", expires_at_ms + generation / GENERATIONS)
end

-- The member that a place names, and whether another device has gone on with it since: a place is "member generation", or
-- "member" where nobody asks whose pass it is.
local function find_pass(live, place)
  local member, generation = string.match(place, "^(%S+) ?(%d*)$")
  local expires_at_ms, newest = pass_of(live, member)
  return member, expires_at_ms, generation ~= "" and newest ~= nil and newest ~= tonumber(generation)
end
