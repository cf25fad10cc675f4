-- Who may hold: the newest pass of a place, while it lives, in a sale that has not ended. An empty place is the house's own
-- staff, who need no pass, and whom no rule binds. Whoever let go of so many holds unpaid waits for a moment, so that
-- others come first.
-- Both answer a refusal, or nil.
-- INCLUDES pass_of
local function may_shop(sale, live, place, now)
  if place == "" then return nil end
  local phase = redis.call("HGET", sale, "phase")
  if phase == "closed" then return {"ended", phase} end
  local _, expires_at_ms, has_moved = find_pass(live, place)
  if expires_at_ms <= now then return {"pass_ended"} end
  if has_moved then return {"moved"} end
  return nil
end

-- `terms`: {hold_ms, limit, lone_rule, lone_last, unpaid_holds, cool_down_ms, …}.
local function cooling_down(performances, terms)
  if terms[5] == 0 then return nil end
  for _, performance in ipairs(performances) do
    if performance.unpaid then
      local count, last_ms = string.match(performance.unpaid, "^(%d+) (%d+)$")
      local until_ms = last_ms + terms[6]
      if tonumber(count) >= terms[5] and performance.step.now < until_ms then return {"cool_down", until_ms} end
    end
  end
  return nil
end
