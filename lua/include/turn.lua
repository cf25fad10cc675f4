-- Turns the waiting room's clock: advances it and writes down where each line stands now. nil for an unknown on-sale.
-- Where the clock was set back, passes that it gave while it ran ahead end no later than one given now: else they would
-- keep the house full for as long as it was ahead. The fraction of a score is the pass's generation.
-- INCLUDES advance borders door of_line
local AHEAD_AT_ONCE = 5000

local function write_line(sale, line)
  local name = line.name
  redis.call("HSET", sale, of_line("now_serving", name), line.now_serving, of_line("entrants", name), line.entrants,
    of_line("mark", name), line.mark, of_line("mark_at_ms", name), line.mark_at_ms, of_line("gone", name), line.gone,
    of_line("owed", name), string.format("%.6f", line.owed))
end

local function turn(sale, live, now)
  local line = advance(sale, live, now)
  if line and line.changed then
    local closing_list = line.fixed_at_ms and {"fixed_at_ms", line.fixed_at_ms} or {} -- opening is one write
    redis.call("HSET", sale, "phase", line.phase, "now_serving", line.now_serving,
      "served_at_ms", string.format("%.3f", line.served_at_ms), "entrants", line.entrants,
      "mark", line.mark, "mark_at_ms", line.mark_at_ms, "gone", line.gone, unpack(closing_list))
    for each = 0, #line.others do
      local one = line.others[each] or line
      -- Since when it is fixed who is in the draw: since the start of sales, or later where that was held up. A clock
      -- that was set back since puts the draw off no further.
      local fixed, is_fixed_now = of_line("fixed_at_ms", one.name), one ~= line and one.fixed_at_ms
      if is_fixed_now or line.is_set_back and (tonumber(redis.call("HGET", sale, fixed)) or 0) > now then
        redis.call("HSET", sale, fixed, now)
      end
      if one.is_window_ended then
        redis.call("HSET", sale, by_window.fields(one, redis.call("HGET", sale, of_line("later", one.name))))
      end
    end
    if line.others[1] then
      redis.call("HSET", sale, "owed", string.format("%.6f", line.owed))
      for _, other in ipairs(line.others) do write_line(sale, other) end
    end
  end
  if line and line.is_watched_anew then
    redis.call("HSET", sale, "calls", string.format("%.4f", line.calls), "watched", line.watched,
      "watched_at_ms", line.watched_at_ms)
  end
  if line and line.is_held ~= line.was_held then redis.call("HSET", sale, "is_held", line.is_held) end
  if line and line.is_repaced then
    redis.call("HSET", sale, "rate", line.rate, "rates", line.rates, "lowered", line.lowered)
  end
  if line and (line.is_repaced or line.door_at_ms > now) then
    redis.call("HSET", sale, door_fields(line, now, 0))
    line.door_at_ms = now
  end
  if line and line.is_set_back and line.pass_ms > 0 then
    local latest = now + line.pass_ms
    local ahead = redis.call("ZRANGEBYSCORE", live, "(" .. latest, "+inf", "WITHSCORES", "LIMIT", 0, AHEAD_AT_ONCE)
    for at = 1, #ahead, 2 do redis.call("ZADD", live, string.format("%.12f", latest + ahead[at + 1] % 1), ahead[at]) end
  end
  return line
end
