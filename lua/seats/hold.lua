-- Holds named seats, best-available seats together and standing places, over one or several performances:
-- all of them or nothing, for one owner, until one instant.
--
-- KEYS  cell operation sale live (performance index due)…
-- ARGV  epoch fingerprint hold owner place hold_ms limit items
-- WHERE items: packed [[performance, "seats", block, offset, …] | [performance, "best", class, k]
--       | [performance, "area", area, count], …], performance counting from 1;
--       record: for each performance its packed hold, see `free_hold`
-- REPLY held: expires_at_ms sequence (record)… | other_payload | pass_ended | ended: phase
--       | limit: performance owned | taken: (item block offset)… | none: item largest
--       | unknown_performance | closed | fenced: epoch
-- INCLUDES clock gate recall draft draft_all find_best settle sequence remember
-- FLAGS
local cell, operation, sale, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local epoch, fingerprint, hold, owner, place, hold_ms, limit, items = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local now, microseconds = clock()
local performances = draft_all(KEYS, 5, now, microseconds)
if not performances then return {"unknown_performance"} end

-- An empty place is the house's own staff, who need no pass.
if place ~= "" then
  local phase = redis.call("HGET", sale, "phase")
  if phase == "closed" then return {"ended", phase} end
  if (tonumber(redis.call("ZSCORE", live, place)) or 0) <= now then return {"pass_ended"} end
end

local request = cmsgpack.unpack(items)
for _, performance in ipairs(performances) do
  performance.seats, performance.areas, performance.taken_places = {}, {}, {}
  performance.owned = tonumber(redis.call("HGET", performance.key, "o" .. owner)) or 0
end
for _, item in ipairs(request) do
  local performance = performances[item[1]]
  local count = item[2] == "seats" and (#item - 2) / 2 or item[4]
  performance.owned = performance.owned + count
  if performance.owned > tonumber(limit) then return {"limit", item[1], performance.owned - count} end
end

local taken = {"taken"}
for number, item in ipairs(request) do
  local performance, kind = performances[item[1]], item[2]
  local seats, areas = performance.seats, performance.areas
  if kind == "seats" then
    local at = 3
    while item[at] do
      -- Neighbours that are named in order are one run.
      local block, offset, count = item[at], item[at + 1], 0
      local row = read_block(performance, block)
      repeat
        if string.byte(row, offset + count + 1) ~= 111 then
          taken[#taken + 1], taken[#taken + 2], taken[#taken + 3] = number, block, offset + count
        end
        at, count = at + 2, count + 1
      until item[at] ~= block or item[at + 1] ~= offset + count
      put(performance, block, offset, count, "h")
      seats[#seats + 1], seats[#seats + 2], seats[#seats + 3] = block, offset, count
    end
  elseif kind == "best" then
    local class, k = item[3], item[4]
    local block, offset = find_best(performance, class, k)
    if not block then return {"none", number, largest_party(performance, class)} end
    put(performance, block, offset, k, "h")
    seats[#seats + 1], seats[#seats + 2], seats[#seats + 3] = block, offset, k
  else
    local area, count = item[3], item[4]
    local places = performance.taken_places
    local open = tonumber(redis.call("HGET", performance.key, "a" .. area)) - (places[area] or 0)
    if open < count then return {"none", number, open} end
    places[area] = (places[area] or 0) + count
    areas[#areas + 1], areas[#areas + 2] = area, count
  end
end
if #taken > 1 then return taken end

local expires_at_ms = now + tonumber(hold_ms)
local reply = {"held", expires_at_ms, sequence(cell)}
for number, performance in ipairs(performances) do
  local fields = performance.fields
  local record = cmsgpack.pack({owner, expires_at_ms, performance.seats, performance.areas, 0})
  reply[3 + number] = record
  fields[1], fields[2] = "h" .. hold, record
  fields[3], fields[4] = "o" .. owner, performance.owned
  for area, count in pairs(performance.taken_places) do
    redis.call("HINCRBY", performance.key, "a" .. area, -count)
  end
  settle(performance)
  redis.call("ZADD", performance.due, expires_at_ms, hold)
end
return remember(operation, fingerprint, 86400, reply)
