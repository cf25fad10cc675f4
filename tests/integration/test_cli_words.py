"""Bad input to a command gets words and an exit code, never a traceback."""

import json
import shlex
from collections.abc import Callable

import pytest

from engine.ports import free_port
from tests.integration.commands import HOUSE, LATER, Parvis, give, put_on_sale
from tests.town import Town, small_plan

PERFORMANCE = f"performance create x {{at}} --hall bad --title T --starts-at {LATER}"
ON_SALE = "on-sale create x {at} --title T --performance"
BAD: dict[str, tuple[str, str]] = {
    "no such command": ("sell", 'Unknown command "sell"'),
    "a house that is not there": ("audit --network {network} --house noordd", "did you mean 'noord'"),
    "a network file that is not there": ("audit --network nowhere.toml --house x", "No such file"),
    "a network file that is a folder": ("doctor --network {folder}", "Is a directory"),
    "no network": ("audit --house noord", "--network"),
    "no reason": ("on-sale open bad {at}", "--why"),
    "an on-sale that is not there": ("on-sale open [/nope] {at} --why w", "there is no such on-sale"),
    "opened while it is open": ("on-sale open bad {at} --why w", "'open' is not possible while the sale is 'open'"),
    "a pace of nobody": ("on-sale rate bad {at} --why w", "rate needs rate_per_minute, cap, or both"),
    "a pace in words": ("on-sale rate bad {at} --why w --cap many", "'many' is not a whole number"),
    "a pace of half people": ("on-sale rate bad {at} --why w --per-minute 1.5", "'1.5' is not a whole number"),
    "a pace below nothing": ("on-sale rate bad {at} --why w --per-minute=-1", "rate_per_minute lies between 0 and"),
    "an endless message": (f"on-sale message bad {'x' * 501} {{at}} --why w", "at most 500 plain characters"),
    "a message on two lines": ("on-sale message bad 'a\nb' {at} --why w", "plain characters"),
    "a plan that is not there": ("plan check nowhere.json", "nowhere.json: No such file"),
    "a plan that is a folder": ("plan check {folder}", "Is a directory"),
    "a plan that is empty": ("plan check {empty}", "is empty"),
    "a plan that is not JSON": ("plan check {text}", "is not JSON: Expecting value: line 1 column 1"),
    "a plan that is not text": ("plan check {binary}", "is not JSON"),
    "a plan that never ends": ("plan check {deep}", "is nested too deep"),
    "a plan that is huge": ("plan check {huge}", "is the most"),
    "ids of no kind": ("plan check {text} --ids name", "guid"),
    "a hall that cannot be named so": ("plan import {plan} {at} --hall 'De Zaal'", "is not made of a-z"),
    "a hall with another plan": ("plan import {other} {at} --hall bad", "with another plan"),
    "a performance in no hall": (
        PERFORMANCE.replace("--hall bad", "--hall x") + " --price.A 1",
        "there is no such hall",
    ),
    "a performance at no time": (
        PERFORMANCE.replace(LATER, "friday") + " --price.A 1",
        "'friday' is not an instant such as 2026-09-01T10:00:00+02:00",
    ),
    "a performance somewhere in time": (
        PERFORMANCE.replace(LATER, LATER[:19]) + " --price.A 1",
        "has no offset from UTC",
    ),
    "a price that is missing": (PERFORMANCE + " '--price.Rang 1' 1", "category 'Rang 2' has no price"),
    "a price of no category": (PERFORMANCE + " --price.Loge 1", "the hall has no category 'Loge'"),
    "a price in euros": (PERFORMANCE + " --price.A 12.50", "whole number of minor units: 1250 for 12.50"),
    "a price in words": (PERFORMANCE + " --price.A free", "A: 'free'"),
    "a price below nothing": (PERFORMANCE + " --price.A=-5", "A: '-5'"),
    "an alarm that is no number": ("alarm seen x {at} --why w", "✗ 'x' is not a whole number"),
    "a reason by its other name": ("on-sale open nope {at} --reason w", "there is no such on-sale"),
    "a reason by that name, of money": ("refund went 99 {at} --why w", "there is no"),
    "a fee in euros": (PERFORMANCE + " --price.A 1 --fee 1.50", "'1.50' is not a whole number"),
    "a sale of nothing": (f"{ON_SALE} nope --prequeue-at {LATER} --opens-at {LATER}", "there is no such performance"),
    "a sale that opens before its queue": (
        f"{ON_SALE} free --prequeue-at {LATER} --opens-at 2026-01-01T00:00:00Z",
        "opens_at lies before prequeue_at",
    ),
    "a performance on sale twice": (
        f"{ON_SALE} bad --prequeue-at {LATER} --opens-at {LATER}",
        "bad is sold by another on-sale",
    ),
    "a sale for no time": (
        f"{ON_SALE} free --prequeue-at {LATER} --opens-at {LATER} --hold-seconds 0",
        "hold_seconds lies between 1 and",
    ),
    "a key for everything": ("key create K root {at}", "unknown scope 'root'"),
    "a key without a name": ("key create ' ' counter {at}", "name has between 1 and 200"),
    "a draw that is no draw": ("draw verify {plan}", "neither a draw's transcript nor"),
    "a draw that is not text": ("draw verify {binary}", "neither a draw's transcript nor"),
    "a draw that is not there": ("draw verify nowhere.json", "No such file"),
    "a draw that has not been made": ("draw transcript waiting {at}", "has not been made yet"),
    "no port at all": ("serve --network {network} --port 0", "does not lie between 1 and 65535"),
    "a port too high": ("serve --network {network} --port 99999", "does not lie between 1 and 65535"),
    "a port that is taken": ("serve --network {network} --port {port}", "Address already in use"),
    "an address elsewhere": ("serve --network {network} --host 192.0.2.1", "cannot listen on 192.0.2.1"),
    "no workers": ("serve --network {network} --workers 0", "--workers lies between 1 and 256"),
    "a house to serve that is not there": ("serve --network {network} --house oost --port {free}", "no house oost"),
    "a network file with faults": (
        "serve --network {faulty} --port {free}",
        'unknown key "nmae"; did you mean "name"?',
    ),
    "nothing to serve": ("serve --port {free}", "--network FILE is needed, or --embedded"),
    "a demo for nobody": ("demo --visitors 0", "at least one visitor"),
}


