"""Forms that nobody's own page made, cookies from elsewhere, and what must never be in an address: nothing changes."""

import re
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
import pytest_asyncio

from api.app import create_app
from api.forms.door import FORMS, IN_LINE, IN_TURN, NOBODY, Form
from api.forms.kept import Kept, pack_kept, unpack_kept
from engine.draw import encode
from engine.network import Limits
from engine.signing import Hold, Signer
from engine.words import HouseSlug
from tests.backstage import Backstage
from tests.integration.books import Books, changes
from tests.plain import PlainVisitor, room
from tests.town import Sale, Town
from tests.unread import UnreadBody

BODY = {"performance": "", "key": "0", "q.full": "2", "email": "eve@example.org", "payment": "yes", "hold": "x"}
SENT_FROM = {
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "a sibling's site": {"Sec-Fetch-Site": "same-site"},
    "another origin": {"Origin": "https://evil.example"},
    "an origin that hides": {"Origin": "null"},
}


def path_of(form: Form, sale: Sale) -> str:
    return form.path.replace("{house:str}", sale.slug).replace("{on_sale:str}", sale.on_sale)


def cookie(value: str) -> dict[str, str]:
    return {"Cookie": f"parvis={value}"}


def kept(visitor: PlainVisitor, sale: Sale) -> Kept:
    found = unpack_kept(visitor.cookie(sale))
    assert found is not None
    return found


def id_of_the_hold(sale: Sale, own: Kept) -> str:
    """The id of the one hold of a basket."""
    (held,) = own.holds
    signer = Signer(HouseSlug(sale.slug), sale.town.network.house(HouseSlug(sale.slug)).secrets_path)
    return signer.read(Hold, encode(held.token)).hold


async def token_of(visitor: PlainVisitor, sale: Sale) -> str:
    """What the forms of a visitor's pages carry."""
    page = await visitor.open(room(sale) + "/leave")
    return next(value for form in page.forms for name, value in form.fields if name == "token")


@pytest_asyncio.fixture(loop_scope="function")
async def scene(town: Town) -> AsyncIterator[tuple[Sale, PlainVisitor]]:
    """Somebody with a place and seats in their basket."""
    async with await town.open_sale("noord", hold_seconds=300) as sale, PlainVisitor(town.url) as visitor:
        await visitor.send(await visitor.comes_in(sale), "Find the best seats")
        yield sale, visitor


def test_every_form_says_for_whom_it_is() -> None:
    assert len(FORMS) >= 6
    assert {form.needs for form in FORMS} == {NOBODY, IN_LINE, IN_TURN}
    assert [form.path.rpartition("/")[2] for form in FORMS if form.needs == NOBODY] == ["join", "contact"]


async def test_a_form_that_was_not_made_for_its_sender_changes_nothing(
    town: Town, scene: "tuple[Sale, PlainVisitor]"
) -> None:
    sale, visitor = scene
    token, value = await token_of(visitor, sale), visitor.cookie(sale)
    async with PlainVisitor(town.url) as eve, PlainVisitor(town.url) as nobody:
        await eve.send(await eve.open(room(sale)), "Join the queue")
        theirs = await token_of(eve, sale)
        with Books(town, "noord") as books:
            before = books.settled()
            for form in FORMS:
                path = path_of(form, sale)
                attempts: dict[str, tuple[dict[str, str], str]] = {
                    "no cookie": ({}, token),
                    "no token": (cookie(value), ""),
                    "another's token": (cookie(value), theirs),
                    "no cookie of ours": (cookie("AAAA"), token),
                    **{name: (cookie(value) | headers, token) for name, headers in SENT_FROM.items()},
                }
                for name, (headers, sent) in attempts.items():
                    body = BODY | {"token": sent, "performance": sale.performance}
                    page = await nobody.ask("POST", path, headers=headers, data=body, follow=False)
                    assert page.status == 403, (form, name, page.text)
                    assert "Set-Cookie" not in page.headers
                for media_type in ("text/plain", "application/json"):
                    headers = cookie(value) | {"Content-Type": media_type}
                    page = await nobody.ask("POST", path, headers=headers, data=f"token={token}", follow=False)
                    assert page.status == 415
            assert not changes(before, books.read())


async def test_a_form_for_whoever_is_further_on_changes_nothing_for_who_is_not(town: Town, shared: Sale) -> None:
    async with shared as sale, PlainVisitor(town.url) as new, PlainVisitor(town.url) as queued:
        page = await new.open(room(sale))
        token = dict(page.form("Join the queue").fields)["token"]
        await queued.send(await queued.open(room(sale)), "Join the queue")
        in_line = await token_of(queued, sale)
        with Books(town, "noord") as books:
            before = books.settled()
            for form in FORMS:
                path, body = path_of(form, sale), BODY | {"performance": sale.performance}
                if form.needs != NOBODY:
                    answer = await new.ask("POST", path, data=body | {"token": token}, follow=False)
                    assert (answer.status, answer.headers["Location"]) == (303, room(sale)), form
                if form.needs == IN_TURN:
                    answer = await queued.ask("POST", path, data=body | {"token": in_line}, follow=False)
                    told = f"{room(sale)}?problem=pass-required"
                    assert (answer.status, answer.headers["Location"]) == (303, told), form
            assert not changes(before, books.read())


