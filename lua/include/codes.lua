-- Codes, counted in the cell for every seat that they are used for. `changes`: {code = change}, what a step would do to
-- their counts: `use_codes` adds what is asked for, {code, count, most, …}, or refuses; `write_codes` does it.
-- INCLUDES
local function use_codes(cell, asked, changes)
  for at = 1, #asked, 3 do
    local code, count, most = asked[at], asked[at + 1], asked[at + 2]
    local used = (tonumber(redis.call("HGET", cell, "u" .. code)) or 0) + (changes[code] or 0)
    if used + count > most then return {"code_used", code, math.max(0, most - used)} end
    changes[code] = (changes[code] or 0) + count
  end
  return nil
end

local function write_codes(cell, changes)
  for code, change in pairs(changes) do
    if change ~= 0 then redis.call("HINCRBY", cell, "u" .. code, change) end
  end
end
