-- Turns a performance's clock: ends at most `limit` holds that are due, and releases what is due of what is set aside.
-- Answers how many holds it were.
-- INCLUDES free_hold settle release_due
local function sweep(performance, limit)
  local now = performance.step.now
  local due = redis.call("ZRANGEBYSCORE", performance.due, "-inf", now, "LIMIT", 0, limit)
  for _, hold in ipairs(due) do
    local record = cmsgpack.unpack(redis.call("HGET", performance.key, "h" .. hold))
    free_hold(performance, hold, record, record[1] == "" and "return" or "expire")
  end
  if #due > 0 then settle(performance) end
  if performance.release_at_ms <= now then release_due(performance) end
  return #due
end
