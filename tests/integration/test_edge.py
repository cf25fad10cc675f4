"""The shipped edge, run for real before two processes that remember what reaches them: one of them is a house's own."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from aiohttp import web

from engine.ports import free_port
from tests.backstage import until
from tests.edge import NGINX, WHY_NOT, running_edge

pytestmark = [
    pytest.mark.skipif(NGINX is None, reason=WHY_NOT),
    pytest.mark.asyncio(loop_scope="module"),
]
EXERCISES = ("nginx.conf",)
"""By way of `tests/edge.py`, which puts nginx.conf where a test is."""
RATE, BURST = 20, 5
numbers = itertools.count(1)
DOCUMENTS = ("on-sales/gala/status", "performances/evening/plan", "performances/evening/seats")
Found = tuple[int, bytes, Mapping[str, str]]


class Process:
    """A small web server behind the edge that remembers what reaches it, and may be slow or dead."""

    def __init__(self) -> None:
        self.seen: list[web.Request] = []
        self.port = 0
        self.cookie = "a=b"
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        if request.path.endswith("/changes"):
            stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await stream.prepare(request)
            await stream.write(b"data: 1\n\n")
            await asyncio.sleep(30)
            return stream
        await self.may_answer.wait()
        # Less than Parvis says: what happens to an old copy is the edge's own to decide.
        headers = {"Cache-Control": "public, max-age=1", "Set-Cookie": self.cookie}
        return web.json_response({"path": request.path, "by": self.port}, headers=headers)

    async def start(self) -> None:
        application = web.Application(client_max_size=2**20)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()

    def asked(self, path: str) -> int:
        return sum(request.path == path for request in self.seen)


class Edge:
    """The edge with a process for most houses and one of its own for `klinker`; `public` and `inner` ask it."""

    def __init__(
        self, shared: Process, own: Process, public: aiohttp.ClientSession, inner: aiohttp.ClientSession
    ) -> None:
        self.shared, self.own, self.public, self.inner = shared, own, public, inner

    async def ask(self, method: str, path: str, *, inner: bool = False, **options: Any) -> Found:
        async with (self.inner if inner else self.public).request(method, path, **options) as response:
            return response.status, await response.read(), response.headers

    async def get(self, path: str, **options: Any) -> Found:
        return await self.ask("GET", path, **options)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge() -> AsyncIterator[Edge]:
    shared, own, port, inner = Process(), Process(), free_port(), free_port()
    # Whoever is the first to find a copy old waits with the next request on that connection: here nobody has a next.
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    for process in (shared, own):
        await process.start()
    try:
        with running_edge(shared.port, port, inner=inner, own={"klinker": own.port}, rate=RATE, burst=BURST):
            async with (
                aiohttp.ClientSession(f"http://127.0.0.1:{port}", connector=connector) as public,
                aiohttp.ClientSession(f"http://127.0.0.1:{inner}") as inside,
            ):
                yield Edge(shared, own, public, inside)
    finally:
        for process in (shared, own):
            await process.stop()


@pytest.fixture
def house() -> str:
    """A house that no other test has asked: nothing of it is kept, none of its limits is used up."""
    return f"/v1/houses/house-{next(numbers)}"


def slug_of(found: Found) -> str:
    """The problem's word, of an answer that is a problem as it should be."""
    status, body, headers = found
    assert headers["Content-Type"] == "application/problem+json"
    problem = msgspec.json.decode(body)
    assert problem.keys() >= {"type", "title", "status", "detail"}
    assert problem["status"] == status
    return str(problem["type"]).removeprefix("/problems/")


async def has_been_asked(process: Process, path: str) -> bool:
    return process.asked(path) > 0


async def grows_old(edge: Edge, path: str) -> None:
    """Waits until the edge's copy is no longer fresh; the process may not answer, or is dead."""

    async def is_old() -> bool:
        return (await edge.get(path))[2]["X-Cache-Status"] != "HIT"

    await until(is_old, "the second for which a document is good goes by")


