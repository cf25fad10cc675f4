-- What all changes of one call share: the cell, the outbox that is told of them, the epoch, one instant, and the call's
-- sequence number, which is taken once, when the first of them is written.
-- INCLUDES clock sequence
local function step_of(cell, outbox, epoch)
  local now, microseconds = clock()
  return {cell = cell, outbox = outbox, epoch = epoch, now = now, microseconds = microseconds}
end

local function numbered(step)
  if not step.sequence then step.sequence = sequence(step.cell) end
  return step.sequence
end
