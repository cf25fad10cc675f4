-- Where an on-sale and its line stand at this moment: read only, the same for everybody.
-- The seed of the draw leaves this function only once the draw has been made.
--
-- KEYS  sale live
-- ARGV
-- REPLY status: phase now_ms opens_at_ms now_serving joined rate cap entrants seed commitment message
--       admitted live orders takings prequeue_at_ms slowed_percent net_per_minute net_active fails | unknown_on_sale
-- INCLUDES clock advance net
-- FLAGS no-writes
local sale, live = KEYS[1], KEYS[2]

local now = clock()
local line = advance(sale, live, now)
if not line then return {"unknown_on_sale"} end

local more = redis.call("HMGET", sale, "seed", "commitment", "message", "admitted", "orders", "takings",
  "fails")
local safety_net = net(sale, line, now)
local is_drawn = line.phase ~= "scheduled" and line.phase ~= "prequeue" and line.mark_at_ms > 0
return {"status", line.phase, now, line.opens_at_ms, line.now_serving, line.joined, line.rate, line.cap,
  is_drawn and line.entrants or -1, is_drawn and more[1] or "", more[2] or "", more[3] or "",
  tonumber(more[4]) or 0, redis.call("ZCOUNT", live, "(" .. now, "+inf"), tonumber(more[5]) or 0,
  tonumber(more[6]) or 0, line.prequeue_at_ms, line.slowed_percent, safety_net.per_minute,
  safety_net.is_active and 1 or 0, more[7] or "closed"}
