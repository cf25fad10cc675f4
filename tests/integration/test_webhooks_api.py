"""A house's endpoints over HTTP and from a shell, on a whole town: registered, told, looked at, disabled, removed."""

import asyncio
import json
import re
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from engine.webhooks import TYPES
from tests.integration.commands import Parvis
from tests.receiver import ADDRESS, Receiver
from tests.town import Answer, Sale, Town, small_plan


@pytest.fixture
async def receiver(town: Town) -> AsyncIterator[Receiver]:
    async with Receiver(town.certificate) as running:
        yield running


async def manage(sale: Sale, path: str, body: "dict[str, Any] | None" = None, **options: Any) -> Answer:
    return await sale.post(
        f"/manage/webhooks{path}", {"reason": "a test"} | (body or {}), token=sale.manage_key, **options
    )


async def register(sale: Sale, receiver: Receiver, path: str, *types: str) -> str:
    made = await manage(sale, "", {"url": receiver.url(path), "types": types or list(TYPES), "description": "Ours"})
    assert made.status == 201, made.json
    receiver.secrets[path] = made.json["secret"]
    return str(made.json["webhook"])


async def listed(sale: Sale, webhook: str) -> "dict[str, Any]":
    found = (await sale.get("/manage/webhooks", token=sale.manage_key)).json["webhooks"]
    return next(each for each in found if each["webhook"] == webhook)


async def deliveries(sale: Sale, webhook: str, query: str = "") -> "list[dict[str, Any]]":
    found = await sale.get(f"/manage/webhooks/{webhook}/deliveries{query}", token=sale.manage_key)
    assert found.status == 200, found.json
    return list(found.json["deliveries"])


async def remove(sale: Sale, webhook: str) -> None:
    assert (await sale.ask("DELETE", f"/manage/webhooks/{webhook}", token=sale.manage_key)).status == 204


async def test_a_sale_over_http_is_told_to_its_own_house_alone(town: Town, receiver: Receiver) -> None:
    async with (
        await town.open_sale("noord", plan=small_plan(rows=2, seats=2, standing=0)) as sale,
        await town.open_sale("zuid") as far,
    ):
        ours, theirs = await register(sale, receiver, "/ours"), await register(far, receiver, "/theirs")
        for verb in ("pause", "resume"):
            told = await sale.post(f"/manage/on-sales/{sale.on_sale}/{verb}", {"reason": "x"}, token=sale.manage_key)
            assert told.status == 200
        token = await sale.enter()
        held = (await sale.hold(token, "zaal-A-1", "zaal-A-2", "zaal-B-1", "zaal-B-2")).json["hold"]
        order = (await sale.order(token, held)).json
        # Other tests sell in this house as well.
        await until_types(receiver, sale, order["order"], 5)
        reader = await sale.key("orders:read")
        fetched = await sale.get(f"/manage/orders/{order['order']}", token=reader)
        assert (fetched.status, fetched.json["state"], len(fetched.json["items"])) == (200, "recorded", 4)
        assert fetched.json["email"] == town.canaries["noord"].email
        refunded = await sale.post(f"/manage/orders/{order['order']}/refund", {"reason": "x"}, token=sale.manage_key)
        assert refunded.status == 200
        types = await until_types(receiver, sale, order["order"], 6)
        assert sorted(types) == sorted(
            [
                *("on_sale.paused", "on_sale.resumed", "on_sale.sold_out"),
                *("order.confirmed", "order.recorded", "order.refunded"),
            ]
        )
        assert all(each.is_right for each in receiver.received)
        assert town.canaries["noord"].customer.encode() not in b"".join(each.body for each in receiver.received)
        assert not [each for each in receiver.received if each.path == "/theirs" and sale.on_sale.encode() in each.body]
        # What the receiver has taken is struck off a moment later.
        await until_counted(sale, 6)
        for _ in range(100):
            states = {each["state"] for each in await deliveries(sale, ours)}
            if states == {"delivered"}:
                break
            await asyncio.sleep(0.05)
        assert states == {"delivered"}
        for house, webhook in ((sale, ours), (far, theirs)):
            await remove(house, webhook)


