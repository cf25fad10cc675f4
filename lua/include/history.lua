-- Tells the outbox what became of a performance's seats and places since it was told last, in the same step as the
-- change itself: replayed in the order of the stream, that is every row at any instant. `put` and `count_places` note
-- the changes. Without an outbox nothing is told: a restoration is told by whoever restores.
-- INCLUDES step
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

-- Standing places: so many more of an area are open, so many more are sold. Written at once.
local function count_places(performance, area, open, sold)
  if open ~= 0 then redis.call("HINCRBY", performance.key, "a" .. area, open) end
  if sold ~= 0 then redis.call("HINCRBY", performance.key, "t" .. area, sold) end
  local moved = performance.moved
  local at = #moved
  moved[at + 1], moved[at + 2], moved[at + 3] = area, open, sold
end
