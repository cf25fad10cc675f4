-- Tells the outbox what became of a performance's seats and places since it was told last, in the same step as the
-- change itself: replayed in the order of the stream, that is every row at any instant. `put` and `count_places` note
-- the changes. Without an outbox nothing is told: a restoration is told by whoever restores.
-- INCLUDES draft step
local function who_is(owner)
  if owner == "" then return "clock" end
  return string.sub(owner, 1, 4) == "key:" and "staff" or "visitor"
end

local function tell(performance, verb, who, hold)
  local step = performance.step
  if step.outbox then
    redis.call("XADD", step.outbox, "*", "kind", "seats", "data", cmsgpack.pack({performance.key, numbered(step),
      step.epoch, step.now, verb, who, hold, performance.changes, performance.moved}))
  end
  performance.changes, performance.moved = {}, {}
end
