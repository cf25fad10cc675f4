-- Takes in a draft what one item of a wish asks for: named seats, the best together, or standing places. Seats that
-- somebody else has are collected in `taken`. Answers a refusal when there is not enough left, else nil.
-- INCLUDES draft find_best
local function take(performance, number, item, taken)
  local seats, areas, kind = performance.seats, performance.areas, item[2]
  if kind == "seats" then
    local at = 3
    while item[at] do
      -- Neighbours that are named in order are one run.
      local block, offset, count = item[at], item[at + 1], 0
      local row = read_block(performance, block)
      repeat
        if string.byte(row, offset + count + 1) ~= 111 then
          taken[#taken + 1], taken[#taken + 2], taken[#taken + 3] = number, block, offset + count
        end
        at, count = at + 2, count + 1
      until item[at] ~= block or item[at + 1] ~= offset + count
      put(performance, block, offset, count, "h")
      seats[#seats + 1], seats[#seats + 2], seats[#seats + 3] = block, offset, count
    end
  elseif kind == "best" then
    local class, k = item[3], item[4]
    local block, offset = find_best(performance, class, k)
    if not block then return {"none", number, largest_party(performance, class)} end
    put(performance, block, offset, k, "h")
    seats[#seats + 1], seats[#seats + 2], seats[#seats + 3] = block, offset, k
  else
    local area, count = item[3], item[4]
    local places = performance.taken_places
    local open = tonumber(redis.call("HGET", performance.key, "a" .. area)) - (places[area] or 0)
    if open < count then return {"none", number, open} end
    places[area] = (places[area] or 0) + count
    areas[#areas + 1], areas[#areas + 2] = area, count
  end
  return nil
end
