-- The answer that this operation id got the first time, or a refusal if its payload was another; else nil.
-- INCLUDES
local function recall(operation, fingerprint)
  local stored = redis.call("GET", operation)
  if not stored then return nil end
  local record = cmsgpack.unpack(stored)
  if record[1] ~= fingerprint then return {"other_payload"} end
  return record[2]
end
