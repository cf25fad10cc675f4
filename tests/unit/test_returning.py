"""Where a page without JavaScript may send somebody back to: the same table as `tests/browser/returning.test.mjs`."""

from pathlib import Path

import msgspec
import pytest

from api.forms.returning import origin_of, read_return, with_pass
from engine.return_addresses import is_allowed_return
from parvis_guard.rules import safe_target

TICKETS = "https://www.zeewind.example/tickets"


class Case(msgspec.Struct, frozen=True):
    allowed: str
    address: str
    is_allowed: bool


class Target(msgspec.Struct, frozen=True):
    target: str
    is_kept: bool


class Table(msgspec.Struct):
    cases: list[Case]
    targets: list[Target]


TABLE = msgspec.json.decode((Path(__file__).parents[1] / "vectors" / "returns.json").read_bytes(), type=Table)


@pytest.mark.parametrize("case", TABLE.cases, ids=lambda case: f"{case.address} under {case.allowed}")
def test_an_address_is_allowed_as_in_the_browser(case: Case) -> None:
    assert is_allowed_return(case.address, case.allowed) is case.is_allowed


@pytest.mark.parametrize("case", TABLE.targets, ids=lambda case: repr(case.target))
def test_a_guard_leads_nowhere_but_to_a_plain_path_of_its_own_site(case: Target) -> None:
    assert safe_target(case.target) == (case.target if case.is_kept else "/")


def test_nothing_asked_is_not_the_same_as_nothing_allowed() -> None:
    assert read_return([], [TICKETS]) is None
    assert read_return([""], [TICKETS]) == ""
    assert read_return([TICKETS], []) == ""
    assert read_return([f"{TICKETS}/7", "https://evil.example/"], ["https://other.example/", TICKETS]) == f"{TICKETS}/7"


def test_a_pass_travels_behind_the_sign_that_no_server_sees() -> None:
    assert with_pass(f"{TICKETS}?a=b#top", "ab.c") == f"{TICKETS}?a=b#pass=ab.c"
    assert origin_of(f"{TICKETS}?a=b") == "https://www.zeewind.example"
