"""Checks a published draw. It stands alone: Python's own library and this file are enough, `python verifier.py FILE`.

A house commits to a secret by publishing its SHA-256. When sales start the list of entrants is closed, and with it the
root of a tree over them (RFC 9162; leaf i hashes i and the entrant's secret hash). HMAC-SHA-256 of all of that, and of
what other houses contribute, under the secret is the seed; and the seed decides every position. Where a house draws by
windows of time, where they end is part of that, and everybody is drawn within their own. So: does the secret
belong to the commitment, the list to the root, each contribution to its commitment, and the seed to all of them?
"""

import hashlib
import hmac
import json
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_right
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

ALGORITHM, PERMUTATION = "parvis-draw-2", "parvis-feistel-1"
MOST_ENTRANTS = 100_000_000
ALWAYS = {"algorithm", "house", "on_sale", "line", "rule", "commitment", "contributors", "entrants", "root"}
ALWAYS |= {"secret", "seed"}
CONTRIBUTION = {"house", "commitment", "secret"}


def _bytes(text: Any, what: str) -> bytes:
    """32 bytes of base64url in their one spelling."""
    try:
        data = urlsafe_b64decode(text + "=")
    except (TypeError, ValueError):
        data = b""
    if len(data) != 32 or urlsafe_b64encode(data).rstrip(b"=").decode() != text:
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
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is neither a draw's transcript nor an on-sale's public status: {error}") from error


def _read(found: Any) -> dict[str, Any]:
    told: dict[str, Any] = found
    if isinstance(told, dict) and isinstance(told.get("draw"), dict):
        status, told = told, told["draw"]
        if told.get("seed") is None:
            kept = told.get("commitment")
            raise ValueError(f"the draw has not been made yet; keep its commitment, to compare: {kept}")
        joined = sum(line["joined"] for line in status["lines"].values())
        if told["entrants"] > joined:
            raise ValueError(f"the draw tells of {told['entrants']} entrants, and the lines of {joined}")
        if told["algorithm"] != PERMUTATION:
            told |= {"contributors": told.get("contributors", []), "line": "public"}
            told |= {"house": status["house"], "on_sale": status["on_sale"]}
    if not isinstance(told, dict) or "algorithm" not in told:
        raise ValueError("this is neither a draw's transcript nor an on-sale's public status")
    if told["algorithm"] == PERMUTATION:  # until there were trees, the seed itself was the secret
        told = {"secret": told.get("seed"), **told}
    elif told["algorithm"] != ALGORITHM:
        raise ValueError(f"the draw's algorithm {told['algorithm']!r} is not {ALGORITHM!r}")
    wanted = ALWAYS if told["algorithm"] == ALGORITHM else {"algorithm", "commitment", "entrants", "secret", "seed"}
    if told.get("rule", {}).get("window_seconds", 0) != 0:
        wanted = wanted | {"windows"}
    if not wanted <= set(told) <= wanted | {"secret_hashes"}:
        raise ValueError(f"it names {', '.join(sorted(set(told) ^ wanted))}: too much, or too little")
    rule = {"planned_at", "after_ms"} | ({"window_seconds"} if "windows" in told else set())
    if "rule" in told and set(told["rule"]) != rule:
        raise ValueError(f"its rule is not one of {', '.join(sorted(rule))}")
    if not all({"house", "commitment"} <= set(each) <= CONTRIBUTION for each in told.get("contributors", ())):
        raise ValueError("its contributors are not of house, commitment and secret")
    if type(told["entrants"]) is not int or not 0 <= told["entrants"] <= MOST_ENTRANTS:
        raise ValueError(f"the number of entrants does not lie between 0 and {MOST_ENTRANTS}")
    ends = told.get("windows", [told["entrants"]])
    if ends != sorted(set(ends)) or ends[-1:] != [told["entrants"]] or any(type(end) is not int for end in ends):
        raise ValueError("its windows do not end one after the other, the last one with all entrants")
    return told


def root_of(secret_hashes: list[str]) -> str:
    """The root over a list, base64url; an empty secret hash is an index that nobody has."""
    parts: list[tuple[int, bytes]] = []  # of perfect trees, the largest first: how many leaves, and the root
    for index, secret_hash in enumerate(secret_hashes):
        known = _bytes(secret_hash, f"secret hash of index {index}") if secret_hash else b""
        size, root = 1, hashlib.sha256(b"\0" + index.to_bytes(8, "big") + known).digest()
        while parts and parts[-1][0] == size:
            size, root = 2 * size, hashlib.sha256(b"\1" + parts.pop()[1] + root).digest()
        parts.append((size, root))
    whole = parts.pop()[1] if parts else hashlib.sha256().digest()
    while parts:
        whole = hashlib.sha256(b"\1" + parts.pop()[1] + whole).digest()
    return _text(whole)


def seed_of(told: dict[str, Any]) -> str:
    """The seed that a transcript must have."""
    lines = [ALGORITHM, f"{told['house']}/{told['on_sale']}/{told['line']}"]
    lines += [f"{told['rule']['planned_at']} {told['rule']['after_ms']}", f"{told['entrants']} {told['root']}"]
    if "windows" in told:
        lines.append(f"windows of {told['rule']['window_seconds']}: {' '.join(map(str, told['windows']))}")
    lines += [f"{each['house']} {each['commitment']} {each.get('secret', '-')}" for each in told["contributors"]]
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
    if "secret_hashes" in told:
        if len(told["secret_hashes"]) != told["entrants"]:
            found.append(f"{len(told['secret_hashes'])} are listed, and {told['entrants']} were drawn")
        elif root_of(told["secret_hashes"]) != told["root"]:
            found.append("the list is not the one of the root")
    return found


def withheld(told: dict[str, Any]) -> list[str]:
    """The houses that did not reveal their contribution in time."""
    return [each["house"] for each in told.get("contributors", ()) if "secret" not in each]


def positions(told: dict[str, Any]) -> Callable[[int], int]:
    """From an index of arrival to its position, both from 0: within its window, where there are any."""
    seed, entrants, ends = _bytes(told["seed"], "seed"), told["entrants"], told.get("windows")
    if not ends:
        return _permutation(seed, entrants)

    @cache
    def within(window: int) -> Callable[[int], int]:
        start = ends[window - 1] if window else 0
        return _permutation(hmac.digest(seed, f"window/{window}".encode(), "sha256"), ends[window] - start)

    def position(index: int) -> int:
        if index >= entrants:
            return index
        window = bisect_right(ends, index)
        start = ends[window - 1] if window else 0
        return start + within(window)(index - start)

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


if __name__ == "__main__":
    transcript = read(Path(sys.argv[1]).read_bytes())
    sys.exit("\n".join(faults(transcript)) or None)
