-- How long a place lets its visitor stay inside in all, counted from its first claim however often the pass is renewed.
-- `stay_ms`: 0 for ever, and then nothing is kept of it.
-- INCLUDES
local MOST_TIMES = 4

-- Since when a place lets its visitor in, or nil where that begins now; and until when, 0 for ever.
local function stay_of(stays, place, stay_ms, now)
  if stay_ms == 0 then return nil, 0 end
  local since_ms = tonumber(redis.call("ZSCORE", stays, place))
  return since_ms, (since_ms or now) + stay_ms
end

-- Those are forgotten that ended `kept_ms` ago also for whoever asked for more time, who has at most `MOST_TIMES` as much.
local function begin_stay(stays, place, stay_ms, kept_ms, now)
  redis.call("ZREMRANGEBYSCORE", stays, "-inf", now - MOST_TIMES * stay_ms - kept_ms)
  redis.call("ZADD", stays, now, place)
end

-- For whoever joins: whether that is what ended their pass, at `ended_at_ms` with its leeway.
local function is_stay_over(stays, place, stay_ms, leeway_ms, ended_at_ms, now)
  local since_ms, ends_at_ms = stay_of(stays, place, stay_ms, now)
  return since_ms ~= nil and ends_at_ms <= now and ended_at_ms <= ends_at_ms + leeway_ms
end
