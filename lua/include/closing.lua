-- At which epoch this process closed each cell last: it opens only what it closed itself. A recovery that goes past a
-- promotion, or past the move of a slot, would else open a Redis that it never compared.
-- INCLUDES
local closed_at = {}
