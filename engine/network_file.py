"""Reads a network file, and says everything that is wrong with it at once, in words and with where."""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.errors import BadNetworkFile
from engine.network import House, Neighbour, Network, Policy
from engine.network_checks import CHECKS, check_slug, identities
from engine.words import HouseSlug, is_slug

if TYPE_CHECKING:
    from engine.embedded.servers import ServerAddresses

VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
KEY_HASH: Final = re.compile(r"[0-9a-f]{64}")
TOP_LEVEL: Final = ("name", "operator_keys", "trusted_proxies", "policies", "houses")
MOST_PROXIES: Final = 8
MADE: Final = "neighbours"
"""What is made of the whole file; whatever a file says of it counts for nothing."""
FROM_SERVERS: Final = ("redis_url", "redis_owner_url", "postgres_dsn", "secrets_path")

Table = dict[str, Any]
Problems = list[str]


def read_network(path: Path, servers: "Mapping[HouseSlug, ServerAddresses]") -> Network:
    """See `engine.network.load`."""
    document = _parse(path)
    problems: Problems = []
    _unknown_keys(document, TOP_LEVEL, "the file", problems)
    name = _substitute(document.get("name"), "name", problems)
    if not isinstance(name, str) or not name.strip():
        problems.append('the file: "name" is missing')
    operator_keys = _operator_keys(document, problems)
    trusted_proxies = _trusted_proxies(document, problems)
    policies = _policies(document, path, problems)
    found = [
        _read_house(table, number, path, policies, servers, problems)
        for number, table in enumerate(_house_tables(document, problems), start=1)
    ]
    _clashes(found, problems)
    if problems:
        raise _refusal(path, problems)
    houses = tuple(House(**values) for values in found)
    near = [Neighbour(each.slug, each.name, each.address) for each in houses]
    houses = tuple(
        msgspec.structs.replace(house, neighbours=tuple(each for each in near if each.slug != house.slug))
        for house in houses
    )
    return Network(name, houses, operator_keys, trusted_proxies)


def read_slugs(path: Path) -> tuple[HouseSlug, ...]:
    """See `engine.network.read_slugs`."""
    problems: Problems = []
    slugs: list[HouseSlug] = []
    for number, table in enumerate(_house_tables(_parse(path), problems), start=1):
        slug = _substitute(table.get("slug"), f"house {number}, slug", problems)
        faults = [f"house {number}, slug: {fault}" for fault in check_slug(slug)]
        problems += faults
        slugs += [] if faults else [slug]
    _clashes([{"slug": slug} for slug in slugs], problems)
    if problems:
        raise _refusal(path, problems)
    return tuple(slugs)


def _operator_keys(document: Table, problems: Problems) -> tuple[str, ...]:
    """Nobody can come in with what stands in the file: it is what a key's SHA-256 is."""
    found = _substitute(document.get("operator_keys", []), "operator_keys", problems)
    if found is msgspec.UNSET:
        return ()
    if isinstance(found, list) and all(isinstance(each, str) and KEY_HASH.fullmatch(each) for each in found):
        return tuple(found)
    problems.append("operator_keys: a list of what `parvis operator key` says, 64 digits each; never a key itself")
    return ()


def _trusted_proxies(document: Table, problems: Problems) -> int:
    """None unless the file says so: whoever connects could tell anything of where they are."""
    found = document.get("trusted_proxies", 0)
    if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= MOST_PROXIES:
        return found
    problems.append(f"trusted_proxies: how many proxies stand before every process, 0 to {MOST_PROXIES}")
    return 0


def _refusal(path: Path, problems: Problems) -> BadNetworkFile:
    count = "a fault" if len(problems) == 1 else f"{len(problems)} faults"
    return BadNetworkFile(f"The network file {path} has {count}.", tuple(problems))