@pytest.mark.parametrize("document", DOCUMENTS)
async def test_a_hundred_who_ask_at_once_cost_one_request(edge: Edge, house: str, document: str) -> None:
    path = f"{house}/{document}"
    edge.shared.may_answer.clear()  # all of them are there before the first is answered
    polls = [asyncio.create_task(edge.get(f"{path}?n={n}", headers={"Cookie": "c=d"})) for n in range(100)]
    await until(lambda: has_been_asked(edge.shared, path), "the first of them reaches the process")
    await asyncio.sleep(0.1)  # as would the others, if they were let through
    edge.shared.may_answer.set()
    found = await asyncio.gather(*polls)
    assert {status for status, _, _ in found} == {200}
    assert len({body for _, body, _ in found}) == 1
    assert edge.shared.asked(path) == 1
    assert all("Set-Cookie" not in headers for _, _, headers in found)
    (seen,) = [request for request in edge.shared.seen if request.path == path]
    assert seen.query_string == ""
    assert not {"Cookie", "Authorization"} & seen.headers.keys()


async def test_a_document_that_grows_old_is_renewed_behind_everybodys_back(edge: Edge, house: str) -> None:
    path = f"{house}/{DOCUMENTS[0]}"
    await edge.get(path)
    edge.shared.may_answer.clear()
    try:
        await grows_old(edge, path)
        async with asyncio.timeout(10):  # nobody waits for the one who renews it
            found = await asyncio.gather(*(edge.get(path) for _ in range(50)))
    finally:
        edge.shared.may_answer.set()
    assert {status for status, _, _ in found} == {200}
    assert {headers["X-Cache-Status"] for _, _, headers in found} <= {"STALE", "UPDATING"}
    assert edge.shared.asked(path) == 2


async def test_a_dead_process_goes_unnoticed_by_those_who_wait_and_its_neighbour_lives(edge: Edge, house: str) -> None:
    klinker = "/v1/houses/klinker"
    for document in DOCUMENTS:
        await edge.get(f"{house}/{document}")
    await edge.shared.stop()
    try:
        for document in DOCUMENTS:
            await grows_old(edge, f"{house}/{document}")
            for _ in range(2):
                status, _, headers = await edge.get(f"{house}/{document}")
                assert status == 200
                assert headers["X-Cache-Status"] in {"STALE", "UPDATING"}
        refused = await edge.ask("POST", f"{house}/orders", json={})
        assert refused[0] == 503
        assert slug_of(refused) == "house-busy"
        assert refused[2]["Retry-After"] == "1"
        assert refused[2]["Access-Control-Allow-Origin"] == "*"
        for path in (f"{klinker}/{DOCUMENTS[0]}", klinker):
            status, body, _ = await edge.get(path)
            assert status == 200
            assert msgspec.json.decode(body)["by"] == edge.own.port
        assert slug_of(await edge.get(f"{house}/ops", inner=True)) == "cell-unavailable"
        assert (await edge.get(f"{klinker}/ops", inner=True))[0] == 200
    finally:
        await edge.shared.start()


async def test_a_house_is_routed_to_its_own_process_and_no_other(edge: Edge, house: str) -> None:
    for path, process in ((f"{house}/holds", edge.shared), ("/v1/houses/klinker/orders", edge.own)):
        _, body, _ = await edge.ask("POST", path, json={})
        assert msgspec.json.decode(body)["by"] == process.port
    for page in ("/h/klinker", "/h/klinker/gala", "/h/klinker/gala/seats", "/h/klinker/plain", "/h/klinker/gala/plain"):
        _, body, _ = await edge.get(page)
        assert msgspec.json.decode(body)["by"] == edge.own.port, page
    for odd in (
        "/h/klinker-2",
        "/web/h/klinker",
        "/v1/houses/klinker-2/x",
        "/v1/houses/klinkers/x",
        "/x/v1/houses/klinker/x",
    ):
        _, body, _ = await edge.get(odd)
        assert msgspec.json.decode(body)["by"] == edge.shared.port, odd


async def rush(edge: Edge, path: str, method: str = "POST") -> list[Found]:
    return list(await asyncio.gather(*(edge.ask(method, path, json={}) for _ in range(100))))


async def test_a_rush_is_refused_at_the_edge_in_words_and_the_neighbour_is_served(edge: Edge, house: str) -> None:
    found = await rush(edge, f"{house}/holds")
    refused = [each for each in found if each[0] != 200]
    assert len(refused) > 80
    assert {slug_of(each) for each in refused} == {"house-busy"}
    assert {(each[0], each[2]["Retry-After"]) for each in refused} == {(503, "1")}
    assert edge.shared.asked(f"{house}/holds") == len(found) - len(refused)
    other = f"/v1/houses/house-{next(numbers)}/holds"
    assert [(await edge.ask("POST", other, json={}))[0] for _ in range(3)] == [200] * 3


