"""Waits instead of proofs of work: the browsers of one network that run no script wait one after another.

Each wait ends so long after the one before it as an old phone would try the numbers that are asked of its network
just then. So all of them together are as fast as that phone, however many ask at once, and whoever comes from elsewhere
waits for none of them.
"""

from typing import Final

from api.neighbours import MOST_PREFIXES, REST

PHONE_A_SECOND: Final = 120_000
"""Numbers that an old phone tries: the hardest challenge takes it two and a half seconds."""
LEAST_WAIT_SECONDS: Final = 5
LONGEST_WAIT_SECONDS: Final = 600
"""A school of 300 that comes at once has joined before. Whoever finds more before them is told to come back."""


class Waits:
    """Until when the waits of each network last, in this process. Those for whom there is no room are as one."""

    def __init__(self) -> None:
        self._until_ms: dict[str, int] = {}

    def take(self, network: str, numbers: int, at_ms: int) -> int | None:
        """When the next wait of a network is over; None where that is too long to be waited. `numbers`: asked of it."""
        if network not in self._until_ms and len(self._until_ms) >= MOST_PREFIXES:
            self._until_ms = {name: until_ms for name, until_ms in self._until_ms.items() if until_ms > at_ms}
            network = network if len(self._until_ms) < MOST_PREFIXES else REST
        after_ms = self._until_ms.get(network, 0) + numbers * 1000 // PHONE_A_SECOND
        over_at_ms = max(at_ms + LEAST_WAIT_SECONDS * 1000, after_ms)
        if over_at_ms > at_ms + LONGEST_WAIT_SECONDS * 1000:
            return None
        self._until_ms[network] = over_at_ms
        return over_at_ms
