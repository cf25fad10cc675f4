-- What is whose in an on-sale's one hash: the fields of the public line have their plain names, those of another line
-- carry its name. So do their visitors among the live passes, which are the whole house's.
-- INCLUDES
local function of_line(name, line)
  if line == "public" then return name end
  return name .. ":" .. line
end

-- `person`: empty where nobody asks who they are; a person is inside once, with whichever of their places.
local function live_member(line, index, person)
  if person ~= "" then return person end
  if line == "public" then return index end
  return line .. "/" .. index
end
