"""`parvis operator`: keys with which the network's operators see every house."""

import hashlib
import secrets

from engine.cli.speech import say


def make_key() -> None:
    """Prints a new key, this once, and what to write into the network file."""
    key = f"po_{secrets.token_urlsafe(32)}"
    say("The key, for the page /ops; it is shown this once:")
    say(f"  {key}")
    say("For the network file, above its first table (then start `parvis serve` again):")
    say(f'  operator_keys = ["{hashlib.sha256(key.encode()).hexdigest()}"]')
