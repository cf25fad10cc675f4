"""How an event is signed, so that others' libraries verify it, and when it is sent again: a table of times."""

import base64
import itertools
from pathlib import Path

import msgspec
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from engine.instants import now_ms
from engine.signing import Signer
from engine.webhooks import (
    DISABLED_AFTER_MS,
    RETRY_SECONDS,
    TYPES,
    Answer,
    Event,
    judge,
    of_exchange,
    of_opening,
    of_order,
    of_partial_return,
    of_test,
    of_verb,
    retry_after,
    secret_of,
    sign,
)
from engine.words import HouseSlug

NOW = 1_800_000_000_000
DAY = 86_400_000
EVENT = of_order("order.recorded", "0198-an-order", "a-sale", now_ms())


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer(HouseSlug("zeewind"), tmp_path_factory.mktemp("secrets"))


def test_a_secret_is_as_long_as_the_specification_asks_and_each_endpoints_own(signer: Signer, tmp_path: Path) -> None:
    secrets = {secret_of(signer, webhook, number) for webhook in ("a", "b") for number in (1, 2)}
    secrets |= {secret_of(Signer(HouseSlug("klinker"), tmp_path), "a", 1)}
    assert len(secrets) == 5
    for secret in secrets:
        assert secret.startswith("whsec_")
        assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64
    assert secret_of(signer, "a", 1) == secret_of(signer, "a", 1)


def test_what_is_signed_is_verified_by_the_library_of_that_name(signer: Signer) -> None:
    secret = secret_of(signer, "a", 1)
    headers = sign([secret], EVENT.event, EVENT.body, now_ms())
    said = Webhook(secret).verify(EVENT.body, headers)
    assert said["type"] == "order.recorded"
    assert said["data"] == {"order": "0198-an-order", "on_sale": "a-sale"}
    assert said.keys() == {"type", "timestamp", "data"}


def flipped(text: str, at: int) -> str:
    return text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]


