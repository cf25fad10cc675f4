-- Counts a newcomer in the safety net of an on-sale that has one: the room shows from the one on who is too many.
-- INCLUDES net
local NET_SLACK_MS = 30000

local function newcomer(sale, line, now)
  if line.net_per_minute == 0 then return end -- whoever looked for an arrival has seen that there is none
  local found = net(sale, line, now)
  if found.per_minute == 0 then return end
  local until_ms = math.max(now, found.until_ms) + 60000 / found.per_minute
  local rests = not found.is_active and until_ms - now <= NET_SLACK_MS
  redis.call("HSET", sale, "net_until_ms", string.format("%.3f", until_ms), "net_rests", rests and 1 or 0)
end
