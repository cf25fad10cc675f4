"""After a loss a line goes on from no less than it can have reached, and leaps no further where nothing was lost."""

from engine.claims import bits_of, either
from engine.draw import Draw, encode
from engine.leap import MARGIN, Lost, leapt
from engine.ledger.books import Sales
from engine.ledger.standings import Kept, as_field, as_text
from engine.standing import restored

NOW_MS = 1_800_000_000_000
OPEN = {"phase": "open", "joined": "1000", "now_serving": "100", "rate": "600", "burst_ms": "3000", "entrants": "900"}


def lost(elapsed_s: float = 2.0, joins_a_second: float = 0.0, **recorded: int) -> Lost:
    return Lost(elapsed_s, joins_a_second, recorded, NOW_MS)


def test_whoever_may_have_been_called_was_called() -> None:
    found = leapt(OPEN, lost(2.0))
    assert found["now_serving"] == 100 + 20 + 1
    assert found["served_at_ms"] == NOW_MS
    assert (found["gone"], found["mark"]) == (0, 0)
    assert "entrants" not in found
    assert leapt(OPEN, lost(-5.0))["now_serving"] == 101


def test_nobody_is_called_who_cannot_have_joined() -> None:
    found = leapt(OPEN | {"rate": "100000"}, lost(60))
    assert found["now_serving"] == found["joined"] == 1000 + MARGIN + 6000


def test_an_index_that_may_have_been_given_is_not_given_again() -> None:
    assert leapt(OPEN, lost(2.0, 300))["joined"] == 1000 + MARGIN + 1200
    assert leapt(OPEN, lost(2.0))["joined"] == 1000 + MARGIN + 200
    assert leapt(OPEN, lost(0.0, 0, public=5000))["joined"] == 5000 + MARGIN
    assert leapt(OPEN | {"phase": "closed"}, lost())["joined"] == 1000
    assert leapt(OPEN | {"phase": "closed"}, lost(public=1001))["joined"] == 1001


def test_a_line_that_nobody_can_have_joined_yet_does_not_leap() -> None:
    early = {"phase": "scheduled", "prequeue_at_ms": str(NOW_MS + 1), "opens_at_ms": str(NOW_MS + 9), "joined": "0"}
    assert leapt(early, lost())["joined"] == 0
    assert "now_serving" not in leapt(early, lost())
    assert leapt(early | {"prequeue_at_ms": str(NOW_MS - 1)}, lost())["joined"] == MARGIN + 200


def test_a_sale_that_is_paused_calls_nobody() -> None:
    found = leapt(OPEN | {"phase": "paused"}, lost())
    assert "now_serving" not in found
    assert found["joined"] == 1000 + MARGIN + 200


def test_a_start_of_sales_in_the_lost_moment_closes_the_list_of_entrants_with_all_who_may_be_in_it() -> None:
    kept = OPEN | {"phase": "prequeue", "opens_at_ms": str(NOW_MS - 500), "now_serving": "0", "entrants": "0"}
    found = leapt(kept, lost(1.0))
    assert found["phase"] == "open"
    assert found["entrants"] == found["joined"]
    assert found["fixed_at_ms"] == NOW_MS, "others have from now on to reveal what they contribute"
    assert found["leaps"] == "1000 1120"
    assert found["now_serving"] == 13, "eleven persons of 1,000 among 1,120"
    assert "phase" not in leapt(kept | {"opens_at_ms": str(NOW_MS + 1)}, lost(1.0))


def test_no_pass_goes_out_sooner_than_if_as_many_as_could_be_just_had() -> None:
    found = leapt(OPEN, lost())
    assert (float(found["door"]), found["door_at_ms"]) == (float(OPEN["rate"]) * 3000 / 60_000, NOW_MS)
    assert float(leapt(OPEN | {"rate": "1"}, lost())["door"]) == 1.0


def test_each_line_leaps_by_what_is_known_of_it() -> None:
    fields = OPEN | {"joined:members": "40", "now_serving:members": "7", "mark_at_ms:members": "1"}
    found = leapt(fields, lost(1.0, members=50))
    assert found["joined:members"] == 50 + MARGIN + 100
    assert found["now_serving:members"] == 7 + 11


