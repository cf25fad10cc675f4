-- Releases by the clock what is set aside: an allotment is everybody's from its instant on, and units are released as
-- their curve says. Its last step waits for whoever holds one just then.
-- INCLUDES set_aside aside curve settle history
local LOOK_AGAIN_MS = 60000

-- Writes down when the next release is.
local function plan_release(performance)
  local first, curve = math.huge, curve_of(performance)
  for letter in string.gmatch(letters_aside(performance), "%u") do
    local at_ms = set_aside(performance, letter)[2]
    if at_ms > 0 then first = math.min(first, at_ms) end
  end
  if curve then first = math.min(first, curve[1][1] or math.huge) end
  performance.release_at_ms = first
  if first < math.huge then
    redis.call("HSET", performance.key, "q", first)
  else
    redis.call("HDEL", performance.key, "q")
  end
end

local function release_due(performance)
  local now = performance.step.now
  for letter in string.gmatch(letters_aside(performance), "%u") do
    local at_ms = set_aside(performance, letter)[2]
    if at_ms > 0 and at_ms <= now then end_allotment(performance, letter) end
  end
  performance.curve = curve_of(performance)
  local steps = performance.curve and performance.curve[1] or {}
  local is_due = false
  while steps[1] and steps[1] <= now do
    local percent = steps[2]
    table.remove(steps, 1)
    table.remove(steps, 1)
    is_due = true
    local is_held = release_units(performance, percent)
    performance.curve[3] = is_held and not steps[1] and 1 or nil
    if performance.curve[3] then steps[1], steps[2] = now + LOOK_AGAIN_MS, percent end
  end
  if is_due then redis.call("HSET", performance.key, "x", cmsgpack.pack(performance.curve)) end
  plan_release(performance)
  settle(performance)
  tell(performance, "open", "clock", "")
end
