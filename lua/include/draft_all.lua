-- Drafts of the performances whose keys start at `from`, three a performance, with their due holds swept; what their
-- `owner` has, and a `hold`, is read after that: from then on the drafts are about that owner. nil when one of them is
-- unknown here.
-- INCLUDES draft sweep
local SWEPT_A_CALL = 8

local function draft_all(keys, from, step, owner, hold)
  local performances = {}
  for place = from, #keys, 3 do
    local performance = draft(keys[place], keys[place + 1], keys[place + 2], step, owner, hold)
    if not performance then return nil end
    if sweep(performance, SWEPT_A_CALL) > 0 then
      performance = draft(keys[place], keys[place + 1], keys[place + 2], step, owner, hold)
    end
    performance.owner = owner
    performances[#performances + 1] = performance
  end
  return performances
end
