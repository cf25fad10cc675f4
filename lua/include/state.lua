-- A performance as it stands, as changes from one whose seats are all open: of each block that is not, all its letters;
-- of each area, and of each that is set aside of it, the places that are open and those that are sold.
-- INCLUDES
local READ_AT_ONCE = 1000

local function state_of(key)
  local head = redis.call("HMGET", key, "v", "n", "m", "l")
  if not head[1] then return nil end
  local changes, moved, blocks = {}, {}, tonumber(head[2])
  for first = 0, blocks - 1, READ_AT_ONCE do
    local names = {}
    for block = first, math.min(first + READ_AT_ONCE, blocks) - 1 do names[#names + 1] = "b" .. block end
    for place, row in ipairs(redis.call("HMGET", key, unpack(names))) do
      if row and string.find(row, "[^o]") then
        local at = #changes
        changes[at + 1], changes[at + 2], changes[at + 3], changes[at + 4] = first + place - 1, 0, #row, row
      end
    end
  end
  for letter in string.gmatch((head[4] or "") .. "-", ".") do
    if letter == "-" then letter = "" end
    for area = 0, (tonumber(head[3]) or 0) - 1 do
      local name = letter .. area
      local places = redis.call("HMGET", key, "a" .. name, "t" .. name)
      local at = #moved
      moved[at + 1], moved[at + 2], moved[at + 3] = name, tonumber(places[1]) or 0, tonumber(places[2]) or 0
    end
  end
  return changes, moved
end
