"""Queue-it's own connector, as npm has it and unchanged, takes the token of a return link, and no other."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import aiohttp
import pytest

from engine.errors import BadInput
from engine.instants import from_rfc3339, now_ms
from engine.known_user import check_event, secret_key, spell
from engine.network import load
from tests.npm import node_with, run_node
from tests.plain import PlainVisitor, room
from tests.town import RETURN_ADDRESS, Sale, Town, small_plan

CONNECTOR = "@queue-it/connector-javascript@5.0.1"
EVENT = "opening-2026"
KEY = "a1b2" * 18
SITE = "https://www.noord.example/tickets?show=7"
RUN = """
import { createHmac } from 'node:crypto';
import connector from '@queue-it/connector-javascript';
const [key, event, prefix, ...tokens] = process.argv.slice(1);
const { KnownUser, QueueEventConfig } = connector;
const said = [];
async function visit(token, cookies) {
  const set = {};
  const request = {
    getUserAgent: () => 'a browser', getHeader: () => '', getAbsoluteUri: () => 'SITE',
    getUserHostAddress: () => '127.0.0.1', getCookieValue: (name) => cookies[name], getRequestBodyAsString: () => '',
  };
  const context = {
    getHttpRequest: () => request,
    getHttpResponse: () => ({ setCookie: (name, value, domain, expiration) => { set[name] = { value, expiration }; } }),
    getCryptoProvider: () => ({ getSha256Hash: (by, text) => createHmac('sha256', by).update(text).digest('hex') }),
    getEnqueueTokenProvider: () => null,
  };
  const config = new QueueEventConfig(
    event, [event], '', '', 'tickets.example.org', prefix, true, 20, '', true, true, 1, 'tickets');
  const made = await KnownUser.resolveQueueRequestByLocalConfig('SITE', token, config, 'noord', key, context, '');
  return { redirects: made.doRedirect(), to: made.redirectUrl, queueId: made.queueId, type: made.redirectType, set };
}
for (const token of tokens) {
  const first = await visit(token, {});
  const cookies = Object.fromEntries(Object.entries(first.set).map(([name, { value }]) => [name, value]));
  said.push({ ...first, again: first.redirects ? null : !(await visit('', cookies)).redirects });
}
console.log(JSON.stringify(said));
""".replace("SITE", SITE)


def connector(tokens: Sequence[str], *, key: str = KEY, event: str = EVENT, prefix: str = "h/noord/x/queue-it") -> Any:
    """What the connector makes of each token: whether it sends its visitor to the queue, and where."""
    return json.loads(run_node(node_with(CONNECTOR), RUN, key, event, prefix, *tokens))


def test_the_connector_takes_a_token_and_no_other() -> None:
    now_s = int(time.time())
    good = spell(KEY, EVENT, "5e1f", now_s, now_s + 600, "queue").token
    said, _, mac = good.partition("~h_")
    bent = [
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        f"{said.replace('cv_10', 'cv_99')}~h_{mac}",
        f"{said.replace('q_5e1f', 'q_5e2f')}~h_{mac}",
        said,
        "",
        "~~~",
    ]
    ended = spell(KEY, EVENT, "5e1f", now_s - 600, now_s + 600, "queue").token
    other_key = spell("b" * 72, EVENT, "5e1f", now_s, now_s + 600, "queue").token
    other_event = spell(KEY, "another", "5e1f", now_s, now_s + 600, "queue").token
    first, *others = connector([good, *bent, ended, other_key, other_event])
    assert (first["redirects"], first["queueId"], first["type"]) == (False, "5e1f", "queue")
    assert first["again"] is True, "its own cookie is good for the next page"
    (cookie,) = first["set"].values()
    assert "FixedValidityMins=10" in cookie["value"], "the site's own session ends with the pass"
    assert [each["redirects"] for each in others] == [True] * len(others)
    errors = [urlsplit(each["to"]).path.rpartition("/error/")[2].strip("/") for each in others]
    assert errors[:3] == ["hash"] * 3
    assert "timestamp" in errors[6]
    assert errors[7] == "hash"
    assert errors[8] == "eventid"


def test_a_session_of_the_site_ends_with_the_pass() -> None:
    now_s = 1_800_000_000
    assert spell(KEY, EVENT, "a", now_s, now_s + 900, "queue").token.startswith(
        f"e_{EVENT}~q_a~ts_{now_s + 180}~ce_false~cv_15~rt_queue~h_"
    )
    assert spell(KEY, EVENT, "a", now_s, now_s + 50, "queue").expires_at_ms == (now_s + 50) * 1000
    assert "~cv_1~" in spell(KEY, EVENT, "a", now_s, now_s + 50, "queue").token


@pytest.mark.parametrize("event", ["a_b", "a~b", "ä", "a b", "a" * 65, "a&b"])
def test_an_event_that_a_token_cannot_carry_is_refused(event: str) -> None:
    with pytest.raises(BadInput, match="known_user_event"):
        check_event(event)


def test_a_house_may_bring_the_key_that_its_connector_has(tmp_path: Path) -> None:
    (tmp_path / "known-user.key").write_text(f"{KEY}\n")
    assert secret_key(tmp_path) == KEY
    made = secret_key(tmp_path / "another")
    assert len(made) == 72
    secret_key.cache_clear()
    assert secret_key(tmp_path / "another") == made


async def led(address: str) -> Any:
    """Where an address leads."""
    async with aiohttp.ClientSession() as browser, browser.get(address, allow_redirects=False) as answer:
        assert answer.status == 303
        return urlsplit(answer.headers["location"])


async def known_by(town: Town, event: str) -> Sale:
    return await town.open_sale("noord", plan=small_plan(), known_user_event=event)


async def test_the_way_there_and_back_with_the_connector(town: Town) -> None:
    async with await known_by(town, EVENT) as sale:
        key = secret_key(load(town.network_file).house("noord").secrets_path)
        prefix = f"h/noord/{sale.on_sale}/queue-it"
        (sent,) = connector([""], key=key, prefix=prefix)
        there = urlsplit(sent["to"])
        assert (there.netloc, there.path.rstrip("/")) == ("tickets.example.org", f"/{prefix}")
        for address in (f"{there.path}?{there.query}", f"/{prefix}/error/hash/?{there.query}"):
            room = await led(town.url + address)
            assert room.path == f"/h/noord/{sale.on_sale}"
            assert parse_qs(room.query)["return_to"] == [SITE]
        token = await sale.enter()
        path = f"/on-sales/{sale.on_sale}/known-user"
        answer = await sale.get(path, token)
        assert answer.status == 200, answer.json
        assert answer.headers["cache-control"] == "no-store"
        (taken,) = connector([answer.json["queueittoken"]], key=key, prefix=prefix)
        assert (taken["redirects"], taken["again"]) == (False, True)
        assert (await sale.get(f"/on-sales/{sale.on_sale}")).json["known_user"] is True
        assert (await sale.get(path)).slug == "pass-required"
        assert (await sale.get(path, "forged.forged.forged")).slug == "forged-token"
        async with await town.open_sale("noord", plan=small_plan()) as other:
            assert (await other.get(f"/on-sales/{other.on_sale}")).json["known_user"] is False
            assert (await other.get(f"/on-sales/{other.on_sale}/known-user", await other.enter())).slug == "not-found"
            assert (await sale.get(path, await other.enter())).slug == "not-your-place"


async def test_no_token_for_a_pass_that_opens_nothing(town: Town) -> None:
    """One that was taken over, left, or stopped: its connector would let two in for one, or somebody after a stop."""
    async with await known_by(town, EVENT) as sale:
        path = f"/on-sales/{sale.on_sale}/known-user"
        place, secret = await sale.join()
        first = await sale.pass_for(place, secret)
        second = await sale.pass_for(place, secret)
        refused = await sale.get(path, first)
        assert (refused.status, refused.slug) == (409, "moved-elsewhere")

        # Whoever has left has until the slot is given back, and no longer.
        leaving = {"leaving": True, "at": now_ms()}
        left = await sale.post(f"/on-sales/{sale.on_sale}/presence", leaving, token=second)
        answer = await sale.get(path, second)
        assert from_rfc3339(answer.json["expires_at"]) <= from_rfc3339(left.json["expires_at"])
        await sale.post(f"/on-sales/{sale.on_sale}/presence", {"leaving": False, "at": now_ms() + 1}, token=second)

        for verb in ("stop", "resume"):
            told = {"reason": "a fire"}
            assert (
                await sale.post(f"/manage/on-sales/{sale.on_sale}/{verb}", told, token=sale.manage_key)
            ).status == 200
            refused = await sale.get(path, second)
            assert (refused.status, refused.slug) == (401, "pass-ended")
        # The way on: whose turn it is claims it again.
        assert (await sale.get(path, await sale.pass_for(place, secret))).status == 200


async def test_without_javascript_a_pass_that_was_stopped_is_given_up_and_claimed_again(town: Town) -> None:
    async with await known_by(town, EVENT) as sale:
        there = f"{room(sale)}?return_to={quote(RETURN_ADDRESS, safe='')}"
        async with PlainVisitor(town.url) as visitor:
            page = await visitor.until(
                await visitor.send(await visitor.open(there), "Join the queue"), "Continue to the house’s own tickets"
            )
            left = await visitor.send(page, "Continue to the house’s own tickets", follow=False)
            assert "queueittoken=" in left.headers["location"]
            for verb in ("stop", "resume"):
                path = f"/manage/on-sales/{sale.on_sale}/{verb}"
                assert (await sale.post(path, {"reason": "a fire"}, token=sale.manage_key)).status == 200
            query = there.partition("?")[2]
            told = await visitor.open(f"{room(sale)}/back?{query}")
            assert "Your time is up." in told.text
            page = await visitor.until(told, "Continue to the house’s own tickets")
            again = await visitor.send(page, "Continue to the house’s own tickets", follow=False)
            assert "queueittoken=" in again.headers["location"]


async def test_whoever_is_sent_here_with_somebody_elses_address_stays(town: Town) -> None:
    async with await known_by(town, EVENT) as sale:
        evil = "https://evil.example/"
        address = f"{town.url}/h/noord/{sale.on_sale}/queue-it/?c=noord&e={EVENT}&t={quote(evil, safe='')}"
        room = await led(address)
        assert (room.netloc, parse_qs(room.query)["return_to"]) == ("", [evil]), "to the room, which judges it"
        shown = await sale.ask("GET", f"{town.url}{room.path}/plain?{room.query}")
        assert '"https://evil.example' not in shown.body.decode()
        assert "#pass" not in shown.body.decode()
