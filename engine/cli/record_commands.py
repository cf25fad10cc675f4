"""What is recorded of a house's customers, orders and seats, and what a person has to look at, from a shell."""

from typing import Final, Literal

from cyclopts import App

from engine.cli import attention, customers, dead_letters, history, sales
from engine.cli.options import House, Network, Whole, Why, now
from engine.wishes import Wish
from engine.words import PerformanceId, SeatId

customer: Final = App(name="customer", help="What a house holds of a customer.")
order: Final = App(name="order", help="Recorded orders.")
seats: Final = App(name="seats", help="What became of the seats of a performance.")
dead_letter: Final = App(name="dead-letter", help="Entries that could not be recorded.")
alarm: Final = App(name="alarm", help="What a person has to look at.")
refund: Final = App(name="refund", help="Money that has to go back.")


@customer.command(name="export")
def customer_export(*, network: Network, house: House, email: str, reason: Why) -> None:
    """Print all that the house holds of a customer, as JSON; who asked, and why, is logged."""
    now(customers.export(network, house, email, reason))


@customer.command(name="erase")
def customer_erase(*, network: Network, house: House, email: str, reason: Why) -> None:
    """Take a customer out of the house's data, for good; the accounts stay as they are."""
    now(customers.erase(network, house, email, reason))


@order.command(name="refund")
def order_refund(order: str, *, network: Network, house: House, reason: Why, item: tuple[int, ...] = ()) -> None:
    """Return a recorded order: its seats go back on sale, and its money is asked back.

    --item N returns only that of its items, counting from 0, and may be repeated; the rest of the order stays valid.
    """
    now(sales.refund_order(network, house, order, reason, item))


@order.command(name="exchange")
def order_exchange(
    order: str,
    *,
    network: Network,
    house: House,
    reason: Why,
    performance: str,
    seat: tuple[str, ...],
    item: tuple[int, ...] = (),
    paid: Literal["", "cash", "card"] = "",
) -> None:
    """Exchange a recorded order for other seats in one step; where these are gone, nothing changes.

    --seat ID may be repeated. --item N exchanges only that of its items, counting from 0, and may be repeated. --paid
    cash or card says how a difference was paid; what the new seats cost less is asked back.
    """
    wish = Wish(performance=PerformanceId(performance), seats=tuple(map(SeatId, seat)))
    now(sales.exchange_order(network, house, order, wish, item, paid, reason))


@seats.command(name="history")
def seats_history(performance: str, *, network: Network, house: House, until: str = "", json: bool = False) -> None:
    """Print what became of every seat, when and by whom, oldest first, up to an instant: as CSV, or as JSON lines."""
    now(history.print_history(network, house, performance, "jsonl" if json else "csv", until))


@seats.command(name="at")
def seats_at(performance: str, instant: str, *, network: Network, house: House) -> None:
    """Print what every seat was at an instant (RFC 3339), replayed from its history, as JSON."""
    now(history.print_hall(network, house, performance, instant))


@dead_letter.command(name="list")
def dead_letter_list(*, network: Network, house: House, all: bool = False, json: bool = False) -> None:  # noqa: A002
    """Say which entries could not be recorded, and why; with `--all`, those too that were recorded since."""
    now(dead_letters.list_letters(network, house, with_requeued=all, is_json=json))


@dead_letter.command(name="show")
def dead_letter_show(entry: str, *, network: Network, house: House, customer: bool = False, reason: Why = "") -> None:
    """Print what is in one; who buys only with `--customer`, and that and the reason are logged."""
    now(dead_letters.show(network, house, entry, reason, with_customer=customer))


@dead_letter.command(name="requeue")
def dead_letter_requeue(entry: str, *, network: Network, house: House, reason: Why) -> None:
    """Record one after all, once its cause is mended; harmless to repeat."""
    now(dead_letters.requeue(network, house, entry, reason))


@alarm.command(name="list")
def alarm_list(*, network: Network, house: House, all: bool = False, json: bool = False) -> None:  # noqa: A002
    """Say what a person has to look at; with `--all`, also what was seen to."""
    now(attention.list_alarms(network, house, with_seen=all, is_json=json))


@alarm.command(name="seen")
def alarm_seen(alarm: Whole, *, network: Network, house: House, reason: Why) -> None:
    """Note that an alarm has been seen to."""
    now(attention.see_alarm(network, house, alarm, reason))


@refund.command(name="list")
def refund_list(*, network: Network, house: House, all: bool = False, json: bool = False) -> None:  # noqa: A002
    """Say whose money has to go back; with `--all`, also what went back."""
    now(attention.list_refunds(network, house, with_done=all, is_json=json))


@refund.command(name="paid")
def refund_paid(provider: str, reference: str, *, network: Network, house: House, reason: Why) -> None:
    """Note that all of a payment's money went back that was due."""
    now(attention.mark_refunded(network, house, provider, reference, reason))


@refund.command(name="went")
def refund_went(refund: Whole, *, network: Network, house: House, reason: Why) -> None:
    """Note that the money of one refund went back, by its number as `refund list` says it."""
    now(attention.mark_paid(network, house, refund, reason))
