-- An order as Redis still knows it, and how far the writer has recorded the outbox.
--
-- KEYS  order recorded
-- ARGV
-- REPLY found: state entry payload recorded more | unknown_order: recorded
-- WHERE more: packed holds of an order that is awaited, the action of one that was returned
-- INCLUDES
-- FLAGS no-writes
local recorded = redis.call("GET", KEYS[2]) or "0-0"
local stored = redis.call("GET", KEYS[1])
if not stored then return {"unknown_order", recorded} end
local record = cmsgpack.unpack(stored)
return {"found", record[1], record[2], record[3], recorded, record[4] or ""}
