"""Which requests are never queued, and how an address is read so that none only looks like one of those."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

PLAIN: Final = re.compile(r"(?:/[A-Za-z0-9_~@+.-]*[A-Za-z0-9_~@+-][A-Za-z0-9_~@+.-]*)*/?")
"""A path that every server reads alike: no empty, `.` or `..` parts, nothing encoded, no backslash, no semicolon."""


ODD: Final = re.compile(r"//|\\|;|%|(?:^|/)\.{1,2}(?:/|$)")
"""What servers read in different ways."""


NOT_PLAIN: Final = re.compile(r"[^!-~]|\\")
ODD_TARGET: Final = re.compile(r"//|%(?:2f|5c|25|00)|/(?:\.|%2e){1,2}(?:[/;]|$)", re.IGNORECASE)
"""What a browser or a server could take for another place than it says; as Parvis judges return addresses."""


class Rule(NamedTuple):
    """Requests of some methods whose whole path matches."""

    methods: frozenset[str]
    path: re.Pattern[str]


NEVER_QUEUED: Final = (
    "GET,HEAD /(healthz?|livez|readyz|robots\\.txt|favicon\\.ico)",
    "GET,HEAD /\\.well-known/.+",
    "GET,HEAD /(assets|static|media)/.+",
    # Payment providers' programs, and customers whom a provider sends back after paying.
    "GET,POST /payments?/(callback|return|webhook)s?(/.*)?",
    "POST /webhooks?(/.*)?",
)
"""What a ticketing system usually has; a house names its own."""


def read_rules(lines: Iterable[str]) -> tuple[Rule, ...]:
    """Rules as they stand in the settings: methods, a space, a regular expression for the path."""
    found = []
    for line in filter(None, map(str.strip, lines)):
        methods, _, path = line.partition(" ")
        if not path.startswith("/"):
            raise ValueError(f"{line!r} is no rule; write: GET,POST /payments/.*")
        found.append(Rule(frozenset(methods.upper().split(",")), re.compile(path)))
    return tuple(found)


def is_never_queued(rules: Iterable[Rule], method: str, path: str) -> bool:
    """Whether a request goes through without a turn."""
    if method == "OPTIONS":  # a browser's question whether it may ask; it carries no cookies
        return True
    return bool(PLAIN.fullmatch(path)) and any(method in rule.methods and rule.path.fullmatch(path) for rule in rules)


def is_guarded(roots: Iterable[str], path: str) -> bool:
    """Whether a path lies under one of the guarded ones. What servers may read in two ways always does."""
    if ODD.search(path):
        return True
    return any(root == "/" or path == root.rstrip("/") or path.startswith(f"{root.rstrip('/')}/") for root in roots)


def safe_target(text: str) -> str:
    """A path of this site to send somebody to; the front page for what would lead elsewhere, or is spelled oddly."""
    path = text.partition("?")[0].partition("#")[0]
    is_ours = text.startswith("/") and not NOT_PLAIN.search(text) and not ODD_TARGET.search(path)
    return text if is_ours else "/"
