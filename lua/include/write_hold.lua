-- Writes what was chosen as a hold: of each performance its record, which is added to the reply, and last the ways.
-- A performance of which nothing was chosen has no part in the hold; it is settled and told all the same.
-- INCLUDES settle history
local function write_hold(performances, hold, owner, expires_at_ms, latest_ms, chosen, verb, reply)
  local step = performances[1].step
  for code, change in pairs(chosen.uses) do
    if change ~= 0 then redis.call("HINCRBY", step.cell, "u" .. code, change) end
  end
  for number, performance in ipairs(performances) do
    local fields = performance.fields
    if #performance.seats + #performance.areas > 0 then
      local record = cmsgpack.pack({owner, expires_at_ms, performance.seats, performance.areas, 0,
        performance.is_allotted and table.concat(performance.returns_to) or "", number == 1 and chosen.codes or {},
        latest_ms})
      reply[#reply + 1] = record
      fields[1], fields[2], fields[3], fields[4] = "h" .. hold, record, "o" .. owner, performance.owned
      redis.call("ZADD", performance.due, expires_at_ms, hold)
    end
    for area, count in pairs(performance.taken_places) do count_places(performance, area, -count, 0) end
    settle(performance)
    tell(performance, verb, who_is(owner), hold)
  end
  reply[#reply + 1] = cmsgpack.pack(chosen.ways)
end
