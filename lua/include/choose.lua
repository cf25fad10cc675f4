-- Takes in their drafts all that a request wants of its performances, within its terms, or refuses; writes nothing.
-- `terms`: {hold_ms, limit, lone_rule, lone_last, unpaid_holds, cool_down_ms, longest_ms, codes {code, count, most, …},
-- letters {a string a performance}}. `uses_back`: {code = count} of what is given up for it in the same
-- step, see `give_up`; of each performance that is `given_up`, so much of what the owner has there.
-- Answers a refusal, or nil and {uses = {code = change}, codes {code, count, …}, ways}.
-- INCLUDES known codes take strands
local terms_in = knowing(1000, function(text) return cmsgpack.unpack(text) end) -- many ask within the same

local function within_limit(performances, limit, request)
  for _, performance in ipairs(performances) do
    performance.seats, performance.areas, performance.named, performance.returns_to = {}, {}, {}, {}
    performance.taken_places = performance.taken_places or {}
    performance.owned = performance.owned - (performance.given_up or 0)
  end
  for _, item in ipairs(request) do
    local performance = performances[item[1]]
    local count = item[2] == "seats" and (#item - 2) / 2 or item[4]
    performance.owned = performance.owned + count
    if performance.owned > limit then return {"limit", item[1], performance.owned - count} end
  end
  return nil
end

local function choose(performances, place, terms, request, uses_back)
  local limit, lone_rule, lone_last, asked, letters = terms[2], terms[3], terms[4], terms[8], terms[9]
  local refusal = within_limit(performances, limit, request)
  if refusal then return refusal end
  local chosen = {uses = {}, codes = {}, ways = {}}
  for code, count in pairs(uses_back) do chosen.uses[code] = -count end
  local used_up = use_codes(performances[1].step.cell, asked, chosen.uses)
  if used_up then return used_up end
  for at = 1, #asked, 3 do
    chosen.codes[#chosen.codes + 1], chosen.codes[#chosen.codes + 2] = asked[at], asked[at + 1]
  end

  local taken, level = {}, lone_rule == 0 and 1 or 0
  for number, item in ipairs(request) do
    local none = take(performances[item[1]], number, item, taken, letters[item[1]] or "", level, chosen.ways)
    if none then return none end
  end
  if #taken > 0 then return {"taken", unpack(taken)} end
  if lone_rule > 0 and place ~= "" then
    for number, performance in ipairs(performances) do
      local block, offset, other, beside, k = strands(performance, performance.named, lone_rule, lone_last)
      if block then return {"alone", number, block, offset, other, beside, k} end
    end
  end
  return nil, chosen
end
