"""Checks a published draw. It stands alone: Python's own library and this file are enough, `python verifier.py FILE`.

A house commits to a secret by publishing its SHA-256. When sales start the list of entrants is closed, and with it the
root of a tree over them (RFC 9162; leaf i hashes i and the entrant's secret hash). HMAC-SHA-256 of all of that, and of
what other houses contribute, under the secret is the seed; and the seed decides every position. Where a house draws by
windows of time, where they end is part of that, and everybody is drawn within their own; those after the start have
seeds of their own, a chain whose end is published beforehand, and each is told when its window has ended. So: does the
secret belong to the commitment, the list to the root, each contribution to its commitment, and the seed to all of them?
Whether those who contribute had signed all of it before (`signed`) takes their keys: `parvis draw verify --keys`.
"""

import hashlib
import hmac
import json
import re
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_right
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

ALGORITHM, PERMUTATION, STATEMENT = "parvis-draw-2", "parvis-feistel-1", "parvis-draw-statement"
MOST_ENTRANTS, MOST_LATER = 100_000_000, 5_000
LONGEST_MS = 86_400_000
ALWAYS = {"algorithm", "house", "on_sale", "line", "rule", "commitment", "contributors", "entrants", "root"}
ALWAYS |= {"secret", "seed"}
CONTRIBUTION = {"house", "commitment", "secret", "signature"}
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z")
SIGNATURE = re.compile(r"[A-Za-z0-9_-]{1,300}\.\.[A-Za-z0-9_-]{86}")


def _bytes(text: Any, what: str) -> bytes:
    """32 bytes of base64url in their one spelling."""
    try:
        data = urlsafe_b64decode(text + "=")
    except (TypeError, ValueError):
        data = b""
    if not isinstance(text, str) or len(data) != 32 or urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise ValueError(f"the {what} is not the base64url of 32 bytes")
    return data


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def read(data: bytes) -> dict[str, Any]:
    """The transcript in a file: one by itself, or the public status of an on-sale as anybody can save it.

    Raises `ValueError` where it is neither, and where the draw has not been made yet.
    """
    try:
        return _read(json.loads(data))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"this is neither a draw's transcript nor an on-sale's public status: {error}") from error


def _count(value: Any, what: str, most: int) -> None:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"the {what} does not lie between 0 and {most}")


def _written(value: Any, what: str, pattern: re.Pattern[str]) -> None:
    """What goes into a hash can be read in one way only: no blank or new line stands in it."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(f"the {what} is not written as one: {value!r:.80}")


def told_of(found: Any, line: str = "public") -> dict[str, Any]:
    """What a transcript or a status tells of a line's draw, whether it is made or not."""
    told: dict[str, Any] = found
    if isinstance(told, dict) and "secret_hashes" not in told and isinstance(told.get("lines"), dict):
        status = told
        told = dict(status["draw"] if line == "public" else status["lines"][line]["draw"])
        if told.get("algorithm") != PERMUTATION:
            told |= {"contributors": told.get("contributors", []), "line": line}
            told |= {"house": status["house"], "on_sale": status["on_sale"]}
        if told.get("seed") is not None:
            joined = [each["joined"] for each in status["lines"].values()]
            for each in joined:
                _count(each, "number of those who joined", MOST_ENTRANTS)
            _count(told["entrants"], "number of entrants", sum(joined))
    if not isinstance(told, dict) or "algorithm" not in told:
        raise ValueError("this is neither a draw's transcript nor an on-sale's public status")
    return told