async def test_a_cookie_from_elsewhere_is_nobodys(town: Town, scene: "tuple[Sale, PlainVisitor]") -> None:
    sale, visitor = scene
    own = kept(visitor, sale)
    async with (
        await town.open_sale("noord") as other,
        await town.open_sale("zuid") as far,
        PlainVisitor(town.url) as stranger,
    ):
        flipped = own.place[:-4] + ("A" if own.place[-4] != "A" else "B") + own.place[-3:]
        wrong = {
            "another on-sale": (other, own),
            "another house": (far, own),
            "a changed place": (sale, msgspec.structs.replace(own, place=flipped)),
            "another secret": (sale, msgspec.structs.replace(own, secret="x" * 43)),
            "a place and no more": (sale, Kept(secret="", place=own.place)),
        }
        for name, (where, forged) in wrong.items():
            stranger.jar.clear()  # else what the answer before brought would be sent instead
            page = await stranger.ask("GET", room(where), headers=cookie(pack_kept(forged)))
            assert page.status == 200
            assert page.form("Join the queue"), name
            stranger.jar.clear()
            page = await stranger.ask("GET", f"{room(where)}/seats", headers=cookie(pack_kept(forged)))
            assert page.path == room(where), name
        order = msgspec.structs.replace(own, order="01a210fc-0a53-7e46-a4d7-7adafdbb9ed9", order_secret="x")
        stranger.jar.clear()
        page = await stranger.ask("GET", f"{room(sale)}/order", headers=cookie(pack_kept(order)))
        assert page.path == room(sale)


async def test_seats_of_another_are_not_in_ones_own_basket(town: Town, scene: "tuple[Sale, PlainVisitor]") -> None:
    sale, visitor = scene
    own = kept(visitor, sale)
    async with PlainVisitor(town.url) as thief:
        await thief.comes_in(sale)
        token = await token_of(thief, sale)
        value = pack_kept(msgspec.structs.replace(kept(thief, sale), holds=own.holds))
        held = id_of_the_hold(sale, own)
        with Books(town, "noord") as books:
            before = books.settled()
            for path in ("/seats", "/pay"):
                thief.jar.clear()
                shown = await thief.ask("GET", room(sale) + path, headers=cookie(value))
                assert "Nothing yet" in shown.text
            for path in ("/release", "/pay"):
                thief.jar.clear()
                body = BODY | {"token": token, "hold": held}
                answer = await thief.ask("POST", room(sale) + path, headers=cookie(value), data=body, follow=False)
                assert answer.status == 303
            assert not changes(before, books.read())
    paid = await visitor.send(await visitor.open(f"{room(sale)}/pay"), "Pay", email="ada@example.org")
    assert "Your order is confirmed" in paid.text


async def test_an_order_is_shown_to_whoever_keeps_its_secret_alone(
    town: Town, scene: "tuple[Sale, PlainVisitor]"
) -> None:
    sale, visitor = scene
    paid = await visitor.send(await visitor.open(f"{room(sale)}/pay"), "Pay", email="ada@example.org")
    own = kept(visitor, sale)
    assert paid.orders == [own.order]
    async with PlainVisitor(town.url) as stranger:
        await stranger.comes_in(sale)
        theirs = kept(stranger, sale)
        for secret in ("", "x", theirs.secret, own.order_secret[:-2]):
            stranger.jar.clear()
            value = pack_kept(msgspec.structs.replace(theirs, order=own.order, order_secret=secret))
            page = await stranger.ask("GET", f"{room(sale)}/order", headers=cookie(value))
            assert page.path == room(sale), secret
            assert page.orders == []


@pytest.mark.parametrize("instant", [-1, 2**53, 2**63 - 1])
async def test_a_cookie_with_a_time_that_is_none_is_nobodys(
    town: Town, scene: "tuple[Sale, PlainVisitor]", instant: int
) -> None:
    sale, visitor = scene
    own = kept(visitor, sale)
    (held,) = own.holds
    for forged in (
        msgspec.structs.replace(own, pass_ends_at_ms=instant),
        msgspec.structs.replace(own, holds=(msgspec.structs.replace(held, expires_at_ms=instant),)),
    ):
        for page in ("/seats", "/pay"):
            async with PlainVisitor(town.url) as stranger:
                shown = await stranger.ask("GET", room(sale) + page, headers=cookie(pack_kept(forged)))
            assert (shown.status, shown.path) == (200, room(sale))
            assert shown.form("Join the queue")


