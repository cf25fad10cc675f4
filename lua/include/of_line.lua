-- The name of a field of an on-sale's hash, for a line: those of the public line bear no suffix.
-- INCLUDES
local function of_line(name, line)
  if line == "public" then return name end
  return name .. ":" .. line
end
