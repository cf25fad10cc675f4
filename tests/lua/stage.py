"""A cell with an on-sale, drawn halls and orders: every script of `lua/` as a method."""

from collections.abc import Sequence
from typing import Any

import redis

from engine.words import OrderId
from tests.lua.stage_cell import Reply, pack
from tests.lua.stage_hall import HOLD_MS, HallStage
from tests.lua.stage_line import PASS_MS, SALE

__all__ = ["HOLD_MS", "PASS_MS", "SALE", "Reply", "Stage", "pack"]


class Stage(HallStage):
    """One house's Redis, its gate open at epoch 1, one on-sale, and performances drawn by the test."""

    def __init__(self, owner: redis.Redis, house: str = "house") -> None:
        self.names = {}
        super().__init__(owner, house)

    def sell(self, visitor: int, hold: str, performance: str) -> None:
        assert self.confirm(visitor, hold, [performance])[0] == b"confirmed"

    def order_key(self, order: str) -> bytes:
        """An order as replies name it."""
        return self.keys.order(OrderId(order)).encode()

    def _payment_keys(self, operation: str, payment: str, order: str) -> list[str]:
        keys = self.keys
        return [keys.cell, operation or self.key(), keys.payment("demo", payment), keys.order(OrderId(order))]

    def _due_keys(self, performances: Sequence[str]) -> list[str]:
        return [part for name in performances for part in self.hall(name)[::2]]

    def confirm(
        self,
        visitor: int,
        hold: str,
        performances: Sequence[str] = ("p",),
        *,
        order: str = "",
        payment: str = "",
        operation: str = "",
        fingerprint: str = "f",
        owner: str | None = None,
        total: int = 100,
        holds: Sequence[Sequence[Any]] = (),
        customer: tuple[str, int] = ("", 0),
        place: str | None = None,
    ) -> Reply:
        """Calls orders/confirm for one hold, or for `holds` as packed. An empty `owner` is the house's back end."""
        self.counter += 1
        keys = [
            *self._payment_keys(operation, payment or f"yes-{self.counter}", order or f"order-{self.counter}"),
            *(self.keys.outbox, self.keys.sale(SALE), self.keys.live(SALE)),
            *self._due_keys(performances),
        ]
        holds = holds or [[hold, *range(1, len(performances) + 1)]]
        owner = f"v{visitor}" if owner is None else owner
        place = str(visitor) if place is None else place
        arguments = (fingerprint, owner, place, b"payload", pack(holds), total, pack(customer))
        return self.run("orders/confirm", keys, *arguments)

    def wait_for_payment(
        self,
        visitor: int,
        hold: str,
        performances: Sequence[str] = ("p",),
        *,
        order: str = "o1",
        payment: str = "late-1",
        operation: str = "",
        fingerprint: str = "f",
        owner: str | None = None,
        keep_ms: int = 600_000,
    ) -> Reply:
        """Calls orders/await."""
        keys = [*self._payment_keys(operation, payment, order), self.keys.outbox, *self._due_keys(performances)]
        holds = pack([[hold, *range(1, len(performances) + 1)]])
        owner = f"v{visitor}" if owner is None else owner
        return self.run("orders/await", keys, fingerprint, owner, b"payload", holds, keep_ms)

    def give_back(
        self,
        visitor: int,
        order: str,
        seats: str = "",
        performances: Sequence[str] = ("p",),
        *,
        places: int = 0,
        parts: Sequence[Any] = (),
        operation: str = "",
        fingerprint: str = "f",
        recorded_ms: int | None = None,
        total: int = 100,
        standing: Sequence[int] = (0,),
        items: Sequence[int] = (0,),
    ) -> Reply:
        """Calls orders/return for seats in the first performance, or for `parts` as `free_hold` takes them."""
        keys = self.keys
        flat = self.places(seats, performances[0])
        runs = [part for place in range(0, len(flat), 2) for part in (flat[place], flat[place + 1], 1)]
        parts = parts or [[f"v{visitor}", 0, runs, [0, places] if places else [], 0]]
        halls = [part for name in performances for part in self.hall(name)]
        return self.run(
            "orders/return",
            [
                *(keys.cell, operation or self.key(), keys.order(OrderId(order)), keys.outbox, keys.sale(SALE)),
                *halls,
            ],
            *(fingerprint, self.now_ms() if recorded_ms is None else recorded_ms),
            *(
                f"return-{order}",
                b"action",
                b"as the ledger has it",
                pack([list(standing), list(items), list(parts)]),
                total,
            ),
        )

    def exchange(
        self,
        visitor: int,
        former: str,
        seats: str,
        hold: str = "new",
        performances: Sequence[str] = ("p",),
        *,
        order: str = "new",
        payment: str = "cash-1",
        operation: str = "",
        fingerprint: str = "f",
        recorded_ms: int | None = None,
        totals: tuple[int, int] = (100, 300),
        standing: Sequence[int] = (0,),
        items: Sequence[int] = (0,),
        sold: Sequence[Any] = (),
        holds: Sequence[Sequence[Any]] = (),
    ) -> Reply:
        """Calls orders/exchange for seats of the first performance, and a hold of visitor's in the same."""
        keys = self.keys
        flat = self.places(seats, performances[0])
        runs = [part for place in range(0, len(flat), 2) for part in (flat[place], flat[place + 1], 1)]
        sold = sold or [[1, [f"v{visitor}", 0, runs, [], 0]]]
        return self.run(
            "orders/exchange",
            [
                *self._payment_keys(operation, payment, order),
                *(keys.sale(SALE), keys.order(OrderId(former)), keys.sale(SALE), keys.outbox),
                *(part for each in performances for part in self.hall(each)),
            ],
            *(fingerprint, self.now_ms() if recorded_ms is None else recorded_ms, f"v{visitor}", b"payload"),
            *(b"as the ledger has it", b"action"),
            pack([list(standing), list(items), list(sold), f"return-{former}", list(holds) or [[hold, 1]], *totals]),
        )

    def rebook(
        self,
        visitor: int,
        seats: str = "",
        performances: Sequence[str] = ("p",),
        *,
        holds: Sequence[str] = (),
        places: Sequence[int] = (),
        order: str = "o1",
        payment: str = "late-1",
        operation: str = "",
        fingerprint: str = "f",
        limit: int = 8,
        total: int = 100,
        codes: Sequence[str | int] = (),
        customer: tuple[str, int] = ("", 0),
    ) -> Reply:
        """Calls orders/rebook for the same seats in each performance, with `places` as area, count, …."""
        keys = [
            *self._payment_keys(operation, payment, order),
            *(self.keys.outbox, self.keys.sale(SALE)),
            *(part for name in performances for part in self.hall(name)),
        ]
        wanted = [(list(holds), self.places(seats, name) if seats else [], list(places)) for name in performances]
        terms = pack([limit, codes, *customer])
        return self.run("orders/rebook", keys, fingerprint, f"v{visitor}", b"payload", pack(wanted), total, terms)

    def forgo(self, payment: str, seconds: int = 60) -> Reply:
        return self.run("orders/forgo", [self.keys.cell, self.keys.payment("demo", payment)], seconds)

    def conflict(
        self, *, order: str = "o1", payment: str = "late-1", operation: str = "", fingerprint: str = "f"
    ) -> Reply:
        keys = [*self._payment_keys(operation, payment, order), self.keys.outbox]
        return self.run("orders/conflict", keys, fingerprint, b"payload")

    def find(self, order: str) -> Reply:
        return self.ask("orders/find", [self.keys.order(OrderId(order)), self.keys.recorded])

    def find_payment(self, payment: str) -> Reply:
        return self.ask("orders/find_payment", [self.keys.payment("demo", payment)])
