-- Whether the turn of a position is over: it was called so long ago, and its pass, if it had one, ended so long ago.
-- INCLUDES
local function is_gone(line, position, ended_at_ms, now, grace_ms)
  return position < line.gone and now >= ended_at_ms + grace_ms
end
