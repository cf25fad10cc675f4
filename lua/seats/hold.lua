-- Holds named seats, best-available seats and standing places, over one or several performances:
-- all of them or nothing, for one owner, until one instant.
--
-- KEYS  cell operation outbox sale live (performance index due)…
-- ARGV  epoch fingerprint hold owner place terms items
-- WHERE place: see `pass_of`; empty for the house's own staff;
--       terms: packed [hold_ms, limit, lone_rule, lone_last, unpaid_holds, cool_down_ms, longest_ms,
--       codes [code, count, most, …], letters [a string a performance]], see `choose`;
--       items: packed [[performance, "seats", block, offset, …] | [performance, "best", class, k, wish], see `find_best`
--       | [performance, "area", area, count], …], performance counting from 1;
--       record: for each performance its packed hold, see `free_hold`;
--       ways: packed [[item, split, leaves_alone], …], how the best of an item were found
-- REPLY held: expires_at_ms sequence (record)… ways | other_payload | pass_ended | moved | ended: phase
--       | limit: performance owned | cool_down: until_ms | code_used: code left | taken: (item block offset)… | whole: item block
--       | none: item largest | alone: performance block offset other_block other_offset k
--       | unknown_performance | closed | fenced: epoch
-- INCLUDES gate recall step draft_all may_shop choose write_hold remember
-- FLAGS
local cell, operation, outbox, sale, live = unpack(KEYS)
local epoch, fingerprint, hold, owner, place, terms, items = unpack(ARGV)

local refusal = gate(cell, epoch)
if refusal then return refusal end
local answer = recall(operation, fingerprint)
if answer then return answer end
local step = step_of(cell, outbox, epoch)
if is_quiet(cell, step.now) then return {"closed"} end
local performances = draft_all(KEYS, 6, step, owner)
if not performances then return {"unknown_performance"} end

terms = terms_in(terms)
refusal = may_shop(sale, live, place, step.now) or cooling_down(performances, terms)
if refusal then return refusal end
local none, chosen = choose(performances, place, terms, cmsgpack.unpack(items), {})
if none then return none end

local reply = {"held", step.now + terms[1], numbered(step)}
write_hold(performances, hold, owner, reply[2], step.now + terms[7], chosen, "hold", reply)
-- For a day more than it may live: until then no other hold has its name, nor its token's prices.
return remember(operation, fingerprint, 86400 + math.ceil(terms[7] / 1000), reply)