STEPS = (
    "on-sales/gala/places",
    "on-sales/gala/places/",
    "holds",
    "holds/",
    "orders",
    "nothing",
    "on-sales/gala/passes",
)


@pytest.mark.parametrize("step", STEPS)
async def test_a_rush_of_one_step_leaves_the_others_and_every_payment_alone(edge: Edge, house: str, step: str) -> None:
    assert sum(status == 503 for status, _, _ in await rush(edge, f"{house}/{step}")) > 80
    for other in ("on-sales/gala/places", "on-sales/gala/passes", "holds", "orders", "payments/demo/events"):
        is_same_step = step.rstrip("/") == other or {step.rstrip("/"), other} == {"holds", "orders"}
        if not is_same_step:
            assert (await edge.ask("POST", f"{house}/{other}", json={}))[0] == 200, other
    for ending in (("DELETE", "holds/h"), ("POST", "holds/h/extend")):
        if step not in {"holds/", "orders"}:
            assert (await edge.ask(ending[0], f"{house}/{ending[1]}"))[0] == 200


FORMS = ("join", "enter", "seats", "pay")


@pytest.mark.parametrize("form", FORMS)
async def test_a_form_has_the_limit_of_its_step_and_is_refused_in_words_for_people(
    edge: Edge, house: str, form: str
) -> None:
    room = f"/h/{house.rpartition('/')[2]}/gala/plain"
    found = await rush(edge, f"{room}/{form}")
    refused = [each for each in found if each[0] == 503]
    assert len(refused) > 80
    for each in refused:
        is_page_for_people(each)
    assert (await edge.get(room))[0] == 200, "whoever waits is told"
    for other in {*FORMS} - {form}:
        assert (await edge.ask("POST", f"{room}/{other}"))[0] == 200, other


def is_page_for_people(found: Found) -> None:
    """Words in every language, and a page that comes again by itself."""
    status, body, headers = found
    assert status == 503
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Retry-After"] == "5"
    assert b'http-equiv="refresh"' in body
    assert all(f'lang="{language}"'.encode() in body for language in ("nl", "fr", "de", "en"))


PAGES = ("/", "/plain", "/h/{}", "/h/{}/plain", "/h/{}/gala", "/h/{}/gala/plain", "/h/{}/gala/plain/pay?language=nl")


async def test_the_largest_cookie_that_browsers_keep_comes_through(edge: Edge, house: str) -> None:
    edge.shared.cookie = "parvis=" + "x" * 4096
    try:
        status, _, headers = await edge.ask("POST", f"/h/{house.rpartition('/')[2]}/gala/plain/seats", data={"a": "b"})
    finally:
        edge.shared.cookie = "a=b"
    assert status == 200
    assert len(headers["Set-Cookie"]) > 4096


async def test_whoever_looks_at_a_page_of_a_dead_house_reads_words(edge: Edge, house: str) -> None:
    slug = house.rpartition("/")[2]
    await edge.shared.stop()
    try:
        for page in PAGES:
            is_page_for_people(await edge.get(page.format(slug)))
        is_page_for_people(await edge.ask("POST", f"/h/{slug}/gala/plain/join", data="token=x"))
        is_page_for_people(await edge.ask("POST", f"/h/{slug}/gala/plain/pay", data="token=x"))
    finally:
        await edge.shared.start()
    assert (await edge.get("/plain"))[0] == 200


async def test_whoever_looks_at_a_page_of_a_house_that_takes_too_long_reads_words(edge: Edge, house: str) -> None:
    slug = house.rpartition("/")[2]
    edge.shared.may_answer.clear()
    try:
        asked = [edge.get(page.format(slug)) for page in PAGES]
        asked.append(edge.ask("POST", f"/h/{slug}/gala/plain/pay", data="token=x"))
        for found in await asyncio.gather(*asked):
            is_page_for_people(found)
    finally:
        edge.shared.may_answer.set()


async def test_no_rush_of_visitors_keeps_a_payment_provider_out(edge: Edge, house: str) -> None:
    rushes = [asyncio.create_task(rush(edge, f"{house}/{step}")) for step in STEPS]
    path = f"{house}/payments/mollie/events"
    told = [(await found)[0] for found in [edge.ask("POST", path, data=b"id=tr_1") for _ in range(BURST)]]
    refused = sum(status == 503 for each in await asyncio.gather(*rushes) for status, _, _ in each)
    assert refused > 500, "the rush was none"
    assert told == [200] * BURST