@pytest.mark.parametrize(
    "value", ["", "x", "AAAA", "eJw", pack_kept(Kept(secret="s"))[:-3], pack_kept(Kept(secret="s" * 200_000)), "%00"]
)
async def test_a_cookie_that_says_nothing_is_none(town: Town, shared: Sale, value: str) -> None:
    async with shared as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.ask("GET", room(sale), headers=cookie(value))
        assert page.status == 200
        assert page.form("Join the queue")
        assert "Set-Cookie" in page.headers, "they begin anew"


async def test_the_cookie_is_for_no_script_no_other_site_and_no_other_on_sale(town: Town, shared: Sale) -> None:
    async with shared as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.open(room(sale))
        name, *parts = page.headers["Set-Cookie"].split("; ")
        assert name.startswith("parvis=")
        assert parts == [f"Path={room(sale)}", "Max-Age=2592000", "HttpOnly", "SameSite=Lax"]
        page = await visitor.ask("GET", room(sale), headers={"X-Forwarded-Proto": "https"})
        name, *parts = page.headers["Set-Cookie"].split("; ")
        assert name.startswith("__Secure-parvis=")
        assert parts[-1] == "Secure"


async def test_pages_are_nobody_elses_and_run_nothing(town: Town, shared: Sale) -> None:
    async with shared as sale, PlainVisitor(town.url) as visitor:
        for path in ("/plain", "/h/noord/plain", room(sale), "/h/noord/nothing/plain", "/h/nobody/x/plain"):
            page = await visitor.open(path)
            policy = page.headers["Content-Security-Policy"]
            assert "script" not in policy
            assert "default-src 'none'" in policy
            assert "form-action 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert page.headers["Cache-Control"] == "no-store"
            assert page.headers["Referrer-Policy"] == "same-origin"
            assert page.headers["X-Content-Type-Options"] == "nosniff"
            assert page.headers["Content-Type"] == "text/html; charset=utf-8"
            assert "Access-Control-Allow-Origin" not in page.headers
            assert not re.search(r"<script|<style| style=| on[a-z]+=", page.body)
        assert page.status == 404


async def test_nothing_that_must_stay_with_the_visitor_is_in_an_address(
    town: Town, scene: "tuple[Sale, PlainVisitor]"
) -> None:
    sale, visitor = scene
    page = await visitor.open(f"{room(sale)}/pay")
    seen: list[str] = []
    for email, payment in (("wrong", "yes"), ("ada@example.org", "no"), ("ada@example.org", "yes")):
        page = await visitor.send(page, "Pay", email=email, payment=payment)
        seen += [page.url, *(form.action for form in page.forms)]
        seen += [href for href, _ in page.links if not href.startswith("mailto:")]
    own = kept(visitor, sale)
    assert own.order
    assert len(seen) > 15
    secrets = [own.secret, own.place, own.order, own.order_secret, "ada@example.org", "ada%40example.org"]
    assert [address for address in seen if any(secret in address for secret in secrets)] == []
    assert {name for address in seen for name in parse_qs(urlsplit(address).query)} <= {"language", "performance"}
    log = town.log()
    assert [secret for secret in secrets if secret in log] == []


async def test_what_an_address_says_is_only_ever_text(town: Town, scene: "tuple[Sale, PlainVisitor]") -> None:
    sale, visitor = scene
    nasty = "\"'><script>alert(1)</script>"
    for path in ("/plain", room(sale), f"{room(sale)}/seats", f"{room(sale)}/pay", f"{room(sale)}/order"):
        names = ("problem", "taken", "instead", "largest", "zone", "row", "category", "q.full", "text", "from", "house")
        page = await visitor.ask("GET", path, params=[(name, nasty) for name in (*names, "language", "performance")])
        assert page.status == 200, (path, page.text)
        assert "<script" not in page.body
        # What nobody wrote here is not said: no words but ours are put into somebody's mouth.
        assert "alert(1)" not in page.text


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.path.rpartition("/")[2])
async def test_a_form_is_refused_unread_as_a_page_while_the_house_is_full(stage: Backstage, form: Form) -> None:
    house = msgspec.structs.replace(stage.house, limits=Limits(concurrency=1, body_bytes=300))
    app = create_app([house])
    async with app.lifespan():
        cell = app.state.cells[house.slug]
        body = UnreadBody(app, b"x" * 301, "application/x-www-form-urlencoded")
        path = form.path.replace("{house:str}", house.slug).replace("{on_sale:str}", "a-sale")
        cell.under_way = 1
        status, headers = await body.ask("POST", path)
        assert (status, headers[b"content-type"], headers[b"retry-after"]) == (503, b"text/html; charset=utf-8", b"1")
        assert b"refresh" not in headers, "what was sent is not sent again by itself"
        assert body.reads == 0
        status, headers = await body.ask("GET", path)
        assert (status, int(headers[b"refresh"]) in range(5, 16)) == (503, True), "one by one"
        cell.under_way = 0
        assert (await body.ask("POST", path))[0] == 503, "the house is closed, and nothing can be said to be unknown"
        assert cell.under_way == 0
