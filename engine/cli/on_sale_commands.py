"""On-sales from a shell: put up, opened, paced, closed, looked at afterwards."""

from typing import Final, Literal

from cyclopts import App

from engine.catalogue import RULES, Contributor
from engine.cli import afterwards, sales
from engine.cli.lines import parse_line
from engine.cli.options import House, Network, Whole, Why, now

on_sale: Final = App(name="on-sale", help="Windows in which performances go on sale.")


@on_sale.command(name="create")
def on_sale_create(
    on_sale: str,
    *,
    network: Network,
    house: House,
    title: str,
    performance: tuple[str, ...],
    prequeue_at: str,
    opens_at: str,
    rate_per_minute: Whole = RULES.rate_per_minute,
    burst_percent: Whole = RULES.burst_percent,
    cap: Whole = RULES.cap,
    turn_seconds: Whole = RULES.turn_seconds,
    hold_seconds: Whole = RULES.hold_seconds,
    pass_seconds: Whole = RULES.pass_seconds,
    grace_seconds: Whole = RULES.grace_seconds,
    longest_stay_seconds: Whole = RULES.longest_stay_seconds,
    more_time_percent: Whole = RULES.more_time_percent,
    seats_a_place: Whole = RULES.seats_a_place,
    lone_seats: str = RULES.lone_seats,
    lone_seats_last: Whole = RULES.lone_seats_last,
    unpaid_holds: Whole = RULES.unpaid_holds,
    cool_down_seconds: Whole = RULES.cool_down_seconds,
    longest_hold_seconds: Whole = RULES.longest_hold_seconds,
    seats_a_customer: Whole = RULES.seats_a_customer,
    proof_of_work: str = RULES.proof_of_work,
    one_place_per: str = RULES.one_place_per,
    contact_url: str = RULES.contact_url,
    safety_net_per_minute: Whole = RULES.safety_net_per_minute,
    fails: Literal["closed", "open"] = "closed",
    contributor: tuple[str, ...] = (),
    rates: tuple[str, ...] = (),
    visitors_a_seat: Whole = RULES.visitors_a_seat,
    known_user_event: str = RULES.known_user_event,
    line: tuple[str, ...] = (),
    fair_window: Whole = RULES.fair_window_seconds,
    why: Why = "create on-sale",
) -> None:
    """Put performances on sale.

    In no minute are more passes handed out than `--rate-per-minute` and `--burst-percent` of it. Whoever is called
    keeps their turn for `--turn-seconds`. Whoever is in chooses and pays within `--pass-seconds`, comes in again until
    `--grace-seconds` after that, stays for `--longest-stay-seconds` in all (0: without an end), and has
    `--more-time-percent` more of all of it for the asking. `--lone-seats`: whether somebody may leave a single seat
    between others: off, where-avoidable or always; with `--lone-seats-last` seats open the rule ends. After
    `--unpaid-holds` (0: never) a visitor waits for `--cool-down-seconds`. A hold that is extended ends after
    `--longest-hold-seconds`. With `--seats-a-customer` (0: no limit) that many of each performance go to one e-mail
    address. `--proof-of-work`: whether whoever joins the queue shows one: off, under-pressure or always.
    `--one-place-per` email or phone: each has one place, and shows by a code that it is theirs; `--contact-url` of
    the house sends that. With `--safety-net-per-minute` the room shows only while more newcomers come (0: always).
    `--fails`: what a guard of the house's own site does while Parvis is away.
    `--contributor`, as often as you like: another house of the network whose own secret is mixed into the draw. Such a
    sale opens at its planned start, and not by hand.
    `--rates`, which may be repeated, is what the rate becomes later, as for `on-sale schedule`. Once more than
    `--visitors-a-seat` (0: never) are inside for each seat that is open, fewer are called.
    `--known-user-event`: the event id by which the connector of Queue-it at the house's site knows this on-sale.
    `--line`, once for each queue beside the public one: its name, its title, `code` or `invitation`, its share in per
    cent, when it opens and, where that ends, when it closes, with commas between:
    `members,Members,code,40,2026-03-01T10:00:00Z,2026-03-02T10:00:00Z`.
    `--fair-window`: who joins within so many seconds is drawn together, and earlier windows come first (0: all who
    come before the start are drawn together).
    """
    fields = {
        "rate_per_minute": rate_per_minute,
        "burst_percent": burst_percent,
        "cap": cap,
        "turn_seconds": turn_seconds,
        "hold_seconds": hold_seconds,
        "pass_seconds": pass_seconds,
        "grace_seconds": grace_seconds,
        "longest_stay_seconds": longest_stay_seconds,
        "more_time_percent": more_time_percent,
        "seats_a_hold": min(RULES.seats_a_hold, seats_a_place),
        "seats_a_place": seats_a_place,
        "lone_seats": lone_seats,
        "lone_seats_last": lone_seats_last,
        "unpaid_holds": unpaid_holds,
        "cool_down_seconds": cool_down_seconds,
        "longest_hold_seconds": longest_hold_seconds,
        "seats_a_customer": seats_a_customer,
        "proof_of_work": proof_of_work,
        "one_place_per": one_place_per,
        "contact_url": contact_url,
        "safety_net_per_minute": safety_net_per_minute,
        "fails": fails,
        "contributors": tuple(Contributor(name, "") for name in contributor),
        "rates": sales.read_rates(rates),
        "visitors_a_seat": visitors_a_seat,
        "known_user_event": known_user_event,
        "lines": tuple(map(parse_line, line)),
        "fair_window_seconds": fair_window,
    }
    now(sales.create_on_sale(network, house, on_sale, title, performance, (prequeue_at, opens_at), fields, why))


