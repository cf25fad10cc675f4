"""Where a page without JavaScript may send somebody back to: the same table as `tests/browser/returning.test.mjs`."""

from pathlib import Path

import msgspec
import pytest

from api.forms.returning import is_allowed_return, origin_of, read_return, with_pass

TICKETS = "https://www.zeewind.example/tickets"


class Case(msgspec.Struct, frozen=True):
    allowed: str
    address: str
    is_allowed: bool


class Table(msgspec.Struct):
    cases: list[Case]


CASES = msgspec.json.decode((Path(__file__).parents[1] / "vectors" / "returns.json").read_bytes(), type=Table).cases


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.address} under {case.allowed}")
def test_an_address_is_allowed_as_in_the_browser(case: Case) -> None:
    assert is_allowed_return(case.address, case.allowed) is case.is_allowed


def test_what_would_have_to_be_tidied_first_is_refused() -> None:
    assert not is_allowed_return("https://www.zeewind.example/a/../tickets/b", TICKETS)


def test_nothing_asked_is_not_the_same_as_nothing_allowed() -> None:
    assert read_return([], [TICKETS]) is None
    assert read_return([""], [TICKETS]) == ""
    assert read_return([TICKETS], []) == ""
    assert read_return([f"{TICKETS}/7", "https://evil.example/"], ["https://other.example/", TICKETS]) == f"{TICKETS}/7"


def test_a_pass_travels_behind_the_sign_that_no_server_sees() -> None:
    assert with_pass(f"{TICKETS}?a=b#top", "ab.c") == f"{TICKETS}?a=b#pass=ab.c"
    assert origin_of(f"{TICKETS}?a=b") == "https://www.zeewind.example"