async def until_counted(sale: Sale, count: int) -> None:
    """Waits until Prometheus would read that so many were taken."""
    line = re.compile(
        rf'^parvis_webhook_attempts_total{{house="{sale.slug}",outcome="delivered"}} (\S+)$', re.MULTILINE
    )
    for _ in range(200):
        (number,) = line.findall((await sale.get(f"{sale.town.url}/metrics")).body.decode()) or ["0"]
        if float(number) >= count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(number)


async def until_types(receiver: Receiver, sale: Sale, order: str, count: int) -> "list[str]":
    """What is told of an on-sale and an order at `/ours`, once it is so many."""
    deadline = time.monotonic() + 20
    while True:
        names = {sale.on_sale, order}
        own = [each for each in receiver.received if each.path == "/ours" and names & set(each.says["data"].values())]
        # That it opened is told only if its house had an endpoint by then.
        types = [each.type for each in own if each.type != "on_sale.opened"]
        if len(types) >= count:
            return types
        assert time.monotonic() < deadline, types
        await asyncio.sleep(0.05)


async def test_an_endpoint_is_tried_sent_again_rotated_disabled_and_removed(town: Town, receiver: Receiver) -> None:
    async with await town.open_sale("zuid") as sale:
        webhook = await register(sale, receiver, "/hook", "order.refunded")
        tested = await manage(sale, f"/{webhook}/test")
        (came,) = await receiver.until(1)
        assert (came.event, came.type, came.is_right) == (tested.json["event"], "webhook.test", True)
        assert came.says["data"] == {"webhook": webhook}
        assert (await manage(sale, f"/{webhook}/deliveries/{came.event}/resend")).status == 200
        assert [each.event for each in await receiver.until(2)] == [came.event] * 2
        missing = await manage(sale, f"/{webhook}/deliveries/none/resend")
        assert (missing.status, missing.slug) == (404, "unknown-event")
        first = receiver.secrets["/hook"]
        rotated = await manage(sale, f"/{webhook}/secret", {"overlap_seconds": 3600})
        assert rotated.json["secret"] != first
        assert rotated.json["previous_until"]
        for secret in (first, rotated.json["secret"]):
            receiver.secrets["/hook"] = secret
            await manage(sale, f"/{webhook}/test")
            assert (await receiver.until(len(receiver.received) + 1))[-1].is_right
        assert "secret" not in await listed(sale, webhook)
        changed = await manage(sale, f"/{webhook}", {"types": ["order.recorded"], "description": "The till"})
        assert (changed.json["types"], changed.json["description"]) == (["order.recorded"], "The till")
        assert changed.json["url"] == receiver.url("/hook")
        assert (await manage(sale, f"/{webhook}/disable", {"reason": "repairs"})).json["disabled_why"] == "repairs"
        refused = await manage(sale, f"/{webhook}/test")
        assert (refused.status, refused.slug) == (409, "webhook-disabled")
        assert (await manage(sale, f"/{webhook}/enable")).json["disabled"] is False
        await remove(sale, webhook)
        gone = await sale.get(f"/manage/webhooks/{webhook}/deliveries", token=sale.manage_key)
        assert (gone.status, gone.slug) == (404, "unknown-webhook")
        logged = (await sale.get("/manage/actions?limit=1000", token=sale.manage_key)).json["actions"]
        own = {each["what"]: each for each in logged if each["subject"] == webhook}
        assert own.keys() == {
            *(f"{verb} webhook" for verb in ("create", "test", "resend", "change", "disable", "enable", "remove")),
            "rotate webhook secret",
        }
        assert own["disable webhook"]["why"] == "repairs"
        assert all(each["who"].startswith("Manager ") for each in own.values())
        assert not any("whsec_" in str(each) for each in logged)


async def test_a_repeat_with_the_same_key_does_nothing_more_and_gets_the_same_secret(
    town: Town, receiver: Receiver
) -> None:
    async with await town.open_sale("zuid") as sale:
        body, key = {"url": receiver.url(), "types": ["order.recorded"]}, str(uuid.uuid4())
        first, again = [await manage(sale, "", body, key=key) for _ in range(2)]
        assert (first.status, again.status, again.json) == (201, 201, first.json)
        other = await manage(sale, "", body | {"description": "another"}, key=key)
        assert (other.status, other.slug) == (422, "key-reused")
        webhook, key = first.json["webhook"], str(uuid.uuid4())
        rotated = [(await manage(sale, f"/{webhook}/secret", key=key)).json["secret"] for _ in range(2)]
        assert rotated[0] == rotated[1] != first.json["secret"]
        await remove(sale, webhook)


