"""A hundred at once, over several connections, as the house's API user: exactly as many win as there is to win."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest
import redis
import redis.asyncio

from engine.client import FunctionClient
from engine.embedded.redis import EmbeddedRedis
from engine.library import assemble, install
from tests.lua.stage import SALE, Reply, Stage

RACERS = 100
CONNECTIONS = 8
SECRET = "a-word-for-tests"
EVERYBODY = range(RACERS)


class Plan(Stage):
    """A stage whose calls are not made but written down, for the racers to make."""

    def __init__(self, stage: Stage) -> None:
        self.__dict__.update(stage.__dict__)
        self.counter = 1_000_000  # operation ids of its own

    def ask(self, operation: str, keys: Sequence[str], *arguments: Any) -> Reply:
        return [operation, keys, arguments]


class Track:
    """The stage to look at, the plan to write calls on, and the connections to make them over."""

    def __init__(self, stage: Stage, clients: list[FunctionClient]) -> None:
        self.stage, self.plan, self.clients = stage, Plan(stage), clients

    async def race(self, plans: Sequence[Reply]) -> list[Reply]:
        """Makes all calls at once, in an order that nobody knows; answers theirs, in the order given."""
        functions = assemble().functions
        calls = [
            self.clients[number % CONNECTIONS].call(functions[operation], keys, arguments)
            for number, (operation, keys, arguments) in enumerate(plans)
        ]
        return list(await asyncio.gather(*calls))


def words(replies: Sequence[Reply]) -> Counter[str]:
    return Counter(reply[0].decode() for reply in replies)


@pytest.fixture
async def track(redis_server: EmbeddedRedis, owner: redis.Redis) -> AsyncIterator[Track]:
    stage = Stage(owner)
    async with AsyncExitStack() as stack:
        ops = await stack.enter_async_context(redis.asyncio.Redis.from_url(redis_server.owner_url))
        await install(ops, "house", "racer", SECRET)
        url = redis_server.url_as("racer", SECRET)
        clients = [await stack.enter_async_context(FunctionClient(url, timeout_ms=30_000)) for _ in range(CONNECTIONS)]
        yield Track(stage, clients)
    owner.execute_command("ACL", "DELUSER", "racer")


async def test_one_seat_has_one_owner(track: Track) -> None:
    track.stage.before("A: . . .")
    track.stage.let_in(*EVERYBODY)
    replies = await track.race([track.plan.hold(visitor, "A2") for visitor in EVERYBODY])
    assert words(replies) == {"held": 1, "taken": RACERS - 1}
    assert track.stage.after() == "A: . h ."
    winner = next(visitor for visitor, reply in enumerate(replies) if reply[0] == b"held")
    assert track.stage.due().keys() == {f"h{winner}"}
    assert sum(track.stage.owned(visitor) for visitor in EVERYBODY) == 1


@pytest.mark.parametrize(("quantity", "row"), [(1, 10), (2, 10), (3, 9), (4, 12)])
async def test_the_best_seats_go_to_as_many_parties_as_there_is_room_for(track: Track, quantity: int, row: int) -> None:
    track.stage.before("   ".join(f"{name}: " + " ".join("." * row) for name in "ABCD"))
    track.stage.let_in(*EVERYBODY)
    replies = await track.race([track.plan.best(visitor, quantity) for visitor in EVERYBODY])
    parties = 4 * row // quantity
    assert words(replies) == {"held": parties, "none": RACERS - parties}
    seats = [seat for reply in replies if reply[0] == b"held" for seat in track.stage.seats(reply).split()]
    assert len(seats) == len(set(seats)) == 4 * row
    assert set("".join(track.stage.rows())) == {"h"}
    assert track.stage.index_is_right()


async def test_standing_places_are_not_oversold(track: Track) -> None:
    track.stage.before("A: .", areas=(37,))
    track.stage.let_in(*EVERYBODY)
    replies = await track.race([track.plan.stand(visitor, 3) for visitor in EVERYBODY])
    assert words(replies) == {"held": 12, "none": RACERS - 12}
    assert track.stage.area() == (1, 0)


@pytest.mark.parametrize("seed", range(3))
async def test_wishes_that_overlap_are_granted_whole_or_not_at_all(track: Track, seed: int) -> None:
    chance = random.Random(seed)
    for performance in "pq":
        track.stage.before("   ".join(f"{name}: . . . . . . . ." for name in "ABCDE"), performance=performance)
    track.stage.let_in(*EVERYBODY)
    wanted = {
        visitor: [(chance.randrange(2) + 1, place // 8, place % 8) for place in chance.sample(range(40), 4)]
        for visitor in EVERYBODY
    }
    plans = [
        track.plan.hold_packed(visitor, [[number, "seats", *seat] for number, *seat in wishes], ["p", "q"])
        for visitor, wishes in wanted.items()
    ]
    replies = await track.race(plans)
    winners = [visitor for visitor, reply in enumerate(replies) if reply[0] == b"held"]
    assert words(replies) == {"held": len(winners), "taken": RACERS - len(winners)}
    assert 2 <= len(winners) <= 20
    granted = [seat for visitor in winners for seat in wanted[visitor]]
    assert len(granted) == len(set(granted))
    held = "".join(track.stage.rows("p") + track.stage.rows("q")).count("h")
    assert held == len(granted)
    for loser in set(EVERYBODY) - set(winners):
        assert track.stage.owned(loser, "p") == track.stage.owned(loser, "q") == 0
    assert track.stage.index_is_right("p")
    assert track.stage.index_is_right("q")


async def test_a_place_is_claimed_once(track: Track) -> None:
    track.stage.put_up(rate=1, joined=5, now_serving=5, burst_ms=10**9)
    replies = await track.race([track.plan.admit(3) for _ in EVERYBODY])
    assert words(replies) == {"admitted": 1, "renewed": RACERS - 1}
    assert track.stage.redis.execute_command("ZCARD", track.stage.keys.live(SALE)) == 1
    assert track.stage.redis.execute_command("BITCOUNT", track.stage.keys.claimed(SALE)) == 1
    assert track.stage.sale()["admitted"] == "1"


async def test_of_two_hundred_claims_at_once_for_each_of_a_thousand_places_one_is_the_shopper(track: Track) -> None:
    """C3. Each claim is a device of its own, and takes over from the one before: the last one shops."""
    stage, places, claims, at_once = track.stage, 1_000, 200, 20
    stage.put_up(rate=100_000, joined=places, now_serving=places, cap=places, burst_ms=10**9)
    told, newest = Counter[str](), 0
    for first in range(0, places, at_once):
        visitors = range(first, first + at_once)
        replies = await track.race(
            [track.plan.admit(visitor, pass_ms=600_000) for visitor in visitors for _ in range(claims)]
        )
        told += words(replies)
        for number, visitor in enumerate(visitors):
            generations = {reply[2] for reply in replies[number * claims : (number + 1) * claims]}
            assert len(generations) == claims
            score = float(stage.redis.execute_command("ZSCORE", stage.keys.live(SALE), visitor))
            newest += (score - int(score)) * 4096 in generations
    assert told == {"admitted": places, "renewed": places * (claims - 1)}
    assert newest == places
    assert stage.redis.execute_command("ZCARD", stage.keys.live(SALE)) == places
    assert stage.redis.execute_command("BITCOUNT", stage.keys.claimed(SALE)) == places
    assert stage.sale()["admitted"] == str(places)


async def test_no_more_passes_live_than_the_cap(track: Track) -> None:
    track.stage.put_up(rate=1, joined=RACERS, now_serving=RACERS, cap=30, burst_ms=10**9)
    replies = await track.race([track.plan.admit(index) for index in EVERYBODY])
    assert words(replies) == {"admitted": 30, "full": RACERS - 30}
    assert track.stage.redis.execute_command("ZCARD", track.stage.keys.live(SALE)) == 30


async def test_no_more_passes_at_once_than_the_burst(track: Track) -> None:
    track.stage.put_up(rate=1, joined=RACERS, now_serving=RACERS, burst_ms=7 * 60_000)
    replies = await track.race([track.plan.admit(index) for index in EVERYBODY])
    assert words(replies) == {"admitted": 7, "paced": RACERS - 7}


async def test_everyone_who_joins_gets_an_index_of_their_own(track: Track) -> None:
    track.stage.put_up(rate=1)
    replies = await track.race([track.plan.join(f"secret {number}") for number in EVERYBODY])
    assert sorted(reply[1] for reply in replies) == list(EVERYBODY)
    assert [int(entry[b"index"]) for entry in track.stage.entries()] == list(EVERYBODY)


async def test_a_line_ends_where_its_limit_is(track: Track) -> None:
    track.stage.put_up(rate=1)
    replies = await track.race([track.plan.join(f"secret {number}", limit=40) for number in EVERYBODY])
    assert words(replies) == {"joined": 40, "line_full": RACERS - 40}
    assert track.stage.sale()["joined"] == "40"


async def test_one_secret_has_one_place_however_often_it_joins(track: Track) -> None:
    track.stage.put_up(rate=1)
    replies = await track.race([track.plan.join("the same") for _ in EVERYBODY])
    assert {reply[1] for reply in replies} == {0}
    assert len(track.stage.entries()) == 1


async def test_one_hold_becomes_one_order(track: Track) -> None:
    track.stage.before("A: h1 h1 .")
    plan = track.plan
    replies = await track.race([plan.confirm(1, "h1", order=f"o{n}", payment=f"yes-{n}") for n in EVERYBODY])
    assert words(replies) == {"confirmed": 1, "hold_ended": RACERS - 1}
    assert len(track.stage.entries()) == 1
    assert (track.stage.sale()["orders"], track.stage.after()) == ("1", "A: s s .")


async def test_one_payment_buys_one_order(track: Track) -> None:
    track.stage.before("A: " + " ".join("." * RACERS))
    track.stage.let_in(*EVERYBODY)
    for visitor in EVERYBODY:
        assert track.stage.hold_packed(visitor, [[1, "seats", 0, visitor]])[0] == b"held"
    plan = track.plan
    replies = await track.race([plan.confirm(n, f"h{n}", order=f"o{n}", payment="yes-1") for n in EVERYBODY])
    assert words(replies) == {"confirmed": 1, "payment_used": RACERS - 1}
    assert track.stage.rows()[0].count("s") == 1


async def test_whoever_lets_go_and_pays_at_once_does_one_of_them(track: Track) -> None:
    track.stage.before("A: h1 .")
    plan = track.plan
    plans = [plan.release(1, "h1") if n % 2 else plan.confirm(1, "h1", payment=f"yes-{n}") for n in EVERYBODY]
    replies = words(await track.race(plans))
    assert replies["confirmed"] + replies["released"] == 1
    assert track.stage.after() == ("A: s ." if replies["confirmed"] else "A: . .")
    assert len(track.stage.entries()) == replies["confirmed"]


async def test_a_hold_is_extended_once(track: Track) -> None:
    track.stage.before("A: h1 .")
    replies = await track.race([track.plan.extend(1, "h1") for _ in EVERYBODY])
    assert words(replies) == {"extended": 1, "already_extended": RACERS - 1}


async def test_a_seat_is_blocked_or_held_and_never_both(track: Track) -> None:
    track.stage.before("A: . . .")
    track.stage.let_in(*EVERYBODY)
    plan = track.plan
    replies = await track.race([plan.allot("P", "A2") if n % 2 else plan.hold(n, "A2") for n in EVERYBODY])
    won = words(replies)
    assert won["allotted"] + won["held"] == 1
    assert track.stage.after() == ("A: . P ." if won["allotted"] else "A: . h .")


async def test_a_call_that_is_repeated_a_hundred_times_has_one_effect(track: Track) -> None:
    track.stage.before("A: . . h1", areas=(5,))
    track.stage.let_in(2, 3)
    track.stage.set_sale(joined=9, now_serving=9, rate=1, burst_ms=10**9)
    plan = track.plan
    repeated = {
        "join": plan.join("x", operation=track.stage.key()),
        "admit": plan.admit(7, operation=track.stage.key()),
        "hold": plan.hold_packed(2, [[1, "best", "", 2], [1, "area", 0, 1]], operation=track.stage.key()),
        "confirm": plan.confirm(1, "h1", order="o1", payment="yes-1", operation=track.stage.key()),
        "change": plan.change("message", "Hello", operation=track.stage.key()),
    }
    before = int(track.stage.fields(track.stage.keys.cell)["sequence"])
    racing = [(name, call) for name, call in repeated.items() for _ in range(RACERS // len(repeated))]
    random.Random(1).shuffle(racing)
    replies = await track.race([call for _, call in racing])
    answers = {(name, msgspec.msgpack.encode(reply)) for (name, _), reply in zip(racing, replies, strict=True)}
    assert len(answers) == len(repeated)
    assert int(track.stage.fields(track.stage.keys.cell)["sequence"]) == before + len(repeated)
    assert (track.stage.after(), track.stage.area()) == ("A: h h s", (4, 0))
    assert len(track.stage.entries()) == 3


async def test_a_partner_sells_exactly_its_share_and_nobody_else_any_of_it(track: Track) -> None:
    """Fifty calls of the partner for a share of eleven seats and seven places, while the public wants everything."""
    stage, plan, share, places = track.stage, track.plan, 11, 7
    stage.before("   ".join(f"{name}: . . . . . . . ." for name in "ABCDE"), areas=(20,))
    stage.let_in(*range(100, 160))
    seats = [f"{name}{number}" for name in "AC" for number in range(1, 7)][:share]
    stage.allot("P", " ".join(seats), [0, places, 0])
    own: dict[str, Any] = {"place": "", "terms": (0, 0, 0, 0, 1_800_000, (), ("P",))}
    theirs = [
        *(plan.hold_packed(n, [[1, "best", "", 1, {"from": "P"}]], **own) for n in range(20)),
        *(plan.hold(n, seats[n % share], **own) for n in range(20, 40)),
        *(plan.hold_packed(n, [[1, "area", "P0", 1]], **own) for n in range(40, 50)),
    ]
    public = [
        *(plan.best(n, 1 + n % 3) for n in range(100, 125)),
        *(plan.hold(n, seats[n % share]) for n in range(125, 140)),
        *(plan.stand(n, 1) for n in range(140, 160)),
    ]
    racing = [*theirs, *public]
    order = list(range(len(racing)))
    random.Random(4).shuffle(order)
    answers = dict(zip(order, await track.race([racing[number] for number in order]), strict=True))
    # Whoever named a seat that another of them got asks again, for whichever is left.
    again = await track.race([plan.hold_packed(n, [[1, "best", "", 1, {"from": "P"}]], **own) for n in range(60, 80)])
    of_partner = [answers[number] for number in range(40)] + again
    of_public = [answers[number] for number in range(50, len(racing))]
    allotted = {name for reply in of_partner if reply[0] == b"held" for name in stage.seats(reply).split()}
    sold = sum(reply[0] == b"held" for reply in of_partner)
    assert (sold, allotted) == (share, set(seats))
    assert words([answers[number] for number in range(40, 50)]) == {"held": places, "none": 10 - places}
    general = {name for reply in of_public if reply[0] == b"held" for name in stage.seats(reply).split()}
    assert not general & set(seats)
    assert words([answers[number] for number in range(50 + 40, len(racing))]) == {"held": 13, "none": 7}
    assert "P" not in "".join(stage.rows())
    assert stage.index_is_right()
