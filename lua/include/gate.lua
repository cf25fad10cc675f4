-- The open gate of each cell, in memory and nowhere else: a Redis that restarted, was promoted or got
-- a new library is closed until recovery opens it. A gate kept in a key would come back open.
--
-- Memory outlives a change of role, though: a primary that became a replica and is promoted again, or a slot that
-- moved away and back, remembers an open gate over data of another time. So the data must agree: they name the epoch
-- at which this library opened them last, and their sequence has not fallen behind what this process has seen.
-- Answers nil when the gate is open at this epoch, else the refusal to return.
-- INCLUDES
local open_epochs, seen_sequences, quiet_until_ms = {}, {}, {}
local OPENED_AT = "opened_by:" .. LIBRARY

local function opened(cell)
  local open = open_epochs[cell]
  if not open then return nil end
  local kept = redis.call("HMGET", cell, OPENED_AT, "sequence")
  if kept[1] == open and (tonumber(kept[2]) or 0) >= (seen_sequences[cell] or 0) then return open end
  open_epochs[cell] = nil
  return nil
end

local function gate(cell, epoch)
  local open = opened(cell)
  if open == epoch then return nil end
  if open then return {"fenced", open} end
  return {"closed"}
end

-- For holding: right after a loss, those whose confirmed orders were lost come first.
local function is_quiet(cell, now)
  return now < (quiet_until_ms[cell] or 0)
end
