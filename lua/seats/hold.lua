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
-- INCLUDES clock gate recall draft_all take settle sequence remember
-- FLAGS
local cell, operation, sale, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local epoch, fingerprint, hold, owner, place, hold_ms, limit, items = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local now, microseconds = clock()
if is_quiet(cell, now) then return {"closed"} end
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
  local none = take(performances[item[1]], number, item, taken)
  if none then return none end
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
