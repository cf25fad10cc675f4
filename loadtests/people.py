"""Who is who in a log, by number: the crowd from 0 upwards, and others who are no part of it below."""

from typing import Final

FURTHER_PLACES: Final = 10_000_000
"""The second place of robot 7 is visitor 10,000,007, its third 20,000,007, and so on."""
STAFF_FROM: Final = -1
"""Desks at the counter are -1, -2, …"""
CALM_FROM: Final = -1000
"""The calm shoppers of the quiet house are -1000, -1001, …"""
WATCHER: Final = -10_000
"""The master's own eyes."""


def is_person(number: int) -> bool:
    """Whether it is a visitor of the crowd, and not one of a robot's further places."""
    return 0 <= number < FURTHER_PLACES


def is_calm(number: int) -> bool:
    """Whether it is a shopper of the quiet house."""
    return WATCHER < number <= CALM_FROM


def is_staff(number: int) -> bool:
    """Whether it is a desk at the counter."""
    return CALM_FROM < number <= STAFF_FROM
