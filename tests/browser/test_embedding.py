"""A house's own website, at another origin than Parvis: the component, the redirect, the frame, the guard."""

import contextlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from playwright.async_api import expect
from yarl import URL

from api.pages import VERSION, widget_files
from api.versions import file_of, integrity_of, write_files
from engine.instants import now_ms
from engine.ports import free_port
from parvis_guard.pages import PROBLEMS
from tests.browser.person import DESK, PHONE, People, Person, Site
from tests.browser.test_waiting import manage
from tests.edge import NGINX, TEMPORARY, WHY_NOT, nginx_command, until_listening
from tests.guard_alone import GUARD, python_alone
from tests.town import Sale, Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
EXERCISES = ("examples/*", "examples/component/*", "examples/frame/*", "examples/redirect/*", "examples/seat-map/*")
AWAY = PROBLEMS["no-keys"]
"""What the guard says itself where it cannot tell."""
OLD = "0123456789ab"


@pytest.mark.parametrize("device", [PHONE, DESK], ids=["360", "1280"])
async def test_the_component_leads_from_the_houses_page_to_the_seats_under_a_strict_policy(
    town: Town, people: People, site: Site, device: dict[str, Any]
) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive(device) as visitor:
        with site.shows_examples(sale) as address:
            await visitor.open(f"{address}/component/")
            await expect(visitor.page.locator("#situation")).to_have_text("joinable")
            assert await visitor.overflow() == 0
            await visitor.press("Join the queue")
            await visitor.sees("It’s your turn!", "Questions? Call our box office.")
            await expect(visitor.page.locator("body")).to_have_attribute("data-turn", "yes")
            assert await visitor.page.evaluate("trustedTypes.getAttributeType('script', 'src')") == "TrustedScriptURL"
            await visitor.press("Choose my seats")
            await expect(visitor.page).to_have_url(re.compile(rf"^{town.url}/h/zeewind/{sale.on_sale}/seats"))
            await expect(visitor.button("Find the best seats")).to_be_visible()
            assert "secret" not in visitor.page.url


async def test_the_seat_map_reserves_in_the_houses_page_with_a_pass_from_behind_the_hash(
    town: Town, people: People, site: Site
) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive() as visitor:
        with site.shows_examples(sale) as address:
            await visitor.open(f"{address}/seat-map/#pass={await sale.enter()}")
            await visitor.press("Find the best seats")
            await visitor.finds(sale, "h", 2)
            await expect(visitor.page.locator("#held")).to_have_text(re.compile("zaal-"))
            assert "pass" not in visitor.page.url
            assert await visitor.overflow() == 0


async def test_a_frame_of_another_site_is_left_at_the_top(town: Town, people: People, site: Site) -> None:
    """`127.0.0.1` and `localhost` are two sites; the house's page lets the first frame it."""
    async with await town.open_sale("zeewind") as sale, people.arrive() as visitor:
        framed_by = f"http://127.0.0.1:{site.port}"
        with site.shows_examples(sale, "--framed-by", framed_by):
            await visitor.open(f"{framed_by}/frame/")
            frame = visitor.page.frame_locator("iframe")
            await frame.get_by_role("button", name="Join the queue").click()
            await frame.get_by_role("button", name="Choose my seats").click()
            await expect(visitor.page).to_have_url(re.compile(rf"^{town.url}/h/zeewind/{sale.on_sale}/seats"))
            await expect(visitor.button("Find the best seats")).to_be_visible()


async def test_a_frame_that_keeps_its_visitors_shows_them_a_way_out(town: Town, people: People, site: Site) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive() as visitor:
        framed_by = f"http://127.0.0.1:{site.port}"
        with site.shows_examples(sale, "--framed-by", framed_by):
            await visitor.open(f"{framed_by}/frame/sandboxed.html")
            frame = visitor.page.frame_locator("iframe")
            await frame.get_by_role("button", name="Join the queue").click()
            await frame.get_by_role("button", name="Choose my seats").click()
            async with visitor.context.expect_page() as opened:
                await frame.get_by_role("link", name="Choose my seats").click()
            page = await opened.value
            await expect(page.get_by_role("button", name="Find the best seats")).to_be_visible()
            # The browser says that it kept the frame from leading away: that is what this is about.
            kept = [fault for fault in visitor.faults if "sandbox" in fault or "top-level" in fault]
            assert kept
            visitor.faults[:] = [fault for fault in visitor.faults if fault not in kept]


