-- Everything that an open cell knows of an on-sale, to be kept in the ledger in case this Redis loses it.
-- A cell that is closed may be from the past and tells nothing.
--
-- KEYS  cell sale
-- ARGV  epoch
-- REPLY standing: fields | unknown_on_sale | closed | fenced: epoch
-- INCLUDES gate
-- FLAGS no-writes
local refusal = gate(KEYS[1], ARGV[1])
if refusal then return refusal end

local fields = redis.call("HGETALL", KEYS[2])
if #fields == 0 then return {"unknown_on_sale"} end
return {"standing", fields}
