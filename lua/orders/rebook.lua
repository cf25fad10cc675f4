-- Sells an order whose holds have ended, its money being there: the same seats are held again and sold in one step,
-- if every one of them is open, or kept by a hold of this very order (for somebody who let it lapse, or by nobody
-- until it returns). Else nothing changes, and the money goes back.
--
-- KEYS  cell operation payment order outbox sale (performance index due)…
-- ARGV  epoch fingerprint owner payload wanted total limit
-- WHERE wanted: packed [{holds [id, …], seats [block, offset, …], areas [area, count, …]}, …], one a performance
-- REPLY confirmed: entry order sequence | taken: performance | limit: performance owned | payment_used: order
--       | other_payload | unknown_performance | closed | fenced: epoch
-- INCLUDES gate recall step draft_all settle history remember draft
-- FLAGS allow-oom
local cell, operation, payment, order, outbox, sale = unpack(KEYS)
local epoch, fingerprint, owner, payload, wanted, total, limit = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local paid_for = redis.call("GET", payment)
if paid_for and paid_for ~= order then return {"payment_used", paid_for} end
local step = step_of(cell, outbox, epoch)
local performances = draft_all(KEYS, 7, step)
if not performances then return {"unknown_performance"} end

for number, part in ipairs(cmsgpack.unpack(wanted)) do
  local performance, holds, seats, areas = performances[number], unpack(part)
  local places, owned = {}, tonumber(redis.call("HGET", performance.key, "o" .. owner)) or 0
  performance.ended = {}
  for _, hold in ipairs(holds) do
    local stored = redis.call("HGET", performance.key, "h" .. hold)
    local record = stored and cmsgpack.unpack(stored)
    if record and (record[1] == owner or record[1] == "") then
      performance.ended[#performance.ended + 1] = hold
      for at = 1, #record[3], 3 do
        read_block(performance, record[3][at])
        put(performance, record[3][at], record[3][at + 1], record[3][at + 2], "o")
        if record[1] == owner then owned = owned - record[3][at + 2] end
      end
      for at = 1, #record[4], 2 do
        places[record[4][at]] = (places[record[4][at]] or 0) + record[4][at + 1]
        if record[1] == owner then owned = owned - record[4][at + 1] end
      end
    end
  end
  for at = 1, #seats, 2 do
    local row = read_block(performance, seats[at])
    if string.sub(row, seats[at + 1] + 1, seats[at + 1] + 1) ~= "o" then return {"taken", number} end
    put(performance, seats[at], seats[at + 1], 1, "s")
  end
  performance.sold_places, owned = {}, owned + #seats / 2
  for at = 1, #areas, 2 do
    local back = (places[areas[at]] or 0) - areas[at + 1]
    if (tonumber(redis.call("HGET", performance.key, "a" .. areas[at])) or 0) + back < 0 then return {"taken", number} end
    places[areas[at]], performance.sold_places[areas[at]] = back, areas[at + 1]
    owned = owned + areas[at + 1]
  end
  if owned > tonumber(limit) then return {"limit", number, owned} end
  performance.places, performance.fields = places, {"o" .. owner, owned}
end

for _, performance in ipairs(performances) do
  for _, hold in ipairs(performance.ended) do
    redis.call("HDEL", performance.key, "h" .. hold)
    redis.call("ZREM", performance.due, hold)
  end
  for area, change in pairs(performance.places) do
    count_places(performance, area, change, performance.sold_places[area] or 0)
  end
  settle(performance)
  tell(performance, "rebook", who_is(owner), performance.ended[1] or "")
end
redis.call("HINCRBY", sale, "orders", 1)
redis.call("HINCRBY", sale, "takings", total)
local entry = redis.call("XADD", outbox, "*", "kind", "order", "data", payload)
redis.call("SET", payment, order, "EX", 86400)
redis.call("SET", order, cmsgpack.pack({"confirmed", entry, payload}), "EX", 86400)
return remember(operation, fingerprint, 86400, {"confirmed", entry, order, numbered(step)})