@pytest.mark.parametrize(
    ("what", "status", "slug"),
    [
        ({"data": b"x" * 200_000}, 413, "body-too-large"),
        ({"headers": {"X-Long": "x" * 9_000}}, 400, "bad-body"),
        ({"headers": {f"X-{n}": "x" * 7_000 for n in range(6)}}, 400, "bad-body"),
        ({"params": {"q": "x" * 9_000}}, 400, "bad-body"),
    ],
    ids=["body", "one header", "headers together", "address"],
)
async def test_what_is_too_large_ends_at_the_edge_in_words(
    edge: Edge, house: str, what: dict[str, Any], status: int, slug: str
) -> None:
    found = await edge.ask("POST", f"{house}/holds", **what)
    assert (found[0], slug_of(found)) == (status, slug)
    assert edge.shared.asked(f"{house}/holds") == 0


async def test_a_seating_plan_may_be_large(edge: Edge, house: str) -> None:
    assert (await edge.ask("POST", f"{house}/manage/halls", data=b"x" * 200_000))[0] == 200


async def test_changes_of_seats_pass_through_at_once(edge: Edge, house: str) -> None:
    path = f"{house}/performances/p/seats/changes?since=3"
    async with edge.public.get(path) as response, asyncio.timeout(5):
        assert await response.content.readline() == b"data: 1\n"
        assert "Content-Encoding" not in response.headers


async def answer_to(edge: Edge, target: str) -> int:
    """The status of what is asked for as it stands: a client library would have tidied the address."""
    address = edge.public._base_url
    assert address is not None
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n".encode())
    async with asyncio.timeout(10):
        status = int((await reader.readline()).split()[1])
    writer.close()
    return status


INSIDE = ("/metrics", "/readyz", "/ops", "/v1/operated-houses", "/v1/houses/zeewind/ops", "/v1/houses/klinker/ops")


@pytest.mark.parametrize("path", INSIDE)
async def test_what_is_for_ops_is_not_for_the_public(edge: Edge, path: str) -> None:
    before = len(edge.shared.seen) + len(edge.own.seen)
    assert slug_of(await edge.get(path)) == "not-found"
    spelled = (f"/.{path}", f"/x/..{path}", f"{path}?x=1", f"/{path}", path.replace("s", "%73"))
    for odd in (path, *spelled, f"{path}/", f"{path}//", f"{path}%2f", f"{path}/?x=1"):
        assert await answer_to(edge, odd) == 404, odd
    assert len(edge.shared.seen) + len(edge.own.seen) == before
    if path != "/metrics":  # each process tells its own
        assert (await edge.get(path, inner=True))[0] == 200
    assert (await edge.get("/v1/houses/zeewind/orders", inner=True))[0] == 404


@pytest.mark.parametrize(
    ("path", "scheme"), [("/", "http"), (f"/v1/houses/a/{DOCUMENTS[0]}", "https"), ("/metrics", "https")]
)
async def test_every_answer_carries_what_keeps_browsers_safe(edge: Edge, path: str, scheme: str) -> None:
    _, _, headers = await edge.get(path, headers={"X-Forwarded-Proto": scheme})
    assert headers.getall("X-Content-Type-Options") == ["nosniff"]  # type: ignore[attr-defined]
    assert ("Strict-Transport-Security" in headers) == (scheme == "https")
    assert not headers.get("Server", "nginx").removeprefix("nginx"), "no version is told"
    if path == "/":
        assert headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_process_hears_whether_the_visitor_speaks_tls_to_whatever_stands_before_the_edge(
    edge: Edge, house: str, scheme: str
) -> None:
    """The cookie of the pages without JavaScript is then for TLS alone."""
    await edge.ask("POST", f"{house}/orders", json={}, headers={"X-Forwarded-Proto": scheme})
    assert edge.shared.seen[-1].headers["X-Forwarded-Proto"] == scheme


async def test_what_a_client_says_of_its_own_address_is_not_passed_on(edge: Edge, house: str) -> None:
    await edge.ask("POST", f"{house}/orders", json={}, headers={"X-Forwarded-For": "10.0.0.1"})
    assert edge.shared.seen[-1].headers["X-Forwarded-For"] == "127.0.0.1"
