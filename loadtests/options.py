"""The options of a rehearsal, beside Locust's own; each can come from the environment too."""

from pathlib import Path
from typing import Any, Final

import msgspec

from loadtests.arrivals import OPENING, SHAPES, SOAK, TWO_HOUSES, WALKERS_IN_A_SOAK, Plan
from loadtests.character import Mix
from loadtests.evidence import SETTLES_WITHIN_S

_MIX: Final = Mix()
_SHARES: Final = {
    "latecomers": "come after the start of sales",
    "impatient": "leave after less than a minute",
    "walkers": "hold seats and do not buy (a soak: 0.85)",
    "late-payers": "have a bank that answers later: only where somebody plays the bank",
    "reloaders": "reload the page while they wait",
    "returners": "put the phone away, and claim late",
    "hoarders": "hold all they may, let go, and hold again",
    "robots": "are scripted buyers",
}


class Options(msgspec.Struct, frozen=True):
    """What the command line asks for."""

    host: str
    house: str
    on_sale: str
    shape: str
    visitors: int
    seed: int
    think_s: float
    longest_s: float
    come_within_s: float
    lasts_s: float
    mix: Mix
    desks: int
    key: str
    counter_key: str
    quiet_host: str
    quiet_house: str
    quiet_on_sale: str
    quiet_s: float
    quiet_rate: float
    auditor: str
    reports: Path | None
    log: Path | None
    nice: int
    settles_within_s: float

    def plan(self, opens_in_s: float) -> Plan:
        """The crowd's timetable, for sales that start in so many seconds."""
        return Plan(
            shape=self.shape,
            seed=self.seed,
            visitors=self.visitors,
            think_s=self.think_s,
            opens_in_s=max(0.0, opens_in_s),
            come_within_s=self.come_within_s,
            lasts_s=self.lasts_s,
            mix=self.mix,
        )

    @property
    def shown(self) -> dict[str, Any]:
        """What a report may say of them: no keys, no commands, no folders."""
        hidden = {"key", "counter_key", "auditor", "reports", "log", "mix", "settles_within_s"}
        fields: dict[str, Any] = msgspec.to_builtins(self, enc_hook=str)
        shares: dict[str, Any] = msgspec.to_builtins(self.mix)
        return {name: value for name, value in fields.items() if name not in hidden} | shares


def add_options(parser: Any) -> None:
    """Tell Locust's parser of them."""

    def option(name: str, default: object, what: str, **more: Any) -> None:
        variable = f"PARVIS_{name.upper().replace('-', '_')}"
        kind = {} if "type" in more or default is None else {"type": type(default)}
        parser.add_argument(f"--{name}", env_var=variable, default=default, help=what, **kind, **more)

    option("house", "", "the house's slug; a worker has all of this from its master")
    option("on-sale", "", "the on-sale to rehearse")
    option("shape", OPENING, "how the crowd comes", choices=SHAPES)
    option("visitors", 500, "how many come")
    option("seed", 1, "decides who comes, and when")
    option("think-s", 1.0, "how slowly they click")
    option("longest-s", 900.0, "after this time everybody is sent home")
    option("come-within-s", 30.0, "an opening: how long before it the first ones come")
    option("lasts-s", 300.0, "a spike, a soak: how long people go on coming")
    option("patience-s", _MIX.patience_s, "how long people stay in the queue, on average")
    for name, what in _SHARES.items():
        option(name, None, f"the share (0 to 1) of visitors who {what}", type=float)
    option("desks", 1, "staff who sell at the counter meanwhile, with --counter-key")
    option("key", "", "an API key with the scope orders:read; one with manage shows more", is_secret=True)
    option("counter-key", "", "an API key with the scope counter", is_secret=True)
    option("quiet-host", "", "two houses: where the quiet one is, if elsewhere")
    option("quiet-house", "", "two houses: the slug of the quiet one")
    option("quiet-on-sale", "", "two houses: its open on-sale")
    option("quiet-s", 20.0, "two houses: how long it is timed before the first of the crowd come")
    option("quiet-rate", 20.0, "two houses: calm visits a second")
    option("auditor", "", "a command that audits the house {house} and prints JSON, run at the end")
    option("reports", "reports", "the folder under which the report is written; empty: none")
    option("log", "", "keep what everybody was told here too, a JSON a line")
    option("settles-within-s", SETTLES_WITHIN_S, "how long the house may take to record its last orders")
    option("nice", 10, "how far the crowd's processes stand back from the server's, on one machine")


def read_options(parsed: Any, host: str) -> Options:
    """The options as parsed. Raises `SystemExit` where they do not fit together."""
    given: dict[str, Any] = vars(parsed)
    if not (given["house"] and given["on_sale"]):
        raise SystemExit("which sale? name it, with --house and --on-sale")
    shares = {name.replace("-", "_"): given[name.replace("-", "_")] for name in _SHARES}
    defaults = {"late_payers": 0.0} | ({"walkers": WALKERS_IN_A_SOAK} if given["shape"] == SOAK else {})
    mix = defaults | {name: value for name, value in shares.items() if value is not None}
    if any(not 0 <= share <= 1 for share in mix.values()):
        raise SystemExit("a share of the visitors lies between 0 and 1")
    if given["shape"] == TWO_HOUSES and not (given["quiet_house"] and given["quiet_on_sale"]):
        raise SystemExit("two houses: name the quiet one, with --quiet-house and --quiet-on-sale")
    fields = {name: given[name] for name in Options.__struct_fields__ if name not in {"host", "mix", "reports", "log"}}
    return Options(
        **fields | {"quiet_host": given["quiet_host"] or host},
        host=host.rstrip("/"),
        mix=Mix(**mix, patience_s=given["patience_s"]),
        reports=Path(given["reports"]) if given["reports"] else None,
        log=Path(given["log"]) if given["log"] else None,
    )


if __name__ == "__main__":  # `parvis load --help`: Locust's own help leaves them out
    from locust.argument_parser import LocustArgumentParser

    described = LocustArgumentParser(
        prog="parvis load", add_help=False, description="The crowd, with --host or without."
    )
    add_options(described)
    described.print_help()
