"""Paying, keeping for a payment, returning all or some of it, and buying again what had lapsed."""

from collections import Counter
from typing import Any, NamedTuple

import msgspec

from engine.words import OrderId
from tests.lua.stage import SALE, pack
from tests.property.walk.caller import CODE, KEPT_MS, LIMIT, MARKS, MOST, Caller, flat_areas
from tests.property.walk.hall import Area, Hall, Kept

PRICE = 10


class Item(msgspec.Struct, frozen=True):
    """A seat or a place that was sold. `aside`: the name of the allotment it was taken from, or none."""

    hall: str
    seat: int = -1
    area: str = ""
    aside: str = ""
    letter: str = ""
    has_code: bool = False


class Order(msgspec.Struct):
    """An order as the ledger has it. `gone`: its items that were returned."""

    order: str
    owner: str
    mark: str
    items: list[Item]
    gone: set[int]
    is_forgotten: bool = False


class Back(NamedTuple):
    """What comes back of an order: its items that still stand, as the ledger has it, and which of them."""

    order: Order
    standing: list[int]
    numbers: list[int]
    halls: list[Hall]
    parts: dict[str, Kept]
    packed: list[Any]

    @property
    def hold(self) -> str:
        return f"{self.order.order}.{self.numbers[0]}"


class Orders(Caller):
    """The calls of `orders/`."""

    orders: list[Order]
    sold_orders: int
    takings: int

    def keep(self) -> None:
        hold, halls, owner = self.some()
        holds = pack([[hold, *range(1, len(halls) + 1)]])
        keys = [*self.payment(f"k{hold}"), self.stage.keys.outbox, *self.dues_of(halls)]
        reply = self.call("orders/await", keys, "f", owner, pack("payload"), holds, KEPT_MS)
        if not all(self.may(hall, hold, owner) for hall in halls):
            assert reply == [b"hold_ended", hold.encode()], reply
            return
        assert reply[0] == b"awaiting", reply
        for hall in halls:
            kept, stored = hall.holds[hold], self._record(hall, hold)
            if not kept.is_extended:
                assert stored[1] >= kept.ends_ms - self.shifted_ms
                assert stored[1] <= max(kept.ends_ms, min(self.now() + KEPT_MS, kept.latest_ms)) - self.shifted_ms
                kept.ends_ms, kept.is_extended = stored[1] + self.shifted_ms, True
        ends_ms = min(hall.holds[hold].ends_ms for hall in halls)
        assert reply[1] == ends_ms - self.shifted_ms
        self.tell("extended", reply[3], hold, owner, ends_ms=ends_ms)

    def _record(self, hall: Hall, hold: str) -> list[int]:
        found: list[int] = msgspec.msgpack.decode(self.stage.hash(self.keys_of(hall)[0])[f"h{hold}".encode()])
        return found

    def _mark(self, owner: str) -> tuple[str, int]:
        """What a customer's seats are counted under, and how many they may have; nothing where that is not limited."""
        return (MARKS.get(owner, ""), self.draw.choice((5, 8))) if self.draw.random() < 0.7 else ("", 0)

    def confirm(self) -> None:
        hold, halls, owner = self.some()
        asks = owner if self.draw.random() < 0.8 else ""
        self.number += 1
        order, keys = f"o{self.number}", self.stage.keys
        kept = [hall.holds.get(hold) for hall in halls]
        count = sum(each.count for each in kept if each)
        mark, most = self._mark(kept[0].owner if kept[0] else owner)
        holds = pack([[hold, *range(1, len(halls) + 1)]])
        reply = self.call(
            "orders/confirm",
            [*self.payment(order), keys.outbox, keys.sale(SALE), keys.live(SALE), *self.dues_of(halls)],
            *("f", asks, "", pack("payload"), holds, PRICE * count, pack([mark, most])),
        )
        owner = owner if asks or not kept[0] else kept[0].owner
        if not all(self.may(hall, hold, owner) for hall in halls):
            assert reply == [b"hold_ended", hold.encode()], reply
            return
        for number, hall in enumerate(halls, 1):
            if mark and hall.bought[mark] + hall.holds[hold].count > most:
                assert reply == [b"limit", number, hall.bought[mark]], reply
                return
        assert reply[0] == b"confirmed", reply
        self.tell("confirmed", reply[3], hold, owner, order=order)
        for hall in halls:
            hall.unpaid.pop(owner, None)
        self._sold(order, owner, mark, {hall.name: hall.holds.pop(hold) for hall in halls})

    def _sold(self, order: str, owner: str, mark: str, parts: dict[str, Kept]) -> None:
        """Seats and places are sold. Codes that they were held with stay used."""
        items: list[Item] = []
        for name, part in parts.items():
            hall, mine = self.halls[name], list[Item]()
            names = {letter: aside.name for letter, aside in {**hall.ended, **hall.aside}.items()}
            for seat, letter in part.seats.items():
                mine.append(Item(name, seat=seat, aside=names.get(letter, ""), letter=letter))
            for (letter, area), count in part.places.items():
                mine += [Item(name, area=area, aside=names.get(letter, ""), letter=letter)] * count
                hall.sold[hall.now_of((letter, area))] += count
            items += [msgspec.structs.replace(item, has_code=at < part.uses) for at, item in enumerate(mine)]
            hall.set(part.seats, "s")
            if mark:
                hall.bought[mark] += part.count
        self.orders.append(Order(order, owner, mark, items, set()))
        self.sold_orders += 1
        self.takings += PRICE * len(items)

    def _letter(self, item: Item) -> str:
        """Of the allotment that it was taken from, if that lives."""
        aside = self.halls[item.hall].aside.get(item.letter)
        return item.letter if aside and aside.name == item.aside else "o"

    def give_back(self) -> None:
        """An order, or some items of it, comes back; mostly of those that still stand."""
        back = self._coming_back()
        if back is None:
            return
        keys, order = self.stage.keys, back.order
        reply = self.call(
            "orders/return",
            [
                *(keys.cell, self.stage.key(), keys.order(OrderId(order.order)), keys.outbox, keys.sale(SALE)),
                *self.halls_of(back.halls),
            ],
            *("f", self.stage.now_ms(), back.hold, pack("action"), pack("payload")),
            *(pack([back.standing, back.numbers, back.packed]), PRICE * len(back.numbers)),
        )
        if order.gone & set(back.numbers):
            assert reply == [b"already_returned"], reply
            return
        assert reply[0] == b"returned", reply
        for hall in back.halls:
            self.turn(hall)
        self.outcomes["return of all" if len(back.numbers) == len(order.items) else "return of some"] += 1
        self.tell("returned", reply[3], "", order.owner, back.parts, order=order.order)
        self._come_back(back, b"refunded")

    def exchange(self) -> None:
        """What a hold has instead of an order, or of some of its items, in one step."""
        back = self._coming_back()
        if back is None:
            return
        keys, order = self.stage.keys, back.order
        hold, of_hold, owner = self.some()
        halls = [*of_hold, *(hall for hall in back.halls if hall not in of_hold)]
        self.number += 1
        new, worth = f"o{self.number}", PRICE * len(back.numbers)
        total = PRICE * sum(hall.holds[hold].count for hall in of_hold if hold in hall.holds)
        sold = [[halls.index(hall) + 1, part] for hall, part in zip(back.halls, back.packed, strict=True)]
        holds = [[hold, *(halls.index(hall) + 1 for hall in of_hold)]]
        reply = self.call(
            "orders/exchange",
            [
                *self.payment(new),
                *(keys.sale(SALE), keys.order(OrderId(order.order)), keys.sale(SALE), keys.outbox),
                *self.halls_of(halls),
            ],
            *("f", self.stage.now_ms(), owner, pack("payload"), pack("former"), pack("action")),
            pack([back.standing, back.numbers, sold, back.hold, holds, worth, total]),
        )
        if order.gone & set(back.numbers):
            assert reply == [b"already_returned"], reply
            return
        for hall in halls:
            self.turn(hall)
        if not all(self.may(hall, hold, owner) for hall in of_hold):
            assert reply == [b"hold_ended", hold.encode()], reply
            return
        assert reply[0] == b"exchanged", reply
        self.tell("confirmed", reply[3], hold, owner, order=new, step=0)
        self.tell("returned", reply[3], "", order.owner, back.parts, order=order.order, step=1)
        for hall in of_hold:
            hall.unpaid.pop(owner, None)
        self._sold(new, owner, "", {hall.name: hall.holds.pop(hold) for hall in of_hold})
        self._come_back(back, b"exchanged")

    def _coming_back(self) -> Back | None:
        """What of an order is to come back, as the ledger has it, and as calls take it."""
        if not self.orders:
            return None
        order, keys = self.draw.choice(self.orders[-12:]), self.stage.keys
        if self.draw.random() < 0.1:
            self.stage.redis.execute_command("DEL", keys.order(OrderId(order.order)))  # a day has passed
            order.is_forgotten = True
        live = [at for at in range(len(order.items)) if at not in order.gone]
        standing = live if order.is_forgotten or self.draw.random() < 0.7 else list(range(len(order.items)))
        if not standing:
            return None
        numbers = standing
        if self.draw.random() < 0.6:
            numbers = sorted(self.draw.sample(standing, self.draw.randint(1, len(standing))))
        items = [order.items[number] for number in numbers]
        names = dict.fromkeys(item.hall for item in items)
        parts = {name: self._part(order.owner, [item for item in items if item.hall == name]) for name in names}
        halls = [self.halls[name] for name in names]
        for hall, part in zip(halls, parts.values(), strict=True):
            if not hall.has_room_for(part):
                assert order.gone & set(numbers), "what was sold has no place in the plan"
                return None
        packed = []
        for hall, part in zip(halls, parts.values(), strict=True):
            runs = [flat for seat in part.seats for flat in (*hall.where[seat], 1)]
            codes, letters = [CODE, part.uses] if part.uses else [], "".join(part.seats.values())
            packed.append([order.owner, 0, runs, flat_areas(hall, part.places), 0, letters, codes, 0, order.mark])
        return Back(order, standing, numbers, halls, parts, packed)

    def _come_back(self, back: Back, state: bytes) -> None:
        """It comes back, the halls having been turned. `state`: of an order of which nothing is left."""
        order = back.order
        order.gone |= set(back.numbers)
        is_whole = len(order.gone) == len(order.items)
        found = self.stage.find(order.order)
        assert found[1] == (state if is_whole else b"confirmed"), found
        self.sold_orders -= is_whole
        self.takings -= PRICE * len(back.numbers)
        for hall, part in zip(back.halls, back.parts.values(), strict=True):
            part.places = hall.as_it_is(part).places
            hall.sold.subtract(part.places)
            if order.mark:
                hall.bought[order.mark] -= part.count
            hall.set(part.seats, "h")
            hall.holds[back.hold] = part
            self.end(hall, back.hold, is_unpaid=False)

    def _part(self, owner: str, items: list[Item]) -> Kept:
        """What was sold of a hall, as it comes back."""
        letters = [(item, self._letter(item)) for item in items]
        places: Counter[Area] = Counter(
            ("" if letter == "o" else letter, item.area) for item, letter in letters if item.area
        )
        seats = {item.seat: letter for item, letter in letters if item.seat >= 0}
        return Kept(owner, 0, seats, places, uses=sum(item.has_code for item in items))

    def rebook(self) -> None:
        """Money has come for a hold that ended: the same again, if it is to be had."""
        if not self.lapsed:
            return
        hold, owner, parts = self.draw.choice(self.lapsed[-6:])
        halls = [self.halls[name] for name in parts]
        if not all(hall.has_room_for(part) for hall, part in zip(halls, parts.values(), strict=True)):
            return
        self.number += 1
        order, keys = f"o{self.number}", self.stage.keys
        mark, most = self._mark(owner)
        parts = {name: self.halls[name].as_it_is(part) for name, part in parts.items()}
        uses = sum(part.uses for part in parts.values())
        wanted = [
            (
                *([hold], hall.flat(part.seats), flat_areas(hall, part.places)),
                "".join(sorted(({*part.seats.values()} | {letter for letter, _ in part.places}) - {"o", ""})),
            )
            for hall, part in zip(halls, parts.values(), strict=True)
        ]
        total = PRICE * sum(part.count for part in parts.values())
        reply = self.call(
            "orders/rebook",
            [*self.payment(order), keys.outbox, keys.sale(SALE), *self.halls_of(halls)],
            *("f", owner, pack("payload"), pack(wanted), total),
            pack([LIMIT, [CODE, uses, MOST] if uses else [], mark, most]),
        )
        for hall in halls:
            self.turn(hall)
        own: list[Kept | None] = []
        for number, (hall, part, want) in enumerate(zip(halls, parts.values(), wanted, strict=True), 1):
            kept = hall.holds.get(hold)
            own.append(kept if kept is not None and kept.owner in {"", owner} else None)
            if not self._is_free(hall, part, own[-1], "o" + want[-1]):
                assert reply == [b"taken", number], reply
                return
            had = own[-1].count if own[-1] and own[-1].owner else 0
            owned = hall.owned[owner] - had + part.count
            if owned > LIMIT:
                assert reply == [b"limit", number, owned], reply
                return
            if mark and hall.bought[mark] + part.count > most:
                assert reply == [b"limit", number, hall.bought[mark]], reply
                return
        used = self.uses - sum(each.uses for each in own if each and each.owner)
        if uses and used + uses > MOST:
            assert reply == [b"code_used", CODE.encode(), max(0, MOST - used)], reply
            return
        assert reply[0] == b"confirmed", reply
        if any(kept and kept.owner for kept in own):
            self.tell("released", reply[3], hold, owner, step=0)
        self.tell("held", reply[3], order, owner, parts, step=1, ends_ms=self.now() + 1000)
        self.tell("confirmed", reply[3], order, owner, step=2, order=order)
        for hall, part, kept in zip(halls, parts.values(), own, strict=True):
            if kept:
                hall.set(kept.seats, "o")
                for area, count in kept.places.items():
                    hall.open[hall.now_of(area)] += count
                hall.owned[kept.owner] -= kept.count if kept.owner else 0
                self.uses -= kept.uses
                del hall.holds[hold]
            hall.owned[owner] += part.count
            for area, count in part.places.items():
                hall.open[hall.now_of(area)] -= count
        self.uses += uses
        self._sold(order, owner, mark, parts)

    @staticmethod
    def _is_free(hall: Hall, part: Kept, own: Kept | None, letters: str) -> bool:
        """Whether all of it is open, its owner's own, or nobody's until it comes back to whom it was."""
        mine = own.seats if own else {}
        for seat in part.seats:
            block, offset = hall.where[seat]
            if hall.rows[block][offset] not in letters and seat not in mine:
                return False
        places = hall.as_it_is(own).places if own else Counter[Area]()
        return all(hall.open[area] + places[area] >= count for area, count in hall.as_it_is(part).places.items())
