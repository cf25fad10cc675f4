-- Where a party in two parts, see `find_split`, may find room for the larger: in the first `PAIRS` blocks that have it.
-- INCLUDES slots read_blocks search candidates
local PAIRS, LOOKS = 32, 256

-- Of blocks that follow, the first with such room, looking at `looks` of them or some more; only their rows are kept.
local function with_room(performance, following, room, looks)
  local found, looked = {}, 0
  local blocks = following(PAIRS)
  while #blocks > 0 and looked < looks do
    local rows = rows_of(performance, blocks)
    for at = 1, #blocks do
      if string.find(rows[at], room, 1, true) then
        keep_row(performance, blocks[at], rows[at])
        found[#found + 1] = blocks[at]
        if #found == PAIRS then return found end
      end
    end
    looked = looked + #blocks
    blocks = following(4 * PAIRS)
  end
  return found
end

-- Those near a seat, where that is wished, and those anywhere; or of all that are set aside.
local function roomy(performance, wish, half)
  local near, room = {}, string.rep(wish.from or "o", half)
  for place = 1, #(wish.near or {}), 2 do near[#near + 1] = wish.near[place] end
  near = with_room(performance, walk_list(near), room, #near)
  if wish.from then return {near} end
  local anywhere = with_room(performance, changed_blocks(performance, wish), room, LOOKS)
  local part = {k = half, mask = wish.mask, span = wish.span, ends = wish.ends}
  for _, slot in ipairs(slots_of(performance, wish, half)) do
    for _, edge in ipairs(EDGES[wish.edge or 0]) do
      for _, length in ipairs(lengths_for(half, edge, false)) do
        local following = walk(performance, part, slot, edge and edge + 1 or 1, length)
        for _, block in ipairs(with_room(performance, following, room, LOOKS)) do anywhere[#anywhere + 1] = block end
      end
    end
  end
  table.sort(anywhere)
  return {near, {unpack(anywhere, 1, math.min(#anywhere, PAIRS))}}
end