def test_what_was_leapt_over_is_known_and_a_second_loss_knows_the_first() -> None:
    first = leapt(OPEN, lost(0.0, 0))
    assert first["leaps"] == "1000 1020"
    again = OPEN | {name: str(value) for name, value in first.items()}
    assert leapt(again, lost(0.0, 0))["leaps"] == "1000 1040", "nobody came in between"
    assert leapt(again | {"joined": "1025"}, lost(0.0, 0))["leaps"] == "1000 1020 1025 1045"
    assert "leaps" not in leapt(OPEN | {"phase": "closed"}, lost())


def test_what_was_passed_over_before_a_second_loss_is_passed_over_behind_it() -> None:
    """Ten calls may have been made, and the numbers between are nobody's."""
    kept = OPEN | {"now_serving": "995", "joined": "1030", "leaps": "1000 1020"}
    assert leapt(kept, lost(1.0))["now_serving"] == 995 + 20 + 11


def test_who_may_have_come_in_the_lost_moment_is_in_a_window_that_has_ended() -> None:
    windows = OPEN | {"fair_window_ms": "60000", "mark_at_ms": "1", "border": "950", "borders": "2", "later": "920 950"}
    found = leapt(windows, lost(2.0))
    joined = found["joined"]
    assert (found["later"], found["border"], found["borders"]) == (f"920 950 1000 {joined}", joined, 4)
    first = {name: value for name, value in windows.items() if name not in {"border", "borders", "later"}}
    assert leapt(first, lost(2.0))["later"] == f"1000 {joined}"
    members = {"joined:members": "5", "entrants:members": "5", "mark_at_ms:members": "1"}
    found = leapt(windows | members, lost(2.0))
    assert found["later:members"] == str(found["joined:members"])
    for nothing in (
        {"fair_window_ms": "0"},
        {"mark_at_ms": "0"},
        {"borders": "5000"},
        {"phase": "closed", "border": "1000"},
        {"phase": "closed", "border": "0", "entrants": "1000"},
    ):
        assert "later" not in leapt(windows | nothing, lost(2.0)), nothing


def test_where_nothing_was_lost_nothing_leaps() -> None:
    stood = restored({"phase": "scheduled"}, Kept(OPEN), OPEN | {"now_serving": "150"}, Sales(), None)
    assert (stood["now_serving"], stood["joined"], stood["phase"]) == ("150", "1000", "open")


def test_what_has_opened_does_not_close_again() -> None:
    kept = Kept(OPEN | {"phase": "prequeue", "entrants": "0", "now_serving": "0"})
    stood = restored({}, kept, OPEN | {"entrants": "900"}, Sales(), lost())
    assert (stood["phase"], stood["entrants"]) == ("open", "900")
    stood = restored({}, Kept(OPEN), OPEN | {"phase": "prequeue", "entrants": "0"}, Sales(), lost())
    assert (stood["phase"], stood["entrants"]) == ("open", "900")


def test_what_is_packed_is_kept_to_the_byte() -> None:
    for value in (b"\x93\xff\x00", b"plain", "été".encode(), b"base64:x", b"a\x00b", b""):
        assert as_field(as_text(value)) in {
            value,
            value.decode("latin-1") if value.isascii() else value.decode(errors="replace"),
        }


def test_the_bits_of_whoever_was_called_are_set() -> None:
    seed = encode(b"s" * 32)
    drawn = Draw(b"s" * 32, 50)
    for entrants, below in [(0, 0), (0, 9), (50, 13), (50, 50), (50, 77), (50, 80)]:
        bits = bits_of(seed, entrants, below)
        position = drawn.position if entrants else lambda index: index
        called = {index for index in range(120) if position(index) < below}
        assert {index for index in range(8 * len(bits)) if bits[index >> 3] & (0x80 >> (index & 7))} == called
    assert either(b"\x80", b"\x01\x02") == b"\x81\x02"