def _read(found: Any) -> dict[str, Any]:
    told = told_of(found)
    if told["algorithm"] == PERMUTATION:  # until there were trees, the seed itself was the secret
        told = {"secret": told.get("seed"), **told}
    elif told["algorithm"] != ALGORITHM:
        raise ValueError(f"the draw's algorithm {told['algorithm']!r} is not {ALGORITHM!r}")
    if told.get("seed") is None:
        kept = told.get("commitment")
        raise ValueError(f"the draw has not been made yet; keep its commitment, to compare: {kept}")
    wanted = ALWAYS if told["algorithm"] == ALGORITHM else {"algorithm", "commitment", "entrants", "secret", "seed"}
    has_windows = isinstance(told.get("rule"), dict) and told["rule"].get("window_seconds", 0) != 0
    wanted = wanted | ({"windows", "later"} if has_windows else set())
    if not wanted <= set(told) <= wanted | {"secret_hashes"}:
        raise ValueError(f"it names {', '.join(sorted(set(told) ^ wanted))}: too much, or too little")
    _count(told["entrants"], "number of entrants", MOST_ENTRANTS)
    for name in wanted & {"commitment", "root", "secret", "seed"}:
        _bytes(told[name], name)
    for name in wanted & {"house", "on_sale", "line"}:
        _written(told[name], name.replace("_", "-"), NAME)
    if "rule" in wanted:
        _check_rule(told["rule"], has_windows)
        _check_contributors(told["contributors"])
    if has_windows:
        _check_windows(told["windows"], told["entrants"])
        _check_later(told["later"], told["entrants"])
    if isinstance(told.get("secret_hashes", []), list):
        return told
    raise ValueError("its secret hashes are no list")


def _check_rule(rule: Any, has_windows: bool) -> None:
    wanted = {"planned_at", "after_ms"} | ({"window_seconds", "anchor"} if has_windows else set())
    if not isinstance(rule, dict) or set(rule) != wanted:
        raise ValueError(f"its rule is not one of {', '.join(sorted(wanted))}")
    _written(rule["planned_at"], "planned start", INSTANT)
    _count(rule["after_ms"], "time until the draw", LONGEST_MS)
    if has_windows:
        _count(rule["window_seconds"], "length of a window", LONGEST_MS)
        _bytes(rule["anchor"], "anchor")


def _check_windows(ends: Any, entrants: int) -> None:
    is_list = isinstance(ends, list) and all(type(end) is int for end in ends)
    if not is_list or ends != sorted(set(ends)) or min(ends, default=-1) < 0 or ends[-1] != entrants:
        raise ValueError("its windows do not end one after the other, the last one with all entrants")


def _check_later(later: Any, entrants: int) -> None:
    if not isinstance(later, dict) or set(later) != {"first", "borders", "seed"}:
        raise ValueError("its windows after the start are not of first, borders and seed")
    first, borders = later["first"], later["borders"]
    _bytes(later["seed"], "seed of the last window")
    is_list = isinstance(borders, list) and all(type(each) is int for each in (first, *borders))
    if not is_list or not borders or borders != sorted(set(borders)):
        raise ValueError("its windows after the start do not end one after the other")
    begins = borders[0] == entrants if first == 1 else borders[0] > entrants
    if not begins or not 1 <= first < first + len(borders) <= MOST_LATER + 2:
        raise ValueError("its windows after the start do not begin with all entrants, or are too many")


def _check_contributors(found: Any) -> None:
    named = {"house", "commitment"}
    if not isinstance(found, list) or not all(isinstance(e, dict) and named <= set(e) <= CONTRIBUTION for e in found):
        raise ValueError("its contributors are not of house, commitment, secret and signature")
    for each in found:
        _written(each["house"], "name of a contributor", NAME)
        for name in {"commitment", "secret"} & set(each):
            _bytes(each[name], f"{name} of {each['house']}")
        if "signature" in each:
            _written(each["signature"], f"signature of {each['house']}", SIGNATURE)
        if "signature" in each and "secret" not in each:
            raise ValueError(f"{each['house']} signed, and has revealed nothing")
    if len({each["house"] for each in found}) < len(found):
        raise ValueError("a house contributes twice")


