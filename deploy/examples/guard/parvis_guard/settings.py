"""How a house's guard is set, and where that is read from."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from parvis_guard.rules import NEVER_QUEUED, Rule, read_rules

MUST: Final = ("server", "house", "on_sale", "origin")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a house's guard is set."""

    server: str
    """Where visitors reach Parvis: `https://tickets.example.org`."""
    house: str
    on_sale: str
    origin: str
    """Of the guarded site: `https://www.example.org`. The house's return addresses in Parvis name its return path."""
    secret: str = ""
    """Signs the cookies; every process of the guard has the same. Empty: a new one at each start."""
    protected: tuple[str, ...] = ("/",)
    """Paths that are guarded, with what lies under them."""
    never_queued: tuple[Rule, ...] = field(default_factory=lambda: read_rules(NEVER_QUEUED))
    return_path: str = "/parvis/return"
    fails: str = ""
    """While Parvis is away: `closed` lets nobody new in, `open` newcomers at a pace. Empty: as the on-sale is set."""
    per_minute: int = 60
    """The pace of an open guard that never heard from Parvis how fast people may come in."""
    leeway_seconds: int = 10
    """By how much the clocks of the two servers may differ."""
    grace_seconds: int = 120
    """How long after the pass has ended a form that was under way is still taken."""
    inside_seconds: int = 900
    """How long after their last request somebody who came straight in is still inside."""
    longest_inside_seconds: int = 7_200
    """By then even somebody who is busy all the time is a newcomer again."""
    machines: int = 1
    """On how many machines guards of this site count apart: each has that share of a safety net's threshold, and of the
    pace while Parvis is away."""
    used_file: str = ":memory:"
    """What all processes of the guard on this machine share: a file. See `State`."""
    keys_fresh_seconds: int = 300
    status_fresh_seconds: float = 2.0
    """How old what is known of the on-sale may be."""

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> "Settings":
        """From `PARVIS_GUARD_SERVER`, `…_HOUSE`, `…_ON_SALE`, `…_ORIGIN`, and what is set beyond these."""
        given = {name.removeprefix("PARVIS_GUARD_").lower(): value for name, value in environment.items()}
        more: dict[str, Any] = {name: given[name] for name in ("secret", "used_file", "fails") if name in given}
        if "protected" in given:
            more["protected"] = tuple(given["protected"].split())
        if "never_queued" in given:
            more["never_queued"] = read_rules(given["never_queued"].splitlines())
        if given.get("fails", "") not in {"", "closed", "open"}:
            raise ValueError("PARVIS_GUARD_FAILS is closed or open")
        for name, least in (("per_minute", 0), ("machines", 1)):
            if name in given:
                if not given[name].isdecimal() or int(given[name]) < least:
                    raise ValueError(f"PARVIS_GUARD_{name.upper()} is a number" + ", 1 at least" * least)
                more[name] = int(given[name])
        missing = [name.upper() for name in MUST if not given.get(name)]
        if missing:
            raise ValueError(f"the environment has no PARVIS_GUARD_{', PARVIS_GUARD_'.join(missing)}")
        more |= {name: given[name].rstrip("/") for name in MUST}
        return Settings(**more)