async def test_a_version_that_a_house_has_pinned_outlives_an_upgrade(town: Town, people: People, site: Site) -> None:
    _, files = widget_files()
    files["parvis.js"] = file_of("parvis.js", b"globalThis.release = 'old';" + files["parvis.js"].body)
    write_files(town.folder / "web", OLD, files)
    script, integrity = f"{town.url}/web/{OLD}/parvis.js", integrity_of(files["parvis.js"].body)
    async with await town.open_sale("zeewind", opens_at_ms=now_ms() + 3_600_000) as sale:
        async with aiohttp.ClientSession() as session, session.get(script) as answer:
            assert "immutable" in answer.headers["Cache-Control"]
        async with people.arrive() as visitor:
            with site.shows_examples(sale, "--script", script, "--integrity", integrity) as address:
                await visitor.open(f"{address}/component/")
                await visitor.press("Join the queue")
                await visitor.sees("You are in the queue")
                assert await visitor.page.evaluate("release") == "old"
    assert (town.folder / "web" / VERSION / "files.json").is_file(), "this release keeps its own files too"


async def test_a_first_file_that_is_not_the_one_pinned_does_not_run(town: Town, people: People, site: Site) -> None:
    script = f"{town.url}/web/{'f' * 12}/parvis.js"
    async with await town.open_sale("zeewind") as sale, people.arrive() as visitor:
        with site.shows_examples(sale, "--script", script, "--integrity", integrity_of(b"another")) as address:
            await visitor.open(f"{address}/component/")
            await visitor.sees("Questions? Call our box office.")
            assert await visitor.page.evaluate("customElements.get('parvis-waiting-room')") is None
            visitor.faults[:] = [fault for fault in visitor.faults if "integrity" not in fault]


@pytest.mark.parametrize("bent", [None, "words/en/everywhere.json", "widgetmore.js"])
async def test_files_at_the_houses_own_server_work_and_a_bent_one_is_refused(
    town: Town, people: People, site: Site, tmp_path: Path, bent: str | None
) -> None:
    version, files = widget_files(town.url)
    whole = write_files(tmp_path, version, files)
    if bent:
        body = files[bent].body
        changed = body.replace(b"Join the queue", b"Pay a stranger") + b"\nbent = 1;" * bent.endswith(".js")
        (whole / bent).write_bytes(changed)
        assert (whole / bent).read_bytes() != body
    options = ("--copied", str(tmp_path), "--script", f"/parvis/{version}/parvis.js")
    async with await town.open_sale("zeewind") as sale, people.arrive() as visitor:
        own = ("--integrity", integrity_of(files["parvis.js"].body))
        with site.shows_examples(sale, *options, *own) as address:
            if bent == "words/en/everywhere.json":
                async with visitor.page.expect_event("console", lambda said: "integrity" in said.text):
                    await visitor.open(f"{address}/component/")
                await expect(visitor.page.get_by_text("Pay a stranger")).to_have_count(0)
            elif bent:
                async with visitor.page.expect_event("console", lambda said: "integrity" in said.text):
                    await visitor.open(f"{address}/component/")
                await visitor.sees("Join the queue")
                assert await visitor.page.evaluate("typeof bent") == "undefined"
            else:
                await visitor.open(f"{address}/component/")
                await visitor.press("Join the queue")
                await visitor.sees("It’s your turn!")
            if bent:
                assert visitor.faults
                visitor.faults.clear()


@pytest.mark.parametrize("device", [PHONE, DESK], ids=["360", "1280"])
async def test_a_visitor_goes_to_the_queue_and_comes_back_with_a_pass(
    town: Town, people: People, site: Site, device: dict[str, Any]
) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive(device) as visitor:
        asked: list[str] = []
        visitor.context.on("request", lambda request: asked.append(request.url + str(request.headers)))
        with site.shows_examples(sale) as address:
            await visitor.open(f"{address}/redirect/")
            await visitor.page.get_by_role("link", name="To the queue").click()
            await visitor.press("Join the queue")
            await visitor.press("Continue to the house’s own tickets")
            await visitor.sees("It’s your turn, until")
            assert visitor.page.url == f"{address}/redirect/back.html"
            # A pass is three parts of base64; none was in an address or a header that a server logs.
            assert not [each for each in asked if re.search(r"eyJ[\w-]+\.eyJ", each.partition("#")[0])]
    assert any("/redirect/session" in each for each in asked)


async def test_whoevers_pass_was_stopped_goes_back_with_a_new_one(town: Town, people: People, site: Site) -> None:
    async with (
        await town.open_sale("zeewind", known_user_event="opening") as sale,
        people.arrive(PHONE, refused=[401, 404]) as visitor,
    ):
        with site.shows_examples(sale) as address:
            back = f"{address}/redirect/back.html"
            room = f"/h/zeewind/{sale.on_sale}?return_to={quote(back, safe='')}"
            await visitor.open(room)
            await visitor.press("Join the queue")
            await visitor.press("Continue to the house’s own tickets")
            await visitor.page.wait_for_url(f"{back}?queueittoken=e_opening~*")
            for verb in ("stop", "resume"):
                await manage(sale, verb)
            await visitor.open(room)
            await visitor.press("Continue to the house’s own tickets")
            await visitor.sees("Your time is up.")
            await visitor.press("Continue to the house’s own tickets")
            await visitor.page.wait_for_url(f"{back}?queueittoken=e_opening~*")


