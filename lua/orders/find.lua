-- An order as Redis still knows it, and how far the writer has recorded the outbox.
--
-- KEYS  order recorded
-- ARGV
-- REPLY found: state entry payload recorded more returns | unknown_order: recorded
-- WHERE more: packed holds of an order that is awaited; returns: [entry, action, …], of all that was returned of it
-- INCLUDES
-- FLAGS no-writes
local recorded = redis.call("GET", KEYS[2]) or "0-0"
local stored = redis.call("GET", KEYS[1])
if not stored then return {"unknown_order", recorded} end
local record = cmsgpack.unpack(stored)
-- Where a release wrote it that returned whole orders only, the action stands in its place.
local returns = record[5] or (record[1] == "refunded" and {record[2], record[4]}) or {}
return {"found", record[1], record[2], record[3], recorded, record[4] or "", returns}
