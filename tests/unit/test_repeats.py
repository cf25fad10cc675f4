"""Only what may be a repeat costs a look at the ledger."""

import uuid

from engine.repeats import REMEMBERED_MS, SLACK_MS, asked_at_ms, may_be_repeat

NOW = 1_800_000_000_000


def test_a_key_may_say_when_it_was_made() -> None:
    assert asked_at_ms(f"{NOW}{uuid.uuid4()}") == NOW
    assert asked_at_ms("01a31856-e800-7abc-8def-0123456789ab") == 0x01A31856E800
    assert asked_at_ms(str(uuid.uuid4())) is None
    assert asked_at_ms("anything") is None


def test_a_fresh_join_is_none_and_an_old_one_may_be() -> None:
    assert not may_be_repeat(NOW, 0, NOW)
    assert not may_be_repeat(NOW - 30_000, 0, NOW)
    assert may_be_repeat(NOW - REMEMBERED_MS, 0, NOW)
    assert may_be_repeat(NOW + REMEMBERED_MS, 0, NOW)  # a clock that is wrong says nothing
    assert may_be_repeat(None, 0, NOW)  # a key that says nothing of when may be of any time


def test_after_a_loss_whoever_asked_before_it_may_have_joined() -> None:
    lost_at_ms = NOW - 20_000
    assert may_be_repeat(NOW - 25_000, lost_at_ms, NOW)
    assert may_be_repeat(lost_at_ms + SLACK_MS - 1, lost_at_ms, NOW)
    assert not may_be_repeat(NOW, lost_at_ms, NOW)