NOT_ALLOWED = ("https://evil.example/", "//evil.example", "javascript:alert(1)", "")


async def is_sent_nowhere(visitor: Person, sale: Sale, addresses: Sequence[str]) -> None:
    """Comes with each of the addresses to return to, which the house does not allow; then in without any."""
    for address in addresses:
        await visitor.open(f"/h/zeewind/{sale.on_sale}?return_to={quote(address, safe='')}")
        await visitor.sees("an address to return to that the house does not know")
        await expect(visitor.page.get_by_role("button", name="Join the queue")).to_have_count(0)
    await visitor.page.get_by_role("link", name="Go on to the queue").click()
    await visitor.press("Join the queue")
    await visitor.press("Choose my seats")


async def test_nobody_is_sent_to_an_address_that_the_house_does_not_allow(
    town: Town, people: People, site: Site
) -> None:
    back = f"{site.local_origin}/redirect/back.html"
    site_lookalikes = (f"{site.local_origin}.evil.example/", f"{back}@evil.example", f"{back}/..%2f..", f"\t{back}")
    async with await town.open_sale("zeewind") as sale, people.arrive(PHONE) as visitor:
        await is_sent_nowhere(visitor, sale, [*NOT_ALLOWED, *site_lookalikes])
        await expect(visitor.page).to_have_url(f"{town.url}/h/zeewind/{sale.on_sale}/seats")


