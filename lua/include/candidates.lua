-- Walks the blocks that a segment of the index names, in the order of their quality: `following(count, last)` answers
-- so many more, or up to seven over; of those behind `last` it need answer none. With a `mask`, a bit a block, only
-- those that it allows: what is static of a hall (zone, rows, stairs, prices) is said by the caller, and costs no look
-- at any row. The first is asked of Redis; for more, the segment is read.
-- INCLUDES
local PLACES = {}
for byte = 1, 255 do
  local left, places = byte, {}
  for place = 0, 7 do
    if left >= 2 ^ (7 - place) then left, places[#places + 1] = left - 2 ^ (7 - place), place end
  end
  PLACES[byte] = places
end

-- A segment as it was when the call began, read once; empty where it names no block.
local function segment_bytes(performance, base)
  local bytes, last = performance.segments[base], base + performance.blocks - 1
  if not bytes then
    bytes = ""
    if redis.call("BITPOS", performance.index, 1, base, last, "BIT") >= 0 then
      bytes = redis.call("GETRANGE", performance.index, base / 8, math.floor(last / 8))
    end
    performance.segments[base] = bytes
  end
  return bytes
end

local function candidates(performance, base, mask)
  local find, byte, band = string.find, string.byte, bit.band
  local blocks, from, bytes = performance.blocks, 0, nil
  return function(count, last)
    last = math.min(last or blocks, blocks) - 1
    if from > last then return {} end
    if count == 1 and not mask and not bytes then
      local found = redis.call("BITPOS", performance.index, 1, base + from, base + last, "BIT")
      from = found < 0 and blocks or found - base + 1
      return found < 0 and {} or {found - base}
    end
    bytes = bytes or segment_bytes(performance, base)
    local listed, listed_count, place = {}, 0, (from - from % 8) / 8 + 1
    while listed_count < count do
      local set = byte(bytes, place) or 0
      if mask then set = band(set, byte(mask, place) or 0) end
      if from % 8 > 0 then set = band(set, 2 ^ (8 - from % 8) - 1) end
      if set ~= 0 then
        local first, places = (place - 1) * 8, PLACES[set]
        for at = 1, #places do listed[listed_count + at] = first + places[at] end
        listed_count = listed_count + #places
        place = place + 1
      else
        local next_byte, allowed = find(bytes, "[^%z]", place + 1), not mask and 0 or find(mask, "[^%z]", place + 1)
        place = next_byte and allowed and math.max(next_byte, allowed) or #bytes + 1
      end
      from = (place - 1) * 8
      if place > #bytes or from > last then break end
    end
    return listed
  end
end

-- The same of a list.
local function walk_list(blocks)
  local at = 0
  return function(count)
    local more = {}
    while #more < count and at < #blocks do
      at = at + 1
      more[#more + 1] = blocks[at]
    end
    return more
  end
end

local function is_allowed(mask, block)
  if not mask then return true end
  local byte = string.byte(mask, (block - block % 8) / 8 + 1) or 0
  return bit.band(byte, 2 ^ (7 - block % 8)) ~= 0
end
