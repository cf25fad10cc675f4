-- Walks the blocks that the index says can serve a party, in the order of their quality: `next_block(from)` answers
-- the first from a block on, or nil. With a `mask`, a bit a block, only those that it allows: what is static of a hall
-- (zone, rows, stairs, prices) is said by the caller, and costs no look at any row.
-- INCLUDES
local FIRST = {}
for byte = 1, 255 do
  local zeros = 0
  while byte < 2 ^ (7 - zeros) do zeros = zeros + 1 end
  FIRST[byte] = zeros
end

local function candidates(performance, base, mask)
  local blocks, index = performance.blocks, performance.index
  if not mask then
    return function(from)
      if from >= blocks then return nil end
      local found = redis.call("BITPOS", index, 1, base + from, base + blocks - 1, "BIT")
      if found >= 0 then return found - base end
      return nil
    end
  end
  local find, byte, band = string.find, string.byte, bit.band
  local bytes = redis.call("GETRANGE", index, base / 8, base / 8 + #mask - 1)
  return function(from)
    local place = (from - from % 8) / 8 + 1
    local both = band(byte(bytes, place) or 0, byte(mask, place) or 0, 2 ^ (8 - from % 8) - 1)
    while both == 0 do
      place = find(bytes, "[^%z]", place + 1)
      if not place or place > #mask then return nil end
      both = band(byte(bytes, place), byte(mask, place))
    end
    return (place - 1) * 8 + FIRST[both]
  end
end

local function is_allowed(mask, block)
  if not mask then return true end
  local byte = string.byte(mask, (block - block % 8) / 8 + 1) or 0
  return bit.band(byte, 2 ^ (7 - block % 8)) ~= 0
end