def _parse(path: Path) -> Table:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _refusal(path, [f"the file cannot be read: {error.strerror}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _refusal(path, [f"the file is not TOML: {error}"]) from error


def _near(word: str, known: Iterable[str]) -> str:
    """The hint for a word that is none of those known."""
    known = list(known)
    near = get_close_matches(word, known, n=1)
    return f'; did you mean "{near[0]}"?' if near else f" (there are: {', '.join(known) or 'none'})"


def _unknown_keys(table: Table, known: Iterable[str], where: str, problems: Problems) -> None:
    known = list(known)
    problems += [f'{where}: unknown key "{key}"{_near(key, known)}' for key in table if key not in known]


def _house_tables(document: Table, problems: Problems) -> list[Table]:
    tables = document.get("houses")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        problems.append("the file: a network has houses, each in its own [[houses]]")
        return []
    return tables


def _substitute(value: Any, where: str, problems: Problems) -> Any:
    """`value` with each `${NAME}` replaced from the environment; `UNSET`, and a problem, if one is not."""
    match value:
        case str():
            missing = [name for name in VARIABLE.findall(value) if name not in os.environ]
            problems += [f"{where}: the environment has no {name}" for name in missing]
            return msgspec.UNSET if missing else VARIABLE.sub(lambda found: os.environ[found[1]], value)
        case list():
            items = [_substitute(item, where, problems) for item in value]
            return msgspec.UNSET if msgspec.UNSET in items else items
        case dict():
            return {key: _substitute(item, f"{where}, {key}", problems) for key, item in value.items()}
        case _:
            return value


def _policies(document: Table, path: Path, problems: Problems) -> Table:
    """The shared policies by name; `UNSET` for one that has faults of its own."""
    tables = document.get("policies", {})
    if not isinstance(tables, dict):
        problems.append("policies: each stands in its own [policies.<name>]")
        return {}
    policies: Table = {}
    for name, table in tables.items():
        where = f"policy {name}"
        policies[name] = _struct(Policy, _substitute(table, where, problems), where, path.parent, problems)
    return policies


def _read_house(
    table: Table,
    number: int,
    path: Path,
    policies: Table,
    servers: "Mapping[HouseSlug, ServerAddresses]",
    problems: Problems,
) -> Table:
    """The fields of a house that are right."""
    slug = _substitute(table.get("slug"), f"house {number}, slug", [])
    where = f"house {slug}" if isinstance(slug, str) and is_slug(slug) else f"house {number}"
    embedded = servers.get(HouseSlug(slug)) if isinstance(slug, str) else None
    if embedded is not None:
        table = {key: value for key, value in table.items() if key not in FROM_SERVERS}
    table = _substitute(table, where, problems)
    if embedded is not None:
        table |= msgspec.structs.asdict(embedded) | {"secrets_path": str(embedded.secrets_path)}
    has_owner = "redis_owner_url" in table
    table = {"redis_owner_url": msgspec.UNSET, "secrets_path": f"secrets/{slug}"} | table
    if isinstance(name := table.get("policy"), str):
        if name not in policies:
            problems.append(f'{where}, policy: no policy is called "{name}"{_near(name, policies)}')
        table["policy"] = policies.get(name, msgspec.UNSET)
    right = _fields(House, table, where, path.parent, problems)
    if not has_owner and "redis_url" in right:
        right["redis_owner_url"] = right["redis_url"]
    return right


def _fields(kind: type[msgspec.Struct], table: Any, where: str, folder: Path, problems: Problems) -> Table:
    """The fields of `kind` that `table` has right; each other one is a problem, or was before (`UNSET`)."""
    if not isinstance(table, dict):
        problems.append(f"{where}: a table is expected here")
        return {}
    fields = {field.name: field for field in msgspec.structs.fields(kind) if field.name != MADE}
    _unknown_keys({key: value for key, value in table.items() if key != MADE}, fields, where, problems)
    right: Table = {}
    for name, field in fields.items():
        at = f"{where}, {name}"
        value = table.get(name, msgspec.NODEFAULT)
        if value is msgspec.NODEFAULT:
            problems += [f'{where}: "{name}" is missing'] if field.required else []
        elif isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            right[name] = _struct(field.type, value, at, folder, problems)
        elif value is not msgspec.UNSET:
            try:
                value = msgspec.convert(value, field.type, dec_hook=lambda _, text: folder.absolute() / text)
                faults = list(CHECKS[name](value)) if name in CHECKS else []
            except msgspec.ValidationError as error:
                faults = [str(error)]
            problems += [f"{at}: {fault}" for fault in faults]
            right |= {} if faults else {name: value}
    return right


def _struct(kind: type[msgspec.Struct], value: Any, where: str, folder: Path, problems: Problems) -> Any:
    """A `kind` read from a table, or `UNSET` if that has problems."""
    if value is msgspec.UNSET or isinstance(value, kind):
        return value
    before = len(problems)
    fields = _fields(kind, value, where, folder, problems)
    is_whole = len(problems) == before and msgspec.UNSET not in value.values()
    return kind(**fields) if is_whole else msgspec.UNSET


def _clashes(houses: list[Table], problems: Problems) -> None:
    first: dict[object, str] = {}
    for number, values in enumerate(houses, start=1):
        who = values.get("slug") or str(number)
        for what, identity in identities(values):
            other = first.setdefault((what, identity), who)
            problem = f"house {who}: it has the same {what} as house {other}; each has its own"
            if other is not who and problem not in problems:  # two clusters may share several nodes
                problems.append(problem)
