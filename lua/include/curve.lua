-- Units that are released by and by, such as places for wheelchairs: x = {{at_ms, percent, …}, {block, …}, waits}. At
-- each instant so many per cent of those that are free become general seats; the best are kept longest. `waits`: what is
-- to come is the last step once more, for whoever held a unit then, see `release_due`.
-- INCLUDES draft reindex
local function make_general(performance, block)
  local row, changes = read_block(performance, block), {}
  local focus, classes = string.match(description_of(performance, block), "^(%S+) (%a+)$")
  local gone, general = string.rep("h", #row), string.upper(classes)
  local written = performance.before[block] -- what the index knows: the row may have changed in this call already
  reindex(changes, performance, block, classes, written, gone)
  reindex(changes, performance, block, general, gone, written)
  if changes[1] then redis.call("BITFIELD", performance.index, unpack(changes)) end
  performance.described[block] = focus .. " " .. general
  redis.call("HSET", performance.key, "c" .. block, performance.described[block])
  put(performance, block, 0, #row, "o")
end

local function release_units(performance, percent)
  local free, is_held = {}, false
  local blocks = performance.curve[2]
  for at = #blocks, 1, -1 do
    local row = read_block(performance, blocks[at])
    if string.find(description_of(performance, blocks[at]), " %l") then
      if not string.find(row, "[^o]") then free[#free + 1] = blocks[at] end
      is_held = is_held or string.find(row, "h", 1, true) ~= nil
    end
  end
  for at = 1, math.floor(#free * percent / 100) do make_general(performance, free[at]) end
  return is_held
end

-- Units are released as `steps` say from now on; what was due until now stays as it was told before.
local function bend_curve(performance, steps, blocks)
  local stored = redis.call("HGET", performance.key, "x")
  local now, kept = performance.step.now, {}
  if not stored and not steps[1] then return end
  local curve = stored and cmsgpack.unpack(stored) or {{}}
  local before, waits = curve[1], nil
  for at = 1, #before, 2 do
    if before[at] <= now then kept[#kept + 1], kept[#kept + 2] = before[at], before[at + 1] end
  end
  for at = 1, #steps, 2 do
    if steps[at] > now then kept[#kept + 1], kept[#kept + 2] = steps[at], steps[at + 1] end
  end
  if curve[3] and not kept[1] then kept, waits = before, 1 end
  redis.call("HSET", performance.key, "x", cmsgpack.pack({kept, blocks, waits}))
end

local function curve_of(performance)
  local stored = redis.call("HGET", performance.key, "x")
  return stored and cmsgpack.unpack(stored)
end
