"""The second half of a visit: look for seats, hold them, buy them or walk away."""

import time
import uuid
from typing import Any, Final

import msgspec

from loadtests.character import AREA, POPULAR
from loadtests.hall import Hall
from loadtests.queueing import admitted, claim, join, wait
from loadtests.visit import Left, Visit, now_ms
from loadtests.wire import Answer, Ask, Hold, OnSale, Pause, Seats, Steps

decode_hold: Final = msgspec.json.Decoder(Hold).decode
WAITS_FOR_PAYMENT: Final = 20
Wish = dict[str, Any]


class Shopper:
    """A visitor with a pass. What it wants bends to what is left: a smaller party, other seats."""

    def __init__(self, visit: Visit, rules: OnSale, pass_: str) -> None:
        self.visit = visit
        self.rules = rules
        self.pass_ = pass_
        character = visit.character
        limit = rules.limits.seats_a_hold
        self.party = limit + 1 if character.is_greedy else min(character.party, limit)
        self.taste = character.taste
        self.offered: list[str] = []
        """Seats that the house itself proposed, to be tried first."""
        self.performance = visit.whim.choice(rules.performances)
        self.patience_s = character.seat_patience_s

    def shop(self) -> Steps[str]:
        """Look for seats until some are bought. Answers why the visit ended."""
        visit = self.visit
        hall = yield from visit.learn_hall(self.performance.performance)
        gives_up_at_s = time.monotonic() + self.patience_s
        while time.monotonic() < gives_up_at_s:
            yield visit.think()
            seats = yield from visit.look_at_seats(self.performance.performance)
            wish = self._wish(hall, seats) if seats else None
            if wish is None:
                yield visit.think(2, is_waiting=True)
                continue
            hold = yield from self.hold(wish)
            if hold is None:
                continue
            ended = yield from self.decide(hold)
            if ended:
                return ended
        return "found_nothing"

    def _wish(self, hall: Hall, seats: Seats) -> Wish | None:
        """What to ask for, of what is open; None where nothing that is wanted is."""
        visit, wish = self.visit, {"performance": self.performance.performance}
        areas = [area for area, open_ in seats.areas.items() if open_ and hall.areas.get(area) not in visit.unwanted]
        if self.offered:
            named, self.offered = self.offered, []
            return wish | {"seats": named}
        if areas and (self.taste == AREA or "o" not in seats.seats):
            return wish | {"area": visit.whim.choice(areas), "quantity": self.party}
        if self.taste == POPULAR:
            named = hall.pick(seats.seats, self.party, visit.whim, visit.unwanted)
            if named:
                return wish | {"seats": named}
        return self._best(hall, seats, wish)

    def _best(self, hall: Hall, seats: Seats, wish: Wish) -> Wish | None:
        """The best together: anywhere, unless some categories are to be left to others."""
        left = {
            name
            for row in hall.rows
            for letter, name in zip(seats.seats[row.first :], row.categories, strict=False)
            if letter == "o" and name not in self.visit.unwanted
        }
        if not left:
            return None
        if self.visit.unwanted or self.visit.whim.random() < 0.3:
            return wish | {"best": {"quantity": self.party, "category": self.visit.whim.choice(sorted(left))}}
        return wish | {"best": {"quantity": self.party}}

    def _price_types(self) -> list[str]:
        """Reduced prices for the entitled, where every category has one."""
        others = [list(prices)[1:] for prices in self.performance.prices.values()]
        shared = set(others[0]).intersection(*others[1:]) if others else set()
        return [min(shared)] * self.party if self.visit.character.is_entitled and shared else []

    def hold(self, wish: Wish) -> Steps[Hold | None]:
        """Ask for the seats. None where they cannot be had; what the house says bends the next wish."""
        visit = self.visit
        body: Wish = {"items": [wish]}
        price_types = self._price_types()
        if price_types and len(wish.get("seats", price_types)) == self.party:
            body["price_types"] = price_types
        clicks = 2 if visit.character.double_clicks else 1
        path = f"{visit.house_path}/holds"
        answer = yield from visit.change("hold", path, body, bearer=self.pass_, clicks=clicks, same="hold")
        if not answer.is_good:
            yield from self._bend(answer)
            return None
        hold = decode_hold(answer.body)
        visit.held(hold)
        self.check(hold, wish, price_types)
        return hold

    def _bend(self, answer: Answer) -> Steps[None]:
        """Want something else, as the refusal suggests. Raises `Left` where nothing is left to want."""
        visit, facts = self.visit, answer.facts
        visit.refused("hold", answer)
        match answer.slug:
            case "seats-taken":
                offers = [] if visit.unwanted else facts.get("alternatives", [])
                if offers and visit.whim.random() < 0.5:
                    self.offered = offers[0]
            case "seat-left-alone":
                offers = facts.get("alternatives", [])
                if offers and visit.whim.random() < 0.8:
                    self.offered = offers[0]
                else:
                    self.taste = "best"
            case "sold-out":
                self.party = max(1, min(self.party, facts.get("largest_party", 0)))
                yield visit.think(2, is_waiting=True)
            case "too-many-seats":
                left = facts.get("limit", self.rules.limits.seats_a_hold) - facts.get("yours", 0)
                if left < 1:
                    raise Left("has_enough")
                self.party = min(self.party - 1 or 1, left)
            case "pass-required" | "pass-ended" | "moved-elsewhere":
                asked_at_ms = now_ms()
                renewed = yield from claim(visit)
                if not renewed.is_good:
                    visit.refused("renew", renewed)
                    raise Left("pass_ended")
                self.pass_ = admitted(visit, renewed, asked_at_ms, "renewed")
            case "sale-ended":
                raise Left("sold_out")
            case _:
                raise Left(answer.slug.replace("-", "_"))

    def check(self, hold: Hold, wish: Wish, price_types: list[str]) -> None:
        """A hold is all that was wished for, at the published prices."""
        visit, performance = self.visit, self.performance
        named = wish.get("seats")
        if len(hold.items) != (len(named) if named else self.party):
            visit.broken(f"{len(hold.items)} seats were held where another number was asked for")
        if named and {item.seat for item in hold.items} != set(named):
            visit.broken("other seats were held than asked for")
        for item, price_type in zip(hold.items, price_types or [""] * len(hold.items), strict=False):
            wanted = price_type or next(iter(performance.prices[item.category]))
            if (item.price_type, item.price, item.fee) != (
                wanted,
                performance.prices[item.category][wanted],
                performance.fee,
            ):
                visit.broken(f"{item.category}: {item.price} + {item.fee} is not the published price")
        if hold.total != sum(item.price + item.fee for item in hold.items) or hold.currency != self.rules.currency:
            visit.broken("the total is not the sum of its items")

    def decide(self, hold: Hold) -> Steps[str]:
        """Buy, or do not. Answers why the visit ended, or nothing if the search goes on."""
        visit = self.visit
        yield visit.think(2)
        if visit.character.walks_away:
            if visit.character.is_tidy:
                yield from self.release(hold)
            return "walked_away"
        payments = [visit.character.payment, "yes"] if visit.character.has_second_card else [visit.character.payment]
        answer = Answer(0)
        for payment in payments:
            answer = yield from self.order(hold, payment)
            if answer.is_good:
                return (yield from self.bought(hold, answer))
            visit.refused("order", answer)
            if answer.slug == "hold-ended":
                return ""
            if answer.slug != "payment-declined":
                break
            yield visit.think()
        yield from self.release(hold)
        return answer.slug.replace("-", "_")

    def order(self, hold: Hold, payment: str) -> Steps[Answer]:
        """Pay. Told before it is asked: if no answer ever comes, the seats may be sold nevertheless."""
        visit, number = self.visit, self.visit.character.number
        reference = f"{payment}-{uuid.uuid4()}"
        visit.tell("ordering", hold=hold.hold, payment=payment, reference=reference)
        body = {
            "holds": [hold.hold],
            "customer": {
                "email": f"visitor-{number}@example.org",
                "name": f"Visitor {number}",
                "language": "en",
            },
            "payment": {"provider": "demo", "reference": reference},
        }
        clicks = 2 if visit.character.double_clicks else 1
        path = f"{visit.house_path}/orders"
        answer = yield from visit.change(
            "order", path, body, bearer=self.pass_, clicks=clicks, same="order", prefer="wait=2"
        )
        if not answer.is_decided:
            visit.tell("unresolved", hold=hold.hold)
        return answer

    def bought(self, hold: Hold, answer: Answer) -> Steps[str]:
        """Write the order down; where the payment is late, see how it ends."""
        visit, facts = self.visit, answer.facts
        order, secret, state = facts["order"], facts["order_secret"], facts["state"]
        visit.ordered(hold, order, secret, state)
        for _ in range(WAITS_FOR_PAYMENT):
            if state != "awaiting_payment":
                break
            yield Pause(1.5)
            path = f"{visit.house_path}/orders/{order}"
            seen = yield from visit.get("look at order", path, bearer=secret)
            state = seen.facts.get("state", state) if seen.is_good else state
        if facts["state"] == "awaiting_payment" and state != "awaiting_payment":
            visit.ordered(hold, order, secret, state)
        return "bought" if state in {"confirmed", "recorded"} else state

    def release(self, hold: Hold) -> Steps[None]:
        """Give the seats back."""
        visit = self.visit
        visit.tell("releasing", hold=hold.hold)
        ask = Ask("release", "DELETE", f"{visit.house_path}/holds/{hold.hold}", bearer=self.pass_)
        answer = yield from visit.settle(ask)
        if answer.is_good:
            visit.tell("released", hold=hold.hold)
        else:
            visit.refused("release", answer)


def journey(visit: Visit, kind: type[Shopper] = Shopper) -> Steps[str]:
    """A whole visit. Answers why it ended, which `visit` has written down too. `kind`: what it does once inside."""
    try:
        rules = yield from visit.learn_rules()
        yield from join(visit)
        pass_ = yield from wait(visit)
        shopper = kind(visit, rules, pass_)
        why = yield from shopper.shop()
        if why == "bought" and visit.character.comes_back:
            yield from shopper.shop()
    except Left as left:
        why = str(left)
    visit.tell("left", why=why)
    return why