def _verb(name: str, summary: str) -> None:
    def command(on_sale: str, *, network: Network, house: House, why: Why) -> None:
        now(sales.change_on_sale(network, house, on_sale, name, why))

    command.__doc__ = summary
    on_sale.command(command, name=name)


_verb("open", "Open a sale now.")
_verb("pause", "Let nobody in for a while; whoever is in goes on.")
_verb("drain", "Call nobody further; who was called, or is in, goes on. Resuming takes it back.")
_verb(
    "stop", "Let nobody in and end every pass; what is held can be paid for. Resuming lets people in, as their turn is."
)
_verb("resume", "Let people in again.")
_verb("close", "End a sale.")


@on_sale.command(name="rate")
def on_sale_rate(
    on_sale: str,
    *,
    network: Network,
    house: House,
    why: Why,
    per_minute: Whole | None = None,
    cap: Whole | None = None,
) -> None:
    """Set how many are called a minute, how many may be in at once, or both."""
    now(sales.change_on_sale(network, house, on_sale, "rate", why, rate_per_minute=per_minute, cap=cap))


@on_sale.command(name="guard")
def on_sale_guard(
    on_sale: str,
    *,
    network: Network,
    house: House,
    why: Why,
    safety_net_per_minute: Whole | None = None,
    fails: Literal["closed", "open"] | None = None,
) -> None:
    """Set from how many newcomers a minute on the room shows (0: always), and what guards do while Parvis is away."""
    given = {"safety_net_per_minute": safety_net_per_minute, "fails": fails}
    now(sales.change_on_sale(network, house, on_sale, "guard", why, **given))


@on_sale.command(name="schedule")
def on_sale_schedule(on_sale: str, *steps: str, network: Network, house: House, why: Why) -> None:
    """Plan what the rate becomes, and when, in place of all that was planned; without steps it stays as it is.

    A step is an instant and how many are let in a minute from then on: 2026-09-01T10:30:00+02:00=300.
    """
    now(sales.plan_rates(network, house, on_sale, steps, why))


@on_sale.command(name="message")
def on_sale_message(on_sale: str, text: str, *, network: Network, house: House, why: Why) -> None:
    """Tell everyone who waits something; an empty text takes it away."""
    now(sales.change_on_sale(network, house, on_sale, "message", why, message=text))


@on_sale.command(name="curve")
def on_sale_curve(on_sale: str, *, network: Network, house: House) -> None:
    """Print what each minute brought as CSV: joins, calls, admissions, missed turns, orders."""
    now(afterwards.print_curve(network, house, on_sale))


@on_sale.command(name="summary")
def on_sale_summary(on_sale: str, *, network: Network, house: House) -> None:
    """Print what became of a sale that is over, as everybody may read it, as JSON."""
    now(afterwards.print_summary(network, house, on_sale))
