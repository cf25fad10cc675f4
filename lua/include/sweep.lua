-- Turns a performance's clock: ends at most `limit` holds that are due, and releases what is due of what is set aside.
-- Answers how many holds it were.
-- INCLUDES free_hold settle release_due
local function go_on(performance)
  performance.before, performance.fields = {}, {}
  for block, row in pairs(performance.rows) do performance.before[block] = row end
  performance.version = performance.version + 1
end

local function sweep(performance, limit)
  local now = performance.step.now
  local due = redis.call("ZRANGEBYSCORE", performance.due, "-inf", now, "LIMIT", 0, limit)
  for _, hold in ipairs(due) do
    local record = cmsgpack.unpack(redis.call("HGET", performance.key, "h" .. hold))
    free_hold(performance, hold, record, record[1] == "" and "return" or "expire")
  end
  if #due > 0 then
    settle(performance)
    go_on(performance)
  end
  if performance.release_at_ms <= now then
    release_due(performance)
    go_on(performance)
  end
  return #due
end