def root_of(secret_hashes: list[str]) -> str:
    """The root over a list, base64url; an empty secret hash is an index that nobody has."""
    parts: list[tuple[int, bytes]] = []  # of perfect trees, the largest first: how many leaves, and the root
    for index, secret_hash in enumerate(secret_hashes):
        known = _bytes(secret_hash, f"secret hash of index {index}") if secret_hash != "" else b""
        size, root = 1, hashlib.sha256(b"\0" + index.to_bytes(8, "big") + known).digest()
        while parts and parts[-1][0] == size:
            size, root = 2 * size, hashlib.sha256(b"\1" + parts.pop()[1] + root).digest()
        parts.append((size, root))
    whole = parts.pop()[1] if parts else hashlib.sha256().digest()
    while parts:
        whole = hashlib.sha256(b"\1" + parts.pop()[1] + whole).digest()
    return _text(whole)


def _lines(told: dict[str, Any]) -> list[str]:
    lines = [ALGORITHM, f"{told['house']}/{told['on_sale']}/{told['line']}"]
    lines += [f"{told['rule']['planned_at']} {told['rule']['after_ms']}", f"{told['entrants']} {told['root']}"]
    if "windows" in told:
        rule = told["rule"]
        lines.append(f"windows {rule['window_seconds']} {rule['anchor']}: {' '.join(map(str, told['windows']))}")
    return lines


def seed_of(told: dict[str, Any]) -> str:
    """The seed that a transcript must have."""
    lines = [f"{each['house']} {each['commitment']} {each.get('secret', '-')}" for each in told["contributors"]]
    lines = _lines(told) + lines
    return _text(hmac.digest(_bytes(told["secret"], "secret"), "\n".join(lines).encode(), "sha256"))


def contribution(told: dict[str, Any], house: str, secret: str) -> str:
    """What a house committed to, if this is its secret."""
    of = f"{told['house']}/{told['on_sale']}/{told['line']}"
    text = f"parvis-contribution\n{house}\n{of}\n{told['rule']['planned_at']}\n{secret}"
    return _text(hashlib.sha256(text.encode()).digest())


def faults(told: dict[str, Any]) -> list[str]:
    """What is wrong with a draw, in words; empty when it is right. Raises `ValueError` if it cannot be read."""
    found = []
    _bytes(told["seed"], "seed")
    if _text(hashlib.sha256(_bytes(told["secret"], "secret")).digest()) != told["commitment"]:
        found.append("the secret is not the one that was committed to beforehand")
    if told["algorithm"] == PERMUTATION:
        return found + ["the seed is not the secret"] * (told["seed"] != told["secret"])
    if seed_of(told) != told["seed"]:
        found.append("the seed does not come of the secret, the list and the contributions")
    found += [
        f"the contribution of {each['house']} is not the one that it committed to"
        for each in told["contributors"]
        if "secret" in each and contribution(told, each["house"], each["secret"]) != each["commitment"]
    ]
    if "later" in told:
        later = told["later"]
        anchor = seeds_of(later, later["first"] + len(later["borders"]) - 2)[-1]
        if _text(anchor) != told["rule"]["anchor"]:
            found.append("the seed of the last window does not lead to the anchor")
    if "secret_hashes" in told:
        found += [
            f"{each['house']} revealed its contribution, and no list is there that it had signed"
            for each in told["contributors"]
            if "secret" in each and "signature" not in each
        ]
        if len(told["secret_hashes"]) != told["entrants"]:
            found.append(f"{len(told['secret_hashes'])} are listed, and {told['entrants']} were drawn")
        elif root_of(told["secret_hashes"]) != told["root"]:
            found.append("the list is not the one of the root")
    return found


def signed(told: dict[str, Any]) -> list[tuple[str, bytes, str]]:
    """Of each house that revealed, what it signed before (the payload of a JWS without one, RFC 7515), and how."""
    if told["algorithm"] == PERMUTATION:
        return []
    named = [f"{each['house']} {each['commitment']}" for each in told["contributors"]]
    bound = _text(hashlib.sha256("\n".join([told["commitment"], *_lines(told), *named]).encode()).digest())
    of = f"{told['house']}/{told['on_sale']}/{told['line']}"
    lines = [of, told["rule"]["planned_at"], f"{told['entrants']} {told['root']} {bound}"]
    return [
        (each["house"], "\n".join([STATEMENT, each["house"], each["commitment"], *lines]).encode(), each["signature"])
        for each in told["contributors"]
        if "signature" in each
    ]


