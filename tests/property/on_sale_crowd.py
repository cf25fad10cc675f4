"""A crowd at an on-sale, second by second, small enough to be run many times: who is called, who comes, who buys.

It knows nothing of how Parvis works a chance or a wait out; it only says what then became of everybody.
"""

import heapq
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

PATIENCE_S = 120
"""So long somebody inside looks whether seats come back, where there are not enough."""


@dataclass
class Town:
    """What a seed draws: the hall, the house's pace, and the people."""

    seats: int
    crowd: int
    per_minute: float
    cap: int
    come: float
    buy: float
    sizes: list[int]
    shopping_s: float

    @classmethod
    def drawn(cls, chance: random.Random) -> "Town":
        seats = chance.choice([80, 300, 900, 2500])
        per_minute = chance.choice([20, 60, 150, 300])
        largest = chance.choice([2, 4, 6])
        return cls(
            seats=seats,
            crowd=int(seats * chance.uniform(0.3, 3)),
            per_minute=per_minute,
            cap=int(per_minute * chance.uniform(0.6, 5)),
            come=chance.uniform(0.6, 1),
            buy=chance.uniform(0.4, 0.97),
            sizes=[size for size in range(1, largest + 1) for _ in range(chance.choice([1, 2, 5]) if size <= 2 else 1)],
            shopping_s=chance.uniform(40, 240),
        )


@dataclass
class Crowd:
    """An on-sale as it goes; `second()` is one second of it."""

    town: Town
    chance: random.Random
    now_s: int = 0
    served: int = 0
    admitted: int = 0
    orders: int = 0
    sold: int = 0
    held: int = 0
    inside: int = 0
    called_at_s: dict[int, int] = field(default_factory=dict)
    could_buy: dict[int, bool] = field(default_factory=dict)
    """By position, of those who came in."""
    _due: float = 0.0
    _events: "list[tuple[float, int, str, int]]" = field(default_factory=list)
    _door: "deque[int]" = field(default_factory=deque)

    @property
    def open(self) -> int:
        return self.town.seats - self.sold - self.held

    @property
    def is_over(self) -> bool:
        return self.served >= self.town.crowd and not self._events and not self._door

    def _later(self, seconds: float, what: str, position: int) -> None:
        heapq.heappush(self._events, (self.now_s + seconds, position, what, self.chance.choice(self.town.sizes)))

    def second(self) -> None:
        """Calls whom the pace and the cap allow, then lets everybody do what is due."""
        self.now_s += 1
        self._due += self.town.per_minute / 60
        calls = int(self._due)
        self._due -= calls
        room = min(calls, self.town.cap - self.inside, self.town.crowd - self.served)
        for _ in range(max(0, room)):
            position, self.served = self.served, self.served + 1
            self.called_at_s[position] = self.now_s
            if self.chance.random() < self.town.come:
                self._later(self.chance.expovariate(1 / 12), "comes", position)
        while self._events and self._events[0][0] <= self.now_s:
            _, position, what, size = heapq.heappop(self._events)
            getattr(self, f"_{what}")(position, size)

    def _comes(self, position: int, size: int) -> None:
        if self.inside >= self.town.cap:
            self._later(2, "comes", position)
            return
        self.inside += 1
        self.admitted += 1
        self._looks(position, size)

    def _looks(self, position: int, size: int) -> None:
        if self.open >= size:
            self.could_buy[position] = True
            self.held += size
            self._events.append(
                (
                    self.now_s + self.chance.expovariate(1 / self.town.shopping_s),
                    position,
                    "buys" if self.chance.random() < self.town.buy else "goes",
                    size,
                )
            )
            heapq.heapify(self._events)
        elif self.now_s - self.called_at_s[position] < PATIENCE_S and self.sold < self.town.seats:
            heapq.heappush(self._events, (self.now_s + 5, position, "looks", size))
        else:
            self.could_buy[position] = False
            self.inside -= 1

    def _buys(self, _: int, size: int) -> None:
        self.held, self.sold = self.held - size, self.sold + size
        self.orders, self.inside = self.orders + 1, self.inside - 1

    def _goes(self, _: int, size: int) -> None:
        self.held, self.inside = self.held - size, self.inside - 1


def crowds(seed: int, count: int) -> Iterator[Crowd]:
    """So many on-sales, each another town's."""
    chance = random.Random(seed)
    for _ in range(count):
        yield Crowd(Town.drawn(chance), random.Random(chance.random()))