@pytest.fixture(scope="module")
def typed(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """A word of the table as it is typed: `{at}` names network and house, `{empty}` and the like files."""
    folder = tmp_path_factory.mktemp("typed")
    contents: dict[str, bytes] = {
        "empty": b" \n",
        "text": b"hello",
        "binary": b"\xff\xfe\x00\x01",
        "deep": b"[" * 200_000,
        "faulty": b'nmae = "Network"',
        "plan": json.dumps(small_plan()).encode(),
        "other": json.dumps(small_plan(rows=2)).encode(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    with (folder / "huge").open("wb") as huge:
        huge.truncate(65 * 1024 * 1024)
    paths = {name: str(folder / name) for name in (*contents, "huge")}
    ports = {"port": str(town.port), "free": str(free_port())}
    fields = {"folder": str(folder), "network": str(town.network_file)} | paths | ports
    at = ["--network", str(town.network_file), "--house", HOUSE]
    for name in ("bad", "waiting"):
        put_on_sale(at, folder / "plan", name)
    assert give("on-sale", "open", "bad", *at, "--why", "to be bad to") == 0
    words = f"performance create free --hall bad --title T --starts-at {LATER} '--price.Rang 1' 1 '--price.Rang 2' 1"
    assert give(*shlex.split(words), *at) == 0

    def typed(word: str) -> list[str]:
        return at if word == "{at}" else [fields[word[1:-1]] if word[:1] == "{" else word]

    return typed


@pytest.mark.parametrize("what", BAD)
def test_bad_input_gets_words_and_an_exit_code(parvis: Parvis, typed: Callable[[str], list[str]], what: str) -> None:
    words, expected = BAD[what]
    said = parvis(*(part for word in shlex.split(words) for part in typed(word)))
    assert said.code in {1, 2}, said
    assert expected in said.words, said
