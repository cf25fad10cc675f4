-- How long a place lets its visitor stay inside in all, counted from its first claim however often the pass is renewed. A
-- person has one stay, with whichever of their places; one that they were given after it was over begins another.
-- `stays`: since when, by member of the live passes; and of who has been inside, when they were given which place.
-- `stay_ms`: 0 for ever, and then nothing is kept of it.
-- INCLUDES
local stay = {MOST_TIMES = 4}

-- Since when a member has been inside, or nil where that begins now, be it that the clock was set back; and until when, 0
-- for ever.
function stay.of(stays, member, place, stay_ms, now)
  if stay_ms == 0 then return nil, 0 end
  local since_ms = tonumber(redis.call("ZSCORE", stays, member))
  local given_ms = member ~= place and tonumber(redis.call("ZSCORE", stays, place)) or 0
  if since_ms and (since_ms > now or given_ms >= since_ms + stay_ms) then since_ms = nil end
  return since_ms, (since_ms or now) + stay_ms
end

-- A person was given a place.
function stay.place(stays, person, place, now)
  if redis.call("ZSCORE", stays, person) then redis.call("ZADD", stays, now, place) end
end

-- Those are forgotten that ended `kept_ms` ago also for whoever asked for more time, who has at most `MOST_TIMES` as much.
function stay.begin(stays, member, stay_ms, kept_ms, now)
  redis.call("ZREMRANGEBYSCORE", stays, "-inf", now - stay.MOST_TIMES * stay_ms - kept_ms)
  redis.call("ZADD", stays, now, member)
end

-- For whoever joins: whether that is what ended their pass, at `ended_at_ms` with its leeway.
function stay.is_over(stays, member, place, stay_ms, leeway_ms, ended_at_ms, now)
  local since_ms, ends_at_ms = stay.of(stays, member, place, stay_ms, now)
  return since_ms ~= nil and ends_at_ms <= now and ended_at_ms <= ends_at_ms + leeway_ms
end
