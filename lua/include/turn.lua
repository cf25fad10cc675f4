-- Turns the line's clock: advances it and writes down where it stands now. nil for an unknown on-sale.
-- INCLUDES advance
local function turn(sale, live, now)
  local line = advance(sale, live, now)
  if line and line.changed then
    redis.call("HSET", sale, "phase", line.phase, "now_serving", line.now_serving,
      "served_at_ms", string.format("%.3f", line.served_at_ms), "entrants", line.entrants,
      "mark", line.mark, "mark_at_ms", line.mark_at_ms, "gone", line.gone)
  end
  return line
end
