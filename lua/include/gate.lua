-- The open gate of each cell, in memory and nowhere else: a Redis that restarted, was promoted or got
-- a new library is closed until recovery opens it. A gate kept in a key would come back open.
-- Answers nil when the gate is open at this epoch, else the refusal to return.
-- INCLUDES
local open_epochs = {}
local function gate(cell, epoch)
  local open = open_epochs[cell]
  if open == epoch then return nil end
  if open then return {"fenced", open} end
  return {"closed"}
end
