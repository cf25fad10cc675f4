"""What cannot be right is refused with its exact problem, and nothing changed: not a key in Redis, not a row."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import msgspec
import pytest

from tests.integration.books import Books, changes
from tests.integration.requests import Cast, Wrong
from tests.integration.wrong import EVERYTHING
from tests.town import Sale, Town, past, small_plan

SEEN: dict[str, dict[str, Any]] = {}
"""What the books said last: nothing changes between two wrong requests."""


async def person(sale: Sale, seat: str) -> "tuple[str, str, str, str]":
    """Place, secret, pass and hold of one visitor."""
    place, secret = await sale.join()
    token = await sale.pass_for(place, secret)
    held = await sale.hold(token, seat)
    assert held.status == 201, held.json
    return place, secret, token, held.json["hold"]


async def buyer(sale: Sale, seat: str) -> "dict[str, str]":
    token = await sale.enter()
    held = await sale.hold(token, seat)
    ordered = await sale.order(token, held.json["hold"])
    await sale.until_recorded(ordered.json)
    return {name: ordered.json[name] for name in ("order", "order_secret")}


@pytest.fixture(scope="module")
def sale(town: Town) -> Sale:
    return asyncio.run(town.open_sale("noord", hold_seconds=600))


@pytest.fixture(scope="module")
def cast(town: Town, sale: Sale) -> Cast:
    async def gather() -> Cast:
        shortly: dict[str, Any] = {"pass_seconds": 1, "hold_seconds": 1}
        async with (
            sale,
            await town.open_sale("noord", plan=small_plan(rows=6)) as other,
            await town.open_sale("noord", **shortly) as ended,
            await town.open_sale("zuid") as far,
        ):
            place, secret, token, hold = await person(sale, "zaal-A-1")
            _, _, _, other_hold = await person(sale, "zaal-A-3")
            far_place, far_secret, far_pass, far_hold = await person(far, "zaal-A-1")
            _, _, ended_pass, ended_hold = await person(ended, "zaal-A-1")
            mine, theirs = await buyer(sale, "zaal-A-5"), await buyer(far, "zaal-A-5")
            reader = await sale.key("orders:read")
            await ended.until_seats("o", "zaal-A-1")
            await past(ended.slot_ends_at(ended_pass))
            await ended.until_seats("o", "zaal-A-1")
            return Cast(
                on_sale=sale.on_sale,
                performance=sale.performance,
                place=place,
                secret=secret,
                pass_=token,
                hold=hold,
                order=mine["order"],
                order_secret=mine["order_secret"],
                other_pass=await other.enter(),
                other_hold=other_hold,
                other_on_sale=other.on_sale,
                other_performance=other.performance,
                far_on_sale=far.on_sale,
                far_performance=far.performance,
                far_place=far_place,
                far_secret=far_secret,
                far_pass=far_pass,
                far_hold=far_hold,
                far_order=theirs["order"],
                far_order_secret=theirs["order_secret"],
                ended_performance=ended.performance,
                ended_pass=ended_pass,
                ended_hold=ended_hold,
                far_key=far.manage_key,
                manage_key=sale.manage_key,
                counter_key=sale.counter_key,
                reader_key=reader,
            )

    return asyncio.run(gather())


@pytest.fixture(scope="module")
def books(town: Town, cast: Cast) -> Iterator[Books]:
    with Books(town, "noord") as opened:
        SEEN["books"] = opened.settled()
        yield opened


def nothing_changed(books: Books, *, but: str = "") -> bool:
    """Nothing since the last time that this was asked, but keys with `but` in their name."""
    after = books.read()
    changed = {name for name in changes(SEEN["books"], after) if not but or but not in name}
    SEEN["books"] = after
    assert not changed
    return True


@pytest.mark.parametrize("wrong", EVERYTHING, ids=repr)
async def test_it_is_refused_with_its_own_problem_and_nothing_changed(
    sale: Sale, cast: Cast, books: Books, wrong: Wrong
) -> None:
    facts = msgspec.structs.asdict(cast) if isinstance(cast, msgspec.Struct) else vars(cast)
    async with sale:
        answer = await sale.ask(
            wrong.method,
            wrong.path.format(**facts, town=sale.town.url),
            wrong.body(cast) if wrong.body else None,
            token=facts[wrong.who] if wrong.who else "",
        )
        assert (answer.status, answer.slug) == (wrong.status, wrong.slug), answer.json
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.json.keys() >= {"type", "title", "status", "detail"}
        assert answer.json["status"] == answer.status
        assert ("WWW-Authenticate" in answer.headers) == (answer.status == 401)
        assert ("Allow" in answer.headers) == (answer.status == 405)
    assert nothing_changed(books)


BODIES: "list[tuple[str, bytes, int, str]]" = [
    ("nothing", b"", 400, "bad-body"),
    ("half an object", b'{"items": [', 400, "bad-body"),
    ("a list", b"[]", 400, "bad-body"),
    ("null", b"null", 400, "bad-body"),
    ("a number", b"7", 400, "bad-body"),
    ("a word", b"yes", 400, "bad-body"),
    ("two objects", b"{}{}", 400, "bad-body"),
    ("not a number", b'{"items": NaN}', 400, "bad-body"),
    ("no text", b'{"secret_hash": "\xff\xfe"}', 400, "bad-body"),
    ("half a character", b'{"secret_hash": "\\ud800"}', 400, "bad-body"),
    ("another encoding", '{"items": []}'.encode("utf-16"), 400, "bad-body"),
    ("a mark before it", b"\xef\xbb\xbf{}", 400, "bad-body"),
    ("a deep well", b"[" * 60_000, 400, "bad-body"),
    ("a deep well of objects", b'{"items":' * 7_000, 400, "bad-body"),
    ("a megabyte", b'{"items": "' + b"x" * 1_000_000 + b'"}', 413, "body-too-large"),
    ("a megabyte of noise", b"\xff" * 1_000_000, 413, "body-too-large"),
]
ROUTES = [
    ("/on-sales/{on_sale}/places", ""),
    ("/on-sales/{on_sale}/passes", ""),
    ("/holds", "pass_"),
    ("/orders", "pass_"),
    ("/manage/performances", "manage_key"),
    ("/manage/on-sales", "manage_key"),
    ("/manage/keys", "manage_key"),
    ("/manage/on-sales/{on_sale}/rate", "manage_key"),
]


async def trickled(body: bytes) -> AsyncIterator[bytes]:
    """A body in pieces, which says nothing of its length beforehand."""
    for start in range(0, len(body), 8_192):
        yield body[start : start + 8_192]


@pytest.mark.parametrize("is_trickled", [False, True], ids=["whole", "in pieces"])
@pytest.mark.parametrize(("path", "who"), ROUTES)
async def test_a_body_that_is_none_is_refused_on_every_route(
    sale: Sale, cast: Cast, books: Books, path: str, who: str, *, is_trickled: bool
) -> None:
    async with sale, aiohttp.ClientSession() as session:
        for name, body, status, slug in BODIES:
            headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
            if who:
                headers["Authorization"] = f"Bearer {vars(cast)[who]}"
            data = trickled(body) if is_trickled else body
            url = sale.base + path.format(on_sale=cast.on_sale)
            async with session.post(url, data=data, headers=headers) as response:
                problem = await response.json(content_type="application/problem+json")
                found = (response.status, problem["type"])
            assert found == (status, f"/problems/{slug}"), (name, problem)
    assert nothing_changed(books)


@pytest.mark.parametrize(
    ("headers", "key", "status", "slug"),
    [
        ({"Content-Type": "text/plain"}, "", 415, "wrong-content-type"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "", 415, "wrong-content-type"),
        ({"Content-Type": "multipart/form-data; boundary=x"}, "", 415, "wrong-content-type"),
        ({"Content-Type": "application/json-patch+json"}, "", 415, "wrong-content-type"),
        ({"Content-Type": ""}, "", 415, "wrong-content-type"),
        ({}, None, 400, "idempotency-key-missing"),
        ({"Idempotency-Key": ""}, None, 400, "idempotency-key-missing"),
        ({"Idempotency-Key": "x" * 201}, None, 400, "idempotency-key-missing"),
        ({"Idempotency-Key": "a\tb"}, None, 400, "idempotency-key-missing"),
    ],
)
@pytest.mark.parametrize(("path", "who"), ROUTES)
async def test_what_is_no_json_or_names_no_operation_is_refused_on_every_route(
    sale: Sale,
    cast: Cast,
    books: Books,
    path: str,
    who: str,
    headers: "dict[str, str]",
    key: "str | None",
    status: int,
    slug: str,
) -> None:
    async with sale:
        token = vars(cast)[who] if who else ""
        target = path.format(on_sale=cast.on_sale)
        answer = await sale.post(target, {}, token=token, key=key, headers=headers)
        assert (answer.status, answer.slug) == (status, slug)
    assert nothing_changed(books)


@pytest.mark.parametrize(
    ("name", "body", "status", "slug"),
    [
        *(each for each in BODIES if each[2] != 413),
        ("a deep plan", b'{"hall": "h", "name": "H", "plan": {"zones": ' + b"[" * 100_000, 400, "bad-body"),
        ("seventeen megabytes", b'{"hall": "' + b"x" * 17_000_000 + b'"}', 413, "body-too-large"),
        ("seventeen megabytes of noise", b"\xff" * 17_000_000, 413, "body-too-large"),
        ("a plan that is empty", b'{"hall": "h", "name": "H", "plan": {}}', 422, "bad-input"),
    ],
)
async def test_a_plan_that_is_none_is_refused(
    sale: Sale, books: Books, name: str, body: bytes, status: int, slug: str
) -> None:
    async with sale:
        answer = await sale.ask("POST", "/manage/halls", raw=body, token=sale.manage_key)
        assert (answer.status, answer.slug) == (status, slug), answer.json
    # The key of a request that could be read belongs to it from then on, whatever became of it.
    assert nothing_changed(books, but=":op:" if status == 422 else "")


async def test_a_content_type_may_say_its_charset_and_is_spelled_in_any_case(sale: Sale) -> None:
    async with sale:
        for value in ("application/json; charset=utf-8", "Application/JSON", "application/json ;q=1"):
            answer = await sale.post("/holds", {}, headers={"Content-Type": value})
            assert answer.slug == "pass-required"


async def test_an_event_of_a_megabyte_is_refused(sale: Sale) -> None:
    async with sale:
        answer = await sale.ask("POST", "/payments/demo/events", raw=b"x" * 1_000_000, key=None)
        assert (answer.status, answer.slug) == (413, "body-too-large")