REFUSED = {
    "https://127.0.0.2/hook": "public internet",
    "https://10.0.0.1/hook": "public internet",
    "https://169.254.169.254/latest/meta-data": "public internet",
    "https://[::1]/hook": "public internet",
    "https://[::ffff:127.0.0.1]/hook": "public internet",
    "https://nowhere.invalid/hook": "cannot be found",
    "https://user:word@127.0.0.1/hook": "no name, password",
    "https://127.0.0.1:25/hook": "its port",
}


async def test_where_nobody_may_be_sent_is_refused_when_it_is_registered_and_when_it_is_changed(town: Town) -> None:
    async with await town.open_sale("zuid") as sale:
        webhook = await sale.webhook()
        for url, words in REFUSED.items():
            for path, body in (("", {"types": ["order.recorded"]}), (f"/{webhook}", {})):
                answer = await manage(sale, path, {"url": url, **body})
                assert (answer.status, answer.slug) == (422, "bad-input"), url
                assert words in answer.json["detail"], (url, answer.json)
        plain = await manage(sale, "", {"url": f"http://{ADDRESS}/hook", "types": ["order.recorded"]})
        assert (plain.status, plain.slug) == (400, "bad-body")
        assert (await listed(sale, webhook))["url"] == f"https://{ADDRESS}:1024/"
        await remove(sale, webhook)


def test_a_shell_does_the_same(town: Town, parvis: Parvis) -> None:
    at, why = ("--network", str(town.network_file), "--house", "zuid"), ("--reason", "a test")
    made = parvis("webhook", "create", f"https://{ADDRESS}:1024/", "--type", "order.recorded", *at, *why)
    assert made.code == 0, made
    assert made.out.splitlines()[-1].startswith("whsec_")
    webhook = next(word for word in made.words.split() if word.startswith("wh") and len(word) > 17).rstrip(".")
    rotated = parvis("webhook", "rotate", webhook, *at, *why)
    assert rotated.out.splitlines()[-1] != made.out.splitlines()[-1]
    assert parvis("webhook", "change", webhook, "--description", "The till", *at, *why).code == 0
    tested = parvis("webhook", "test", webhook, *at, *why)
    event = next(word for word in tested.words.split() if word.startswith("test-"))
    assert event in parvis("webhook", "deliveries", webhook, *at, "--json").out
    assert parvis("webhook", "resend", webhook, event, *at, *why).code == 0
    assert parvis("webhook", "deliveries", webhook, *at, "--state", "waiting").code == 0
    assert parvis("webhook", "disable", webhook, *at, "--reason", "repairs").code == 0
    assert "disabled: repairs" in parvis("webhook", "list", *at).words
    assert parvis("webhook", "enable", webhook, *at, *why).code == 0
    listed = msgspec.json.decode(parvis("webhook", "list", *at, "--json").out)
    assert [each["description"] for each in listed if each["webhook"] == webhook] == ["The till"]
    assert parvis("webhook", "remove", webhook, *at, *why).code == 0
    assert webhook not in parvis("webhook", "list", *at, "--json").out
    assert isinstance(json.loads(parvis("webhook", "list", *at, "--json").out), list)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "https://10.0.0.1/", "--reason", "x"), "public internet"),
        (("create", "http://example.org/", "--reason", "x"), "begins with https://"),
        (("create", "https://127.0.0.1:1024/", "--reason", " "), "--reason says why"),
        (
            ("create", "https://127.0.0.1:1024/", "--type", "order.lost", "--reason", "x"),
            "there is no type 'order.lost'",
        ),
        (("disable", "nobody", "--reason", "x"), "no such endpoint"),
        (("deliveries", "nobody", "--state", "lost"), "state is one of"),
    ],
)
def test_a_shell_says_what_is_wrong(town: Town, parvis: Parvis, words: "tuple[str, ...]", said: str) -> None:
    found = parvis("webhook", *words, "--network", str(town.network_file), "--house", "zuid")
    assert found.code == 2, found
    assert said in found.words
