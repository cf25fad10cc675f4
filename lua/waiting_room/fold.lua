-- Keeps the trees over entrants as far as somebody has folded the outbox, recorded or not: a draw then needs only what
-- came since. Whoever folded from anywhere else than where it stands is told so, and folds again.
--
-- KEYS  cell folded
-- ARGV  epoch after through trees
-- WHERE after, through: the outbox entries, the first without itself, between which was folded; after: empty where
--       nothing was kept; trees: packed [<on_sale>/<line>, frontier, …] of the lines that grew, see checkpoint
-- REPLY folded | outrun: through | fenced: stored_epoch
-- INCLUDES fence
-- FLAGS allow-oom
local cell, folded = unpack(KEYS)
local epoch, after, through, trees = unpack(ARGV)

local refusal = fence(cell, epoch)
if refusal then return refusal end
local stands = redis.call("HGET", folded, "through") or ""
if stands ~= after then return {"outrun", stands} end

redis.call("HSET", folded, "through", through, unpack(cmsgpack.unpack(trees)))
return {"folded"}
