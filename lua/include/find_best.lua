-- The best block for k seats together, through the index: flat in the size of the hall. First anywhere that
-- leaves nobody alone, then anywhere at all. The index speaks of rows as stored, so a row that this very call
-- already changed may disappoint; then the next block is asked, within a limit.
-- Answers block, offset; or nil.
-- INCLUDES runs segment draft pick
local TRIES = 64

local function find_best(performance, class, k)
  local blocks = performance.blocks
  for level = 0, 1 do
    local base = segment(class, level, k, blocks, performance.categories)
    local from = 0
    for _ = 1, TRIES do
      if from >= blocks then break end
      local bit = redis.call("BITPOS", performance.index, 1, base + from, base + blocks - 1, "BIT")
      if bit < 0 then break end
      local block = bit - base
      local row = read_block(performance, block)
      local focus, classes = string.match(performance.described[block], "^(%S+) (%a+)$")
      local offset = pick(row, classes, class, k, tonumber(focus), level == 0)
      if offset then return block, offset end
      from = block + 1
    end
  end
  return nil
end

-- The largest party that still finds seats together in a class (0: none).
local function largest_party(performance, class)
  for k = LARGEST_INDEXED, 1, -1 do
    local base = segment(class, 1, k, performance.blocks, performance.categories)
    if redis.call("BITPOS", performance.index, 1, base, base + performance.blocks - 1, "BIT") >= 0 then return k end
  end
  return 0
end
