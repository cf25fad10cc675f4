-- Turns a performance's clock: ends at most `limit` holds that are due. Answers how many.
-- INCLUDES free_hold settle
local function sweep(performance, now, microseconds, limit)
  local due = redis.call("ZRANGEBYSCORE", performance.due, "-inf", now, "LIMIT", 0, limit)
  if #due == 0 then return 0 end
  for _, hold in ipairs(due) do
    local record = cmsgpack.unpack(redis.call("HGET", performance.key, "h" .. hold))
    free_hold(performance, hold, record, now, microseconds)
  end
  settle(performance)
  performance.before, performance.fields = {}, {}
  for block, row in pairs(performance.rows) do performance.before[block] = row end
  performance.version = performance.version + 1
  return #due
end
