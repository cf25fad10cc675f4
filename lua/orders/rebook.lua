-- Sells an order whose holds have ended, its money being there: the same seats are held again and sold in one step,
-- if every one of them is open, or kept by a hold of this very order (for somebody who let it lapse, or by nobody
-- until it returns). Else nothing changes, and the money goes back.
--
-- KEYS  cell operation payment order outbox sale (performance index due)…
-- ARGV  epoch fingerprint owner payload wanted total terms
-- WHERE wanted: packed [{holds [id, …], seats [block, offset, …], areas [area, count, …], letters}, …], one a
--       performance; letters: of the allotments that it bought from;
--       terms: packed [limit, codes [code, count, most, …], mark, most], as of a hold; mark: see `bought`
-- REPLY confirmed: entry order sequence | taken: performance | limit: performance owned | code_used: code left
--       | payment_used: order | other_payload | unknown_performance | closed | fenced: epoch
-- INCLUDES gate recall step draft_all settle history remember draft codes own_holds bought write_order aside
-- FLAGS allow-oom
local cell, operation, payment, order, outbox, sale = unpack(KEYS)
local epoch, fingerprint, owner, payload, wanted, total, terms = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local paid_for = redis.call("GET", payment)
if paid_for and paid_for ~= order then return {"payment_used", paid_for} end
local step = step_of(cell, outbox, epoch)
local performances = draft_all(KEYS, 7, step, owner)
if not performances then return {"unknown_performance"} end

local limit, codes, mark, most = unpack(cmsgpack.unpack(terms))
local uses = {}
for number, part in ipairs(cmsgpack.unpack(wanted)) do
  local performance, holds, seats, areas, letters = performances[number], unpack(part)
  local places = {}
  local owned = performance.owned - own_holds(performance, holds, owner, places, uses)
  performance.sold_places, performance.buys = {}, #seats / 2
  for at = 1, #seats, 2 do
    local row = read_block(performance, seats[at])
    if not string.find(row, "^[o" .. (letters or "") .. "]", seats[at + 1] + 1) then return {"taken", number} end
    put(performance, seats[at], seats[at + 1], 1, "s")
  end
  for at = 1, #areas, 2 do
    local area = area_of(performance, areas[at])
    local back = (places[area] or 0) - areas[at + 1]
    if (tonumber(redis.call("HGET", performance.key, "a" .. area)) or 0) + back < 0 then return {"taken", number} end
    places[area], performance.sold_places[area] = back, (performance.sold_places[area] or 0) + areas[at + 1]
    performance.buys = performance.buys + areas[at + 1]
  end
  owned = owned + performance.buys
  if owned > limit then return {"limit", number, owned} end
  local bought = may_buy(performance, mark, most, performance.buys)
  if bought then return {"limit", number, bought} end
  performance.places, performance.fields = places, {"o" .. owner, owned}
end
local used_up = use_codes(cell, codes, uses)
if used_up then return used_up end

write_codes(cell, uses)
for _, performance in ipairs(performances) do
  end_own_holds(performance)
  for area, change in pairs(performance.places) do
    count_places(performance, area, change, performance.sold_places[area] or 0)
  end
  settle(performance)
  note_bought(performance, mark, performance.buys)
  tell(performance, "rebook", who_is(owner), performance.ended[1] or "")
end
local entry = write_order(sale, outbox, payment, order, payload, total, "order")
return remember(operation, fingerprint, 86400, {"confirmed", entry, order, numbered(step)})
