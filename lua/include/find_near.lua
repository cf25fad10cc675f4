-- The best of the blocks that a wish names, see `find_best`, in the order in which it names them.
-- Answers block, offset, level; or no block.
-- INCLUDES read_blocks search slots
local function find_near(performance, wish)
  local near, blocks, edges = wish.near, {}, EDGES[wish.edge or 0]
  for place = 1, #near, 2 do blocks[#blocks + 1] = near[place] end
  read_blocks(performance, blocks)
  local first, first_offset
  local looks = {}
  for number, edge in ipairs(edges) do looks[number] = {sieve(wish, edge)} end
  for place = 1, #near, 2 do
    local block, row = near[place], performance.rows[near[place]]
    for number, edge in ipairs(edges) do
      if looks[number][1](row) then
        if wish.level == 0 and looks[number][2](row) then
          local offset = fit(performance, wish, block, edge, true, near[place + 1])
          if offset then return block, offset, 0 end
        end
        if not first then
          local offset = fit(performance, wish, block, edge, false, near[place + 1])
          if offset then first, first_offset = block, offset end
          if offset and wish.level == 1 then return block, offset, 1 end
        end
      end
    end
  end
  return first, first_offset, 1
end
