"""Money: what VAT a price contains, what a share of it is, and what is frozen on an item."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.forms.words import Words
from engine.catalogue import Performance, PriceType
from engine.entries import Item
from engine.prices import Piece, price, share_of, total, vat_by_rate, vat_within, with_shares
from engine.words import HallId, PerformanceId, SeatId

SHOW = PerformanceId("show")


def performance(**changed: object) -> Performance:
    fields = {
        "performance": SHOW,
        "hall": HallId("hall"),
        "title": "Show",
        "starts_at_ms": 0,
        "prices": {"Rang 1": {"full": 2995}, "Rang 2": {"full": 1001}},
        "fee": 150,
        "vat_rate": 600,
    }
    return Performance(**fields | changed)  # type: ignore[arg-type]


# Worked out by hand: amount × rate ÷ (100 % + rate), in cents.
@pytest.mark.parametrize(
    ("amount", "vat_rate", "vat"),
    [
        (0, 2100, 0),
        (2000, 0, 0),
        (1060, 600, 60),
        (1210, 2100, 210),
        (2145, 600, 121),  # 121.415
        (2150, 600, 122),  # 121.698
        (2650, 600, 150),  # 150 exactly
        (53, 600, 3),  # 3 exactly
        (1, 10_000, 1),  # 0.5: half a cent is rounded up
        (3, 10_000, 2),  # 1.5
        (5, 10_000, 3),  # 2.5: up, and not to the even one
        (21, 2000, 4),  # 3.5
        (20, 2000, 3),  # 3.333
        (9_999_999, 2100, 1_735_537),  # 1,735,537.02
    ],
)
def test_vat_is_what_the_table_says(amount: int, vat_rate: int, vat: int) -> None:
    assert vat_within(amount, vat_rate) == vat


@given(st.integers(0, 10_000_000), st.integers(0, 10_000))
def test_vat_is_rounded_half_up_whatever_the_amount(amount: int, vat_rate: int) -> None:
    exact = Decimal(amount) * vat_rate / (10_000 + vat_rate)
    # A quotient that ends in a half has few digits: Decimal's 28 tell it from what lies beside it.
    assert vat_within(amount, vat_rate) == int(exact.quantize(Decimal(1), ROUND_HALF_UP))


@pytest.mark.parametrize(
    ("amount", "share", "part"),
    [(2995, 5000, 1498), (1001, 2000, 200), (999, 2000, 200), (3, 5000, 2), (2000, 0, 0), (2000, 10_000, 2000)],
)
def test_a_share_is_rounded_half_up(amount: int, share: int, part: int) -> None:
    assert share_of(amount, share) == part


def test_amounts_that_are_a_share_are_worked_out_for_every_category_behind_those_that_are_told() -> None:
    kinds = {"social": PriceType(share=2000), "companion": PriceType(share=0, needs="companion")}
    made = with_shares(performance(price_types=kinds))
    assert made.prices == {
        "Rang 1": {"full": 2995, "social": 599, "companion": 0},
        "Rang 2": {"full": 1001, "social": 200, "companion": 0},
    }
    assert [next(iter(amounts)) for amounts in made.prices.values()] == ["full", "full"]
    assert with_shares(made) == made


def test_fee_and_vat_are_the_price_types_own_where_it_has_them() -> None:
    kinds = {"member": PriceType(fee=0), "book": PriceType(vat_rate=2100)}
    show = performance(price_types=kinds, prices={"Rang 1": {"full": 2000, "member": 1800, "book": 1060}})
    pieces = [Piece(performance=show, category="Rang 1", seat=SeatId(f"A-{n}")) for n in range(3)]
    items = price(pieces, ["full", "member", "book"], ["", "c1", ""])
    assert [(item.price, item.fee, item.vat_rate, item.vat, item.code) for item in items] == [
        (2000, 150, 600, 122, ""),
        (1800, 0, 600, 102, "c1"),
        (1060, 150, 2100, 210, ""),
    ]
    assert total(items) == 2000 + 150 + 1800 + 1060 + 150
    assert vat_by_rate(items) == {600: 224, 2100: 210}
    assert vat_by_rate([Item(SHOW, "Rang 1", "full", 2000, 0)]) == {}
    assert [item.price_type for item in price(pieces, (), ["", "", ""])] == ["full"] * 3


def test_a_rate_is_said_in_per_cent_as_people_write_it() -> None:
    assert [Words(language, "Europe/Brussels").rate(550) for language in ("nl", "en")] == ["5,5", "5.5"]