@contextlib.contextmanager
def guarded_site(sale: Sale, site: Site, *, by_nginx: bool, fails: str = "") -> Iterator[str]:
    """The example's ticketing with the guard before it, at the site's address; nothing of Parvis is installed there.

    fails: nginx is set so, and the guard's service is away.
    """
    environment = os.environ | {
        "PYTHONPATH": str(GUARD),
        "PARVIS_GUARD_SERVER": sale.town.url,
        "PARVIS_GUARD_HOUSE": sale.slug,
        "PARVIS_GUARD_ON_SALE": sale.on_sale,
        "PARVIS_GUARD_ORIGIN": site.local_origin,
        "PARVIS_GUARD_SECRET": "of-this-test-alone",
    }
    ports = [free_port(), free_port()] if by_nginx else [site.port]
    apps: list[tuple[str, ...]] = [("ticketing:ticketing",), ("parvis_guard.service:application",)]
    if not by_nginx:
        apps = [("--factory", "ticketing:guarded")]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp")))
        python = str(python_alone(folder / "venv"))
        server = (python, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--log-level", "warning")
        for port, app in list(zip(ports, apps, strict=True))[: 1 if fails else None]:
            process = subprocess.Popen([*server, "--port", str(port), *app], env=environment, cwd=GUARD)
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
            until_listening(port, process, folder)
        if by_nginx:
            folder.chmod(0o755)
            text = (GUARD / "nginx.conf").read_text()
            temporary = "".join(f"{name}_temp_path {folder}/{name};\n" for name in TEMPORARY)
            for there, here in (
                ("http {\n", "http {\n" + temporary),
                ("server 127.0.0.1:9200", f"server 127.0.0.1:{ports[0]}"),
                ("server 127.0.0.1:9100", f"server 127.0.0.1:{ports[1]}"),
                ("listen 8090", f"listen 127.0.0.1:{site.port}"),
                ("set $fails @closed;", f"set $fails @{fails or 'closed'};"),
                ("/tmp/guarded-nginx.pid", f"{folder}/nginx.pid"),
                ("/dev/stdout", f"{folder}/access.log"),
                ("/dev/stderr", f"{folder}/error.log"),
            ):
                assert there in text, there
                text = text.replace(there, here)
            (folder / "nginx.conf").write_text(text)
            process = subprocess.Popen([*nginx_command(folder / "nginx.conf"), "-g", "daemon off;"])
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
            until_listening(site.port, process, folder)
        yield site.local_origin
        if by_nginx:
            assert not re.search(r"eyJ|parvis_turn", (folder / "access.log").read_text())


async def buys_of_the_house_itself(visitor: Person, address: str) -> None:
    """Through the waiting room to the house's own tickets, and an order there."""
    await visitor.open(f"{address}/tickets?show=7")
    await expect(visitor.page).to_have_url(re.compile(rf"^{visitor.url}/h/zeewind/"))
    await visitor.press("Join the queue")
    await visitor.press("Continue to the house’s own tickets")
    await visitor.sees("Tickets of our own")
    assert visitor.page.url == f"{address}/tickets?show=7"
    (turn,) = [cookie for cookie in await visitor.context.cookies(address) if cookie["name"] == "parvis_turn"]
    assert (turn["httpOnly"], turn["sameSite"]) == (True, "Lax")
    assert turn["expires"] > now_ms() / 1000
    await visitor.press("Order")
    await visitor.sees("Ordered")


async def asks(method: str, address: Any, **options: Any) -> tuple[int, str, str]:
    """Status, where it leads, and body, without a cookie."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, address, allow_redirects=False, **options) as answer,
    ):
        return answer.status, answer.headers.get("Location", ""), await answer.text()


async def is_guarded(address: str, sale: Sale) -> None:
    """What goes through without a turn, and what does not."""
    for method, path, body in (
        ("POST", "/payments/webhook", "noted"),
        ("GET", "/payment/return", "thank you"),
        ("GET", "/assets/style.css", "sans-serif"),
        ("GET", "/healthz", "well"),
    ):
        status, _, text = await asks(method, address + path, data=b"1" if method == "POST" else None)
        assert (status, body in text) == (200, True), path
    status, location, _ = await asks("GET", f"{address}/tickets", headers={"Accept": "text/html"})
    assert (status, location.startswith(f"{sale.town.url}/h/zeewind/{sale.on_sale}?")) == (303, True)
    status, _, text = await asks("POST", f"{address}/tickets/order", data=b"seats=2", headers={"Accept": "text/html"})
    assert (status, "Nothing was sent" in text) == (409, True)
    status, _, text = await asks("GET", f"{address}/tickets", headers={"Accept": "application/json"})
    assert (status, json.loads(text)["type"]) == (409, "/problems/no-turn")
    for path in ("/assets/%2e%2e/tickets", "/assets//tickets", "/healthz/..%2ftickets", "/assets/..;/tickets"):
        status, _, text = await asks("GET", URL(address + path, encoded=True))
        assert (status == 200, "Tickets of our own" in text) == (False, False), path


@pytest.mark.parametrize("by_nginx", [False, True], ids=["middleware", "nginx"])
async def test_a_house_with_its_own_ticketing_wants_only_the_waiting_room(
    town: Town, people: People, site: Site, by_nginx: bool
) -> None:
    if by_nginx and NGINX is None:
        pytest.skip(WHY_NOT)
    async with await town.open_sale("zeewind") as sale, people.arrive(PHONE) as visitor:
        with guarded_site(sale, site, by_nginx=by_nginx) as address:
            await is_guarded(address, sale)
            await buys_of_the_house_itself(visitor, address)
            token = (await visitor.kept(sale)).get("pass") or await pass_kept(visitor, sale)
            async with people.arrive(PHONE, refused=[403]) as other:
                await other.open(f"{address}/tickets")
                await other.open(f"{address}/parvis/return?to=/tickets#pass={token}")
                await other.sees("This turn is already being used in another browser.")
                await other.open(f"{address}/tickets")
                await expect(other.page).to_have_url(re.compile(rf"^{town.url}/h/"))


@pytest.mark.skipif(NGINX is None, reason=WHY_NOT)
@pytest.mark.parametrize("fails", ["closed", "open"])
async def test_while_the_guard_is_away_nginx_lets_nobody_in_or_everybody_and_says_so_in_words(
    town: Town, people: People, site: Site, fails: str
) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive(PHONE, refused=[503]) as visitor:
        with guarded_site(sale, site, by_nginx=True, fails=fails) as address:
            if fails == "open":
                for path in ("/tickets?show=7", "/parvis/return?to=/tickets#pass=x"):
                    status, location, text = await asks("GET", address + path)
                    assert (status, location) == ((200, "") if "tickets?" in path else (302, f"{address}/")), path
                    assert "Tickets of our own" in text or location
                status, _, text = await asks("POST", f"{address}/tickets/order", data=b"seats=2")
                assert (status, "Ordered" in text) == (200, True)
                assert (await asks("GET", f"{address}/nothing"))[0] == 404, "what the ticketing says passes untouched"
                return
            for method, path in (("GET", "/tickets"), ("POST", "/tickets/order"), ("GET", "/parvis/return?to=/")):
                status, _, text = await asks(method, address + path, data=b"seats=2" if method == "POST" else None)
                assert status == 503, path
                assert all(f'<p lang="{language}">{words}</p>' in text for language, words in AWAY.items()), path
            await visitor.open(f"{address}/tickets")
            await visitor.sees("Probeer het over een ogenblik opnieuw.", "Please try again in a moment.")


async def pass_kept(visitor: Person, sale: Sale) -> str:
    """The pass as the waiting page keeps it."""
    await visitor.open(f"/h/{sale.slug}/{sale.on_sale}")
    return str((await visitor.kept(sale))["pass"])
