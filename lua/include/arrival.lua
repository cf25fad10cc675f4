-- An on-sale's room for whoever arrives. While others wait, or it is still to open, an arrival changes nothing but the
-- count: who claims, and the keeper twice a second, calls those whose turn it is. Then what pace, turns and passes need is
-- not read, which is half of what an arrival costs. Whoever comes to an empty line turns the clock: what an idle line
-- could not use is not saved up. nil for an unknown on-sale.
-- INCLUDES turn
local ARRIVAL_FIELDS = {"phase", "lines", "fair_window_ms", "net_per_minute", "prequeue_at_ms", "opens_at_ms", "joined",
  "now_serving"}
local NOBODY_ELSE = {}

local function room_for(sale, live, now)
  local phase, lines, windows, net_per_minute, prequeue_at_ms, opens_at_ms, joined, now_serving =
    unpack(redis.call("HMGET", sale, unpack(ARRIVAL_FIELDS)))
  if lines or windows or (tonumber(net_per_minute) or 0) > 0 then return turn(sale, live, now) end
  opens_at_ms, joined, now_serving = tonumber(opens_at_ms) or 0, tonumber(joined) or 0, tonumber(now_serving) or 0
  local is_still = phase == "prequeue" and now < opens_at_ms or phase == "open" and joined > now_serving
  if not is_still then return turn(sale, live, now) end
  return {name = "public", phase = phase, prequeue_at_ms = tonumber(prequeue_at_ms) or 0, opens_at_ms = opens_at_ms,
    net_per_minute = 0, fair_window_ms = 0, joined = joined, now_serving = now_serving, mark_at_ms = phase == "open" and 1 or 0, others = NOBODY_ELSE}
end
