-- Where a party in two parts, see `find_split`, may find room for the larger: in the first `PAIRS` blocks that have it.
-- INCLUDES runs slots read_blocks search
local PAIRS = 32

-- The first blocks that have room for the larger part: those near a seat, where that is wished, and those anywhere.
local function roomy(performance, wish, half)
  local room = string.rep(wish.from or "o", half)
  local function with_room(blocks)
    local roomy_ones = {}
    read_blocks(performance, blocks)
    for _, block in ipairs(blocks) do
      if #roomy_ones < PAIRS and string.find(performance.rows[block], room, 1, true) then
        roomy_ones[#roomy_ones + 1] = block
      end
    end
    return roomy_ones
  end

  local near, anywhere = {}, {}
  for place = 1, #(wish.near or {}), 2 do near[#near + 1] = wish.near[place] end
  near = with_room(near)
  if wish.from then return {near} end
  local count, part = half > LARGEST_INDEXED and AT_ONCE or PAIRS, {k = half, mask = wish.mask, span = wish.span}
  for _, slot in ipairs(slots_of(performance, wish, half)) do
    for _, edge in ipairs(EDGES[wish.edge or 0]) do
      for _, length in ipairs(lengths_for(half, edge, false)) do
        local blocks = walk(performance, part, slot, edge and edge + 1 or 1, length)(count)
        for _, block in ipairs(blocks) do anywhere[#anywhere + 1] = block end
      end
    end
  end
  table.sort(anywhere)
  return {near, with_room(anywhere)}
end
