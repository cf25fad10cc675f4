-- What is whose in an on-sale's one hash: the fields of the public line have their plain names, those of another line
-- carry its name. So do their visitors among the live passes, which are the whole house's.
-- INCLUDES
local function of_line(name, line)
  if line == "public" then return name end
  return name .. ":" .. line
end

local function live_member(line, index)
  if line == "public" then return index end
  return line .. "/" .. index
end
