-- How many leaves a tree over entrants has, as it is kept (see waiting_room/checkpoint); none where nothing is.
-- INCLUDES
local function leaves_of(frontier)
  return tonumber(string.match(frontier or "", "^%d+")) or 0
end
