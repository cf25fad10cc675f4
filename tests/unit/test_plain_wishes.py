"""What a form without JavaScript wishes for costs no more than what may be had."""

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest

from api.forms.door import MOST_FIELDS, Fields
from api.forms.wishing import wish_of
from engine.errors import BadInput
from engine.wishes import LARGEST_QUANTITY, wish_size

PERFORMANCE: Any = SimpleNamespace(performance="evening")


def test_a_wish_for_millions_is_no_longer_than_one_that_is_refused() -> None:
    fields = {f"q.type-{number}": "9999" for number in range(MOST_FIELDS)}
    wish, types = wish_of(Fields(urlencode(fields)), PERFORMANCE)
    assert len(types) == LARGEST_QUANTITY + 1
    with pytest.raises(BadInput, match="a quantity lies between"):
        wish_size(wish)


def test_a_wish_names_the_price_of_each() -> None:
    wish, types = wish_of(Fields(urlencode({"q.full": "2", "q.reduced": "1", "q.free": "0"})), PERFORMANCE)
    assert types == ["full", "full", "reduced"]
    assert wish_size(wish) == 3
