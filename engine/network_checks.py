"""What is right in a network file: each field by itself, and what no two houses may share."""

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from ipaddress import ip_network
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import available_timezones

from engine.address import location_of
from engine.errors import BadInput
from engine.return_addresses import read_plain
from engine.words import is_slug

LANGUAGES: Final = ("nl", "fr", "de", "en")
"""Those that the pages speak."""
COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
POSTGRES_PORT: Final = 5432


def check_slug(slug: Any) -> Iterator[str]:
    """What is wrong with a slug, in words; nothing when all is well."""
    if not isinstance(slug, str) or not is_slug(slug):
        yield "a slug is made of a-z, 0-9 and inner hyphens, at most 40 characters"


def _check_words(text: str) -> Iterator[str]:
    if not text.strip():
        yield "it says nothing"


def _check_languages(languages: tuple[str, ...]) -> Iterator[str]:
    if not languages or len(set(languages)) < len(languages):
        yield "at least one language, and each once"
    for language in languages:
        if language not in LANGUAGES:
            yield f'there are no pages in "{language}" (there are: {", ".join(LANGUAGES)})'


def _check_time_zone(name: str) -> Iterator[str]:
    known = available_timezones()
    if known and name not in known:  # a bare machine may know none
        near = get_close_matches(name, known, n=1)
        yield f'there is no time zone "{name}"' + (f"; did you mean {near[0]}?" if near else "")


def _check_colour(colour: str) -> Iterator[str]:
    if not COLOUR.fullmatch(colour):
        yield f'"{colour}" is not a colour; write #rrggbb'


def _check_redis(url: str) -> Iterator[str]:
    # The URL itself is left out of what is said here and below: it may hold a password.
    try:
        location_of(url)
    except (BadInput, ValueError) as error:
        yield str(error)


def _check_postgres(dsn: str) -> Iterator[str]:
    try:
        database = _database(dsn)
    except ValueError:
        database = None
    if database is None:
        yield "a Postgres DSN reads postgresql://role:password@host:port/database"


def _check_origins(origins: tuple[str, ...]) -> Iterator[str]:
    for origin in origins:
        if not _is_web_address(origin) or urlsplit(origin).path or "?" in origin or "#" in origin:
            yield f'"{origin}" is not an origin; write https://www.example.org, without anything behind it'


def _check_returns(addresses: tuple[str, ...]) -> Iterator[str]:
    for address in addresses:
        if not _is_web_address(address):
            yield f'"{address}" is not an address of a web page; write https://www.example.org/tickets'
        elif read_plain(address) is None:
            yield (
                f'"{address}" could be read in two ways; write it plainly, without // or .. in its path, '
                "and a host with other letters by its xn-- name"
            )


def _check_networks(networks: tuple[str, ...]) -> Iterator[str]:
    for network in networks:
        try:
            ip_network(network)
        except ValueError:
            yield f'"{network}" is neither an address nor a network; write 10.1.2.3 or 10.1.2.0/24'


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        return False


def check_address(address: str) -> Iterator[str]:
    """Where other houses of the network find this one: an origin, nothing more."""
    if address and not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:_-]+", address):
        yield "an address is such as https://tickets.example.org, without a path"


CHECKS: Final[dict[str, Callable[[Any], Iterator[str]]]] = {
    "address": check_address,
    "slug": check_slug,
    "name": _check_words,
    "operator_contact": _check_words,
    "languages": _check_languages,
    "time_zone": _check_time_zone,
    "primary": _check_colour,
    "accent": _check_colour,
    "background": _check_colour,
    "text": _check_colour,
    "redis_url": _check_redis,
    "redis_owner_url": _check_redis,
    "postgres_dsn": _check_postgres,
    "allowed_origins": _check_origins,
    "return_addresses": _check_returns,
    "webhooks_to": _check_networks,
}
"""By the name of the field, whichever table it is in: no two tables mean different things by one name."""


def _database(dsn: str) -> tuple[str, int, str, str] | None:
    """Host, port, database and role of a DSN. None, or `ValueError`, if it is none."""
    parts = urlsplit(dsn)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    database = unquote(parts.path.strip("/"))
    if parts.scheme not in {"postgresql", "postgres"} or not database:
        return None
    host = parts.hostname or query.get("host", "localhost")
    port = parts.port or int(query.get("port", POSTGRES_PORT))
    return host, port, database, unquote(parts.username or "")


def identities(values: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """What no two houses may have in common, as far as it is known of this one."""
    if slug := values.get("slug"):
        yield "slug", slug
    if dsn := values.get("postgres_dsn"):
        host, port, database, role = _database(dsn) or ("", 0, "", "")
        yield "Postgres database", (host, port, database)
        yield "Postgres role", (host, port, role)
    if url := values.get("redis_url"):
        location = location_of(url)
        for seed in location.seeds:
            yield "user on the same Redis", (repr(seed), location.primary_name, location.account.user)
    if folder := values.get("secrets_path"):
        yield "folder of secrets", folder
