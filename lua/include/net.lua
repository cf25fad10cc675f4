-- An on-sale's safety net: its room rests, and who comes goes straight in, until newcomers are more than
-- `net_per_minute` and half a minute's worth beyond. Then the room shows, until they have been fewer for long enough to
-- make up for that, and nobody waits: nobody is overtaken. Before the opening and in a pause it always shows.
-- `net_until_ms`: when the newcomers so far would all have come, one after the other at that pace; at most a minute
-- ahead: after a long rush the room would show for hours.
-- INCLUDES
local NET_DEEPEST_MS = 60000

local function net(sale, line, now)
  local values = redis.call("HMGET", sale, "net_per_minute", "net_until_ms", "net_rests")
  local per_minute = tonumber(values[1]) or 0
  if per_minute == 0 then return {per_minute = 0, is_active = true} end
  local until_ms = math.min(tonumber(values[2]) or 0, now + NET_DEEPEST_MS)
  local has_ended = line.phase == "sold_out" or line.phase == "closed"
  local is_calm = until_ms <= now and (line.joined <= line.now_serving or has_ended)
  local rests = (line.phase == "open" or has_ended) and (values[3] == "1" or is_calm)
  return {per_minute = per_minute, until_ms = until_ms, is_active = not rests}
end