def test_whatever_is_changed_is_noticed(signer: Signer) -> None:
    secret, at = secret_of(signer, "a", 1), now_ms()
    headers = sign([secret], EVENT.event, EVENT.body, at)
    mutants = [({**headers, "webhook-id": flipped(EVENT.event, n)}, EVENT.body) for n in range(0, len(EVENT.event), 5)]
    mutants += [(headers, flipped(EVENT.body, n)) for n in range(0, len(EVENT.body), 7)]
    mutants += [({**headers, "webhook-timestamp": str(at // 1000 + late)}, EVENT.body) for late in (-1, 1, 600, -600)]
    signature = base64.b64decode(headers["webhook-signature"].removeprefix("v1,"))
    for place in range(len(signature)):
        bent = bytes(byte ^ (place == number) for number, byte in enumerate(signature))
        mutants.append(({**headers, "webhook-signature": "v1," + base64.b64encode(bent).decode()}, EVENT.body))
    mutants.append((sign([secret_of(signer, "a", 2)], EVENT.event, EVENT.body, at), EVENT.body))
    mutants.append((sign([secret_of(signer, "b", 1)], EVENT.event, EVENT.body, at), EVENT.body))
    assert len(mutants) > 60
    for bent_headers, body in mutants:
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, bent_headers)


def test_while_two_secrets_count_either_verifies(signer: Signer) -> None:
    old, new, other = (secret_of(signer, "a", number) for number in (1, 2, 3))
    headers = sign([new, old], EVENT.event, EVENT.body, now_ms())
    for secret in (old, new):
        Webhook(secret).verify(EVENT.body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(EVENT.body, headers)


def every_event() -> "list[Event]":
    orders = [of_order(f"order.{word}", "0198-x", "a-sale", NOW) for word in ("confirmed", "recorded", "refunded")]
    verbs = [of_verb(verb, "a-sale", "17-0", NOW) for verb in ("pause", "resume", "sell_out")]
    parts = [of_partial_return("0198-x", "a-sale", "17-1", NOW), of_exchange("0198-x", "a-sale", "0198-y", "17-2", NOW)]
    return [*orders, *parts, *verbs, of_opening("a-sale", NOW)]


def test_every_type_has_its_event_and_an_id_of_its_own_that_can_be_signed() -> None:
    events = every_event()
    assert {each.type for each in events} == set(TYPES)
    ids = [each.event for each in [*events, of_test("wh", "an-operation", NOW)]]
    assert len(set(ids)) == len(ids)
    # What is signed is `id.timestamp.body`: with a full stop in the id, one text could be read in two ways.
    assert not any("." in each for each in ids)
    assert [each.event for each in every_event()] == [each.event for each in events]


def test_a_body_is_thin_and_says_when() -> None:
    for each in every_event():
        said = msgspec.json.decode(each.body)
        assert said["timestamp"] == "2027-01-15T08:00:00.000Z"
        assert set(said["data"]) <= {"order", "on_sale", "new_order"}
        assert len(each.body) < 250


def test_a_failed_event_is_tried_ten_times_over_three_days_and_then_given_up() -> None:
    at, waits = NOW, []
    for attempts in itertools.count(1):
        verdict = judge(Answer(500), at, attempts, 0, None, lambda: 0.5)
        if verdict.state == "given_up":
            break
        assert verdict.due_at_ms is not None
        waits.append((verdict.due_at_ms - at) // 1000)
        at = verdict.due_at_ms
    assert tuple(waits) == RETRY_SECONDS
    assert waits == sorted(waits)
    assert 3 * DAY < at - NOW < 4 * DAY


@pytest.mark.parametrize("drawn", [0.0, 0.25, 0.5, 0.999])
def test_those_who_failed_together_do_not_come_back_together(drawn: float) -> None:
    for attempts, seconds in enumerate(RETRY_SECONDS, start=1):
        verdict = judge(Answer(0), NOW, attempts, 3, NOW, lambda: drawn)
        assert verdict.due_at_ms is not None
        assert 0.8 <= (verdict.due_at_ms - NOW) / seconds / 1000 <= 1.2
    spread = {judge(Answer(0), NOW, 3, 3, NOW).due_at_ms for _ in range(20)}
    assert len(spread) > 1


@pytest.mark.parametrize(
    ("status", "state", "is_disabled"),
    [
        *((status, "delivered", False) for status in (200, 201, 202, 204, 299)),
        *((status, "waiting", False) for status in (0, 301, 302, 307, 308, 400, 401, 404, 409, 422, 429, 500, 503)),
        (410, "given_up", True),
    ],
)
def test_what_an_answer_means(status: int, state: str, is_disabled: bool) -> None:
    verdict = judge(Answer(status), NOW, 1, 0, None)
    assert (verdict.state, bool(verdict.disabled_why)) == (state, is_disabled)


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [(0, 4_000, 6_000), (30, 30_000, 30_000), (7_200, 7_200_000, 7_200_000), (10**9, DAY, DAY)],
)
def test_who_asks_for_time_gets_it_to_a_limit(asked: float, least: int, most: int) -> None:
    verdict = judge(Answer(429, "", asked), NOW, 1, 0, None)
    assert verdict.due_at_ms is not None
    assert verdict.rest_until_ms is not None
    assert least <= verdict.due_at_ms - NOW <= most
    if asked:
        assert verdict.rest_until_ms == verdict.due_at_ms


def test_an_endpoint_that_fails_again_and_again_is_left_alone_for_longer_and_never_for_long() -> None:
    rests = []
    for failures in range(5_000):
        verdict = judge(Answer(0), NOW, 1, failures, NOW, lambda: 0.5)
        assert verdict.rest_until_ms is not None
        rests.append((verdict.rest_until_ms - NOW) // 1000)
    assert rests[:5] == [1, 2, 4, 8, 16]
    assert set(rests[9:]) == {300}


@pytest.mark.parametrize(
    ("since", "is_disabled"), [(None, False), (NOW - DISABLED_AFTER_MS + 1, False), (NOW - DISABLED_AFTER_MS, True)]
)
def test_an_endpoint_that_took_nothing_for_three_days_is_disabled(since: "int | None", is_disabled: bool) -> None:
    for attempts in (1, 5, 10):
        assert bool(judge(Answer(500), NOW, attempts, 9, since).disabled_why) == is_disabled
        assert not judge(Answer(200), NOW, attempts, 9, since).disabled_why


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("120", 120),
        ("0", 0),
        ("-5", 0),
        ("1.5", 0),
        ("soon", 0),
        ("٣", 0),
        ("9" * 30, 0),
        ("Fri, 15 Jan 2027 08:01:00 GMT", 60),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0),
        ("Fri, 99 Jan 2027 08:01:00 GMT", 0),
    ],
)
def test_retry_after_is_read_in_both_its_forms(text: str, seconds: float) -> None:
    assert retry_after(text, NOW) == seconds
