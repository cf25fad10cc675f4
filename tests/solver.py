"""Solves a challenge as ALTCHA's documentation tells it, by trying every number."""

import hashlib
import json
from base64 import b64encode
from typing import Any


def solve(challenge: dict[str, Any]) -> str:
    """The payload that is shown."""
    begun = hashlib.sha256(challenge["salt"].encode())
    for number in range(challenge["maxnumber"] + 1):
        tried = begun.copy()
        tried.update(str(number).encode())
        if tried.hexdigest() == challenge["challenge"]:
            names = ("algorithm", "challenge", "salt", "signature")
            shown = {"number": number} | {name: challenge[name] for name in names}
            return b64encode(json.dumps(shown).encode()).decode()
    raise AssertionError("it has no solution")
