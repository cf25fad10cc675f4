-- Writes what was chosen as a hold: of each performance its record, which is added to the reply, and last the ways.
-- Its codes are in the first record, and come back with that. A performance of which nothing was chosen has no part in
-- the hold; it is settled and told all the same.
-- INCLUDES codes settle history
local function write_hold(performances, hold, owner, expires_at_ms, latest_ms, chosen, verb, reply)
  local step, codes = performances[1].step, chosen.codes
  write_codes(step.cell, chosen.uses)
  for _, performance in ipairs(performances) do
    local fields = performance.fields
    if #performance.seats + #performance.areas > 0 then
      local record = cmsgpack.pack({owner, expires_at_ms, performance.seats, performance.areas, 0,
        performance.is_allotted and table.concat(performance.returns_to) or "", codes, latest_ms})
      reply[#reply + 1], codes = record, {}
      local at = #fields
      fields[at + 1], fields[at + 2], fields[at + 3], fields[at + 4] = "h" .. hold, record, "o" .. owner, performance.owned
      redis.call("ZADD", performance.due, expires_at_ms, hold)
    end
    for area, count in pairs(performance.taken_places) do count_places(performance, area, -count, 0) end
    settle(performance)
    tell(performance, verb, who_is(owner), hold)
  end
  reply[#reply + 1] = cmsgpack.pack(chosen.ways)
end
