-- How long whoever comes in has waited since joining, or since the start of sales where that was later: counted in a field
-- of the on-sale for each quarter of a doubling, so that waits are told to within a fifth and nothing is kept of anybody.
-- INCLUDES
local function count_wait(sale, line, joined_at_ms, now)
  if joined_at_ms <= 0 then return end
  local waited_s = (now - math.max(joined_at_ms, line.opens_at_ms)) / 1000
  local step = waited_s <= 1 and 0 or math.ceil(4 * math.log(waited_s) / math.log(2))
  redis.call("HINCRBY", sale, "waited_" .. step, 1)
end