def withheld(told: dict[str, Any]) -> list[str]:
    """The houses that did not reveal their contribution in time."""
    return [each["house"] for each in told.get("contributors", ()) if "secret" not in each]


def seeds_of(later: dict[str, Any], back: int) -> list[bytes]:
    """The seed of the last window after the start that has ended, and so many before it: each gives the one before."""
    seeds = [_bytes(later["seed"], "seed of the last window")]
    for _ in range(back):
        seeds.append(hashlib.sha256(b"parvis-window" + seeds[-1]).digest())
    return seeds


def positions(told: dict[str, Any]) -> Callable[[int], int | None]:
    """From an index of arrival to its position, both from 0: within its window, where there are any.

    None for whoever came in a window after the start that has not ended. Whoever came in one from which all have been
    called, and which this status leaves out, is told their index.
    """
    seed, entrants = _bytes(told["seed"], "seed"), told["entrants"]
    if "windows" not in told:
        return _permutation(seed, entrants)
    later, ends = told["later"], [0, *told["windows"]]
    borders = later["borders"]
    seeds = seeds_of(later, len(borders) - 1)
    ended = later["first"] + len(borders) - 2

    @cache
    def before(window: int) -> Callable[[int], int]:
        key = hmac.digest(seed, f"window/{window - 1}".encode(), "sha256")
        return _permutation(key, ends[window] - ends[window - 1])

    @cache
    def after(window: int) -> Callable[[int], int]:
        start, end = borders[window - 1 : window + 1]
        key = hmac.digest(seeds[len(borders) - 1 - window], f"window/{start}/{end}".encode(), "sha256")
        return _permutation(key, end - start)

    def position(index: int) -> int | None:
        if index < entrants:
            window = bisect_right(ends, index)
            return int(ends[window - 1]) + before(window)(index - ends[window - 1])
        if borders[0] <= index < borders[-1]:
            window = bisect_right(borders, index)
            return int(borders[window - 1]) + after(window)(index - borders[window - 1])
        return index if index < borders[0] or ended >= MOST_LATER else None

    return position


def _permutation(seed: bytes, entrants: int) -> Callable[[int], int]:
    """A Feistel network of six rounds, walked down to size; from `entrants` on it changes nothing."""
    half = (max(10, max(entrants - 1, 1).bit_length()) + 1) // 2
    size = 1 << half

    def table(number: int) -> list[int]:
        blocks = range(-(-2 * size // 32))
        stream = b"".join(hmac.digest(seed, f"{PERMUTATION}/{number}/{block}".encode(), "sha256") for block in blocks)
        return [int.from_bytes(stream[at : at + 2], "big") % size for at in range(0, 2 * size, 2)]

    tables = [table(number) for number in range(6)]

    def position(index: int) -> int:
        if index >= entrants:
            return index
        while True:
            left, right = divmod(index, size)
            for values in tables:
                left, right = right, left ^ values[right]
            index = left * size + right
            if index < entrants:
                return index

    return position


def main(arguments: list[str]) -> None:
    """Checks the one file that is named. Raises `SystemExit`, with what is wrong in words."""
    if len(arguments) != 1:
        sys.exit("usage: python verifier.py FILE")
    try:
        transcript = read(Path(arguments[0]).read_bytes())
        found = faults(transcript)
    except (OSError, ValueError) as error:
        sys.exit(f"{arguments[0]}: {error}")
    if found:
        sys.exit("\n".join(found))
    sys.stdout.write(f"{transcript['entrants']} entrants were drawn as committed to: {transcript['commitment']}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
