-- For what prepares a cell before its gate opens: the caller must know the cell's stored epoch.
-- Answers nil when it does, else the refusal to return.
-- INCLUDES
local function fence(cell, epoch)
  local stored = redis.call("HGET", cell, "epoch") or "0"
  if stored == epoch then return nil end
  return {"fenced", stored}
end
