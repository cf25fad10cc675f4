-- The rule against seats left alone, for seats that somebody named: which open seat has no open neighbour any more and
-- had one before. An allotted seat counts as taken, an open one of another price as open; access places and other units
-- are exempt, and so are the last seats of a hall. Where every choice leaves somebody alone, none is refused for it.
-- `rule` 1: another choice must be in the same row; 2: anywhere in the performance, the nearest rows first.
-- Answers the seat's block and offset, then the nearest choice that leaves nobody alone and its size; or nil.
-- INCLUDES find_best find_near known draft pick
local function classes_among(classes, before, row)
  local letters = {}
  for at = 1, #row do
    local letter = string.sub(classes, at, at)
    if string.byte(before, at) == 111 and string.byte(row, at) ~= 111 and not letters[letter] then
      letters[letter], letters[#letters + 1] = true, letter
    end
  end
  return table.concat(letters)
end

-- A block's neighbours with the focus of each, as `near` of a wish has them: see `find_pair`.
local function around(performance, block)
  local near, stored = {}, redis.call("HGET", performance.key, "g" .. block)
  for _, kind in ipairs(stored and cmsgpack.unpack(stored) or {}) do
    for _, other in ipairs(kind) do
      near[#near + 1], near[#near + 2] = other, parts_in(description_of(performance, other))[1]
    end
  end
  return near
end

-- `named`: blocks in which seats were named. `last`: with so few open seats left the rule ends.
local function strands(performance, named, rule, last)
  if performance.open <= last then return nil end
  for _, block in ipairs(named) do
    local before, row, classes = found_row(performance, block), performance.rows[block], classes_of(performance, block)
    local alone = newly_alone(before, row, classes)
    local class = alone and classes_among(classes, before, row) or ""
    if alone and not string.find(class, "%l") then
      local _, k = string.gsub(before, "o", "")
      local _, left = string.gsub(row, "o", "")
      k = k - left
      local first
      for at = 1, #row do
        if string.byte(before, at) == 111 and string.byte(row, at) ~= 111 then first = at break end
      end
      local offset = pick(before, classes, class, k, first + (k - 1) / 2, true)
      if offset then return block, alone, block, offset, k end
      if rule == 2 then
        performance.rows[block] = before
        local wish = {class = class, k = k, level = 0}
        wish.near = around(performance, block)
        local other, beside, level = find_near(performance, wish)
        if level ~= 0 then
          wish.near = nil
          other, beside, level = find_best(performance, wish)
        end
        performance.rows[block] = row
        if level == 0 then return block, alone, other, beside, k end
      end
    end
  end
  return nil
end
