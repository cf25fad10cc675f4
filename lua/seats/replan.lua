-- Moves a performance to another plan while it is on sale, to new keys, and publishes that: whoever still has the old
-- plan finds nothing under the old keys. What is held, sold, blocked or set aside is so in its new place; holds, owners,
-- instants and versions go on. Refused as a whole where a seat that is held, sold or set aside has no place any more, or
-- an area has fewer places than are taken of it.
--
-- KEYS  cell operation outbox catalogue performance index due to_key to_index to_due
-- ARGV  epoch fingerprint name document action plan
-- WHERE name, document: the performance's, as it is published; plan: packed [blocks, categories, capacities, areas,
--       numbers, curve], see `places`
-- REPLY replanned: version sequence | missing: (block offset)… | full: (area)… | other_payload | unknown_performance
--       | closed | fenced: epoch
-- INCLUDES gate recall step draft sweep places move reindex history remember
-- FLAGS
local cell, operation, outbox, catalogue, key, index, due, to_key, to_index, to_due = unpack(KEYS)
local epoch, fingerprint, name, document, action, plan = unpack(ARGV)
local SWEPT, A_DAY_S, AT_ONCE = 1000, 86400, 4000

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local step = step_of(cell, outbox, epoch)
if is_quiet(cell, step.now) then return {"closed"} end
local performance = draft(key, index, due, step)
if not performance then return {"unknown_performance"} end
sweep(performance, SWEPT)

plan = cmsgpack.unpack(plan)
plan = {blocks = plan[1], categories = plan[2], capacities = plan[3], areas = plan[4], numbers = plan[5], curve = plan[6]}
local fields = fields_of(key)
local move = move_seats(fields, plan)
if #move.missing > 0 then return {"missing", unpack(move.missing, 1, math.min(#move.missing, AT_ONCE))} end
local full = {"full"}
for number, area in ipairs(plan.areas) do
  if fields["a" .. (number - 1)] + area[2] < 0 then full[#full + 1] = number - 1 end
end
if #full > 1 then return full end

local moved, flat = move_fields(move, fields), {}
local to = draft(key, to_index, to_due, step)
to.key, to.blocks, to.categories, to.open = to_key, moved.n, moved.k, 0
redis.call("UNLINK", to_key, to_index, to_due)
for number, described in ipairs(plan.blocks) do
  local block, changes = number - 1, {}
  local classes = string.match(described[1], " (%a+)$")
  local row = table.concat(move.letters, "", move.first[block] + 1, move.first[block] + #classes)
  reindex(changes, to, block, classes, string.rep("s", #row), row)
  if #changes > 0 then redis.call("BITFIELD", to_index, unpack(changes)) end
  moved["b" .. block], moved["c" .. block] = row, described[1]
  moved["g" .. block] = described[2] and cmsgpack.pack(described[2])
  to.rows[block], to.described[block] = string.rep("o", #row), described[1]
  to.open = to.open + #row
  local from = string.find(row, "[^o]")
  while from do
    local state = string.sub(row, from, from)
    local _, last = string.find(row, state .. "+", from)
    put(to, block, from - 1, last - from + 1, state)
    from = string.find(row, "[^o]", last + 1)
  end
end
moved.f, to.moved = to.open, moved_places(move, moved)
for each, value in pairs(moved) do
  local last = #flat
  flat[last + 1], flat[last + 2] = each, value
end
for first = 1, #flat, AT_ONCE do redis.call("HSET", to_key, unpack(flat, first, math.min(first + AT_ONCE - 1, #flat))) end
local ends = redis.call("ZRANGE", due, 0, -1, "WITHSCORES")
for at = 1, #ends, 2 do redis.call("ZADD", to_due, ends[at + 1], ends[at]) end
redis.call("UNLINK", key, index, due)

redis.call("HSET", catalogue, name, document)
redis.call("HINCRBY", cell, "catalogue", 1)
redis.call("XADD", outbox, "*", "kind", "document", "data", action, "name", name, "body", document)
local reply = {"replanned", moved.v, numbered(step)}
tell(to, "replan", "house", "")
return remember(operation, fingerprint, A_DAY_S, reply)
