"""The verdict on a run: what the visitors were told, against what the house says.

`python -m loadtests.verdict --help` judges the log of a crowd; a Locust run judges itself (see `locustfile`).
Exit code 1 if a seat was sold twice, an order was lost, a limit, the order of the line or a promise was broken.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

import msgspec

from loadtests.evidence import SETTLES_WITHIN_S, Evidence, House, bought, entries, gather
from loadtests.fault import KINDS, Fault, Told
from loadtests.people import is_calm, is_person
from loadtests.rules_of_line import judge_line
from loadtests.rules_of_sale import judge_sale

SHOWN: Final = 20
INTERNAL: Final = "internal"
"""The problem of a house that made a mistake of its own (500)."""


class Verdict(msgspec.Struct, frozen=True):
    """What was compared, and every fault. `unresolved`: payments to which no answer ever came."""

    visitors: int
    orders: int
    seats: int
    unresolved: int
    books_were_read: bool
    faults: tuple[Fault, ...]
    audited: tuple[str, ...] = ()
    """The houses whose books an auditor read."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing went wrong."""
        return not self.faults

    @property
    def counts(self) -> dict[str, int]:
        """How many faults of each of the `KINDS`."""
        counts = Counter(fault.kind for fault in self.faults)
        return {kind: counts[kind] for kind in KINDS}

    def in_words(self) -> str:
        """The verdict for people."""
        lines = [
            f"verdict: {'clean' if self.is_clean else 'FAULTS'}",
            f"  {self.visitors} visitors, {self.orders} orders, {self.seats} seats",
            "  " + ", ".join(f"{kind.replace('_', ' ')}: {count}" for kind, count in self.counts.items()),
        ]
        if self.unresolved:
            lines.append(f"  {self.unresolved} payments never got an answer")
        if not self.books_were_read:
            lines.append("  the house's books were not compared: that takes a key with the scope orders:read")
        lines += [f"  audited: {', '.join(self.audited)}"] if self.audited else []
        lines += [f"  {fault.kind}: {fault.what}" for fault in chain(*self._first_of_each())]
        if len(self.faults) > SHOWN:
            lines.append(f"  of {len(self.faults)} faults, the first of each kind are shown")
        return "\n".join(lines)

    def _first_of_each(self) -> Iterator[list[Fault]]:
        """Faults of every kind, so that many of one hide none of another."""
        kinds = [[fault for fault in self.faults if fault.kind == kind] for kind in KINDS]
        each = SHOWN if len(self.faults) <= SHOWN else max(1, SHOWN // sum(map(bool, kinds)))
        yield from (faults[:each] for faults in kinds)


def judge(log: list[bytes], evidence: Evidence, missing: Sequence[str] = ()) -> Verdict:
    """Compare a log with the house's own words. `missing`: what is known to lack in the log."""
    everything = list(entries(log))
    told = [entry for entry in everything if not is_calm(entry["visitor"])]
    orders = bought(log)
    faults = chain(
        _broken_promises(everything, told),
        judge_sale(told, orders, evidence),
        judge_line(told, evidence),
        (Fault("missing_evidence", what) for what in missing),
    )
    return Verdict(
        visitors=len({entry["visitor"] for entry in told if is_person(entry["visitor"])}),
        orders=len(orders),
        seats=sum(len(entry["items"]) for entry in orders.values()),
        unresolved=_unresolved(told),
        books_were_read=evidence.books is not None,
        faults=tuple(faults),
        audited=tuple(evidence.audits),
    )


def _unresolved(told: list[Told]) -> int:
    """Orders that were asked for, and of which the visitor never heard: neither sold nor refused."""
    open_: dict[int, Told] = {}
    for entry in told:
        if entry["told"] == "ordering":
            open_[entry["visitor"]] = entry
        elif entry["told"] in {"ordered", "refused"}:
            open_.pop(entry["visitor"], None)
    return len(open_)


def _broken_promises(everything: list[Told], told: list[Told]) -> Iterator[Fault]:
    """What visitors saw with their own eyes, mistakes of the house, and two visitors in one place."""
    if not any(entry["told"] == "joined" for entry in told):
        yield Fault("broken_promise", "nobody got into the queue")
    for entry in everything:
        if entry["told"] == "broken":
            yield Fault("broken_promise", f"visitor {entry['visitor']}: {entry['what']}")
    mistakes = sum(entry.get("slug") == INTERNAL for entry in everything)
    if mistakes:
        yield Fault("broken_promise", f"{mistakes} answers were mistakes of the house's own")
    for index, count in Counter(entry["index"] for entry in told if entry["told"] == "joined").items():
        if count > 1:
            yield Fault("broken_promise", f"{count} visitors have the arrival index {index}")


def main() -> None:
    """Judge a crowd's log. Exit code 0 if it is clean, 1 if not."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.verdict", description=__doc__)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--house", required=True)
    parser.add_argument("--on-sale", required=True)
    parser.add_argument("--log", type=Path, required=True, help="what the crowd was told")
    parser.add_argument("--key", default=os.environ.get("PARVIS_KEY", ""), help="an API key with orders:read")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    parser.add_argument(
        "--settles-within-s",
        type=float,
        default=SETTLES_WITHIN_S,
        help="how long the last orders may take to be recorded",
    )
    options = parser.parse_args()
    log = options.log.read_bytes().splitlines()
    house = House(base_url=options.base_url, house=options.house, on_sale=options.on_sale, key=options.key)
    verdict = judge(log, gather(house, log, options.settles_within_s))
    text = msgspec.json.encode(verdict).decode() if options.json else verdict.in_words()
    sys.stdout.write(text + "\n")
    sys.exit(0 if verdict.is_clean else 1)


if __name__ == "__main__":
    main()
