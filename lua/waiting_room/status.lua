-- Where an on-sale and its lines stand at this moment: read only, the same for everybody.
--
-- KEYS  sale live
-- ARGV
-- REPLY status: phase now_ms opens_at_ms now_serving joined rate cap draw message admitted
--       live orders takings prequeue_at_ms slowed_percent net_per_minute net_active fails
--       why rates draining stopped leaps lines | unknown_on_sale
-- WHERE why: see `pace`; leaps: see there; lines: those beside the public one, each [name, phase, share, prequeue_at_ms, opens_at_ms, closes_at_ms,
--       now_serving, joined, draw, leaps]
-- INCLUDES clock advance lines pace net drawn
-- FLAGS no-writes
local sale, live = KEYS[1], KEYS[2]

local now = clock()
local line = advance(sale, live, now)
if not line then return {"unknown_on_sale"} end

local more = redis.call("HMGET", sale, "message", "admitted", "orders", "takings", "fails")
local safety_net = net(sale, line, now)
local lines = {}
for at, other in ipairs(line.others) do
  lines[at] = {other.name, phase_of(line, other, now), other.share, other.prequeue_at_ms, other.opens_at_ms,
    other.closes_at_ms, other.now_serving, other.joined, drawn(sale, other.name, other), other.leaps or ""}
end
return {"status", line.phase, now, line.opens_at_ms, line.now_serving, line.joined, line.rate, line.cap,
  drawn(sale, "public", line), more[1] or "", tonumber(more[2]) or 0,
  line.inside, tonumber(more[3]) or 0, tonumber(more[4]) or 0, line.prequeue_at_ms,
  line.slowed_percent, safety_net.per_minute, safety_net.is_active and 1 or 0, more[5] or "closed",
  why_slower(line, now), line.rates, line.draining, line.stopped, line.leaps or "", lines}
