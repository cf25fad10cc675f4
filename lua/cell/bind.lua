-- Binds an operation id to one payload, for an operation of several steps each of which may be repeated:
-- with the same payload it is simply done again, with another one it is refused.
--
-- KEYS  cell operation
-- ARGV  epoch fingerprint
-- REPLY bound | other_payload | closed | fenced: epoch
-- INCLUDES gate recall remember
-- FLAGS
local cell, operation = unpack(KEYS)
local epoch, fingerprint = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end

return remember(operation, fingerprint, 86400, {"bound"})
