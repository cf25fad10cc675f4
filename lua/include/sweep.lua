-- Turns a performance's clock: ends at most `limit` holds that are due. Answers how many.
-- INCLUDES free_hold settle
local function sweep(performance, limit)
  local due = redis.call("ZRANGEBYSCORE", performance.due, "-inf", performance.step.now, "LIMIT", 0, limit)
  if #due == 0 then return 0 end
  for _, hold in ipairs(due) do
    local record = cmsgpack.unpack(redis.call("HGET", performance.key, "h" .. hold))
    free_hold(performance, hold, record, record[1] == "" and "return" or "expire")
  end
  settle(performance)
  performance.before, performance.fields = {}, {}
  for block, row in pairs(performance.rows) do performance.before[block] = row end
  performance.version = performance.version + 1
  return #due
end
