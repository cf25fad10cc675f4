"""What whoever runs the network makes by hand: keys of operators, and a house's keys before its first start."""

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path

from engine.cli.serve import choose
from engine.cli.speech import good, say
from engine.instants import to_rfc3339
from engine.known_user import secret_key
from engine.network import load
from engine.pass_keys import rotate
from engine.sealing import Opener
from engine.signing import Signer


def make_key() -> None:
    """Prints a new key, this once, and what to write into the network file."""
    key = f"po_{secrets.token_urlsafe(32)}"
    say("The key, for the page /ops; it is shown this once:")
    say(f"  {key}")
    say("For the network file, above its first table (then start `parvis serve` again):")
    say(f'  operator_keys = ["{hashlib.sha256(key.encode()).hexdigest()}"]')


def rotate_key(network_file: Path, slug: str) -> None:
    """Lays a new key that signs passes beside a house's others. Raises `BadInput`."""
    folder = load(network_file).house(slug).secrets_path
    starts_at = to_rfc3339(rotate(folder))
    good(f"{slug}: a new key is published now, and signs from {starts_at}")


def make_house_keys(network_file: Path, slugs: Sequence[str]) -> None:
    """Makes what is missing in each house's `secrets_path`; what is there stays. Raises `BadInput`."""
    for house in choose(load(network_file), slugs):
        Opener(Signer(house.slug, house.secrets_path), house.secrets_path)
        secret_key(house.secrets_path)
        good(f"{house.slug}: its keys are in {house.secrets_path}")
