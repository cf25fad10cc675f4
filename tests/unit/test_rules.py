"""What the rules of an on-sale are unless its house says otherwise stands in one place, whoever puts it up."""

import inspect
from typing import Any

import msgspec
import pytest

from api.manage_wire import OnSaleRequest
from engine.catalogue import RULES, OnSale
from engine.cli.on_sale_commands import on_sale_create

OF_SHELL = {"fair_window": "fair_window_seconds"}
"""What a flag of the shell is called in the catalogue, where it has a name of its own."""


def defaults_of(struct: type[msgspec.Struct]) -> dict[str, Any]:
    fields = msgspec.structs.fields(struct)
    return {field.name: field.default for field in fields if field.default is not msgspec.NODEFAULT}


def flags() -> dict[str, Any]:
    given = inspect.signature(on_sale_create).parameters.values()
    return {OF_SHELL.get(each.name, each.name): each.default for each in given}


@pytest.mark.parametrize("asked", [defaults_of(OnSaleRequest), flags()], ids=["the API", "the shell"])
def test_who_says_nothing_gets_the_rules_of_the_catalogue(asked: dict[str, Any]) -> None:
    shared = defaults_of(OnSale).keys() & asked.keys()
    assert len(shared) > 20
    assert {name: asked[name] for name in shared} == {name: getattr(RULES, name) for name in shared}
