"""The command line `parvis`."""

import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
import uvloop
from cyclopts import App, Parameter, Token
from rich.console import Console

from engine import logs
from engine.catalogue import WHERE_AVOIDABLE, Contributor
from engine.cli import (
    afterwards,
    attention,
    checks,
    customers,
    dead_letters,
    demo,
    draws,
    history,
    operators,
    sales,
    serve,
    torture,
)
from engine.cli.allotments import app as allotment
from engine.cli.codes import app as code
from engine.cli.embed import embed
from engine.cli.lines import app as invitation
from engine.cli.lines import parse_line
from engine.cli.load import app as load
from engine.cli.options import House, Network
from engine.cli.speech import bad, say
from engine.cli.themes import theme
from engine.cli.webhooks import app as webhook
from engine.errors import BadInput, ParvisError, Refused
from engine.halls.pretix import Ids, export_plan
from engine.halls.shipped import shipped_plan
from engine.wishes import Wish
from engine.words import PerformanceId, SeatId

INTERRUPTED: Final = 130
"""What a shell says of a command that Ctrl-C ended."""
console = Console(stderr=True)
app = App(name="parvis", help="The on-sale engine: waiting room, seats, orders.", version_flags=["--version"])
house = App(name="house", help="The houses of a network file.")
plan = App(name="plan", help="Seating plans in pretix's format.")
performance = App(name="performance", help="Dated shows.")
on_sale = App(name="on-sale", help="Windows in which performances go on sale.")
key = App(name="key", help="Keys for a house's programs and staff.")
operator = App(name="operator", help="Who looks after the whole network.")
draw = App(name="draw", help="The published draw.")
status = App(name="status", help="The public status of an on-sale.")
customer = App(name="customer", help="What a house holds of a customer.")
order = App(name="order", help="Recorded orders.")
seats = App(name="seats", help="What became of the seats of a performance.")
dead_letter = App(name="dead-letter", help="Entries that could not be recorded.")
alarm = App(name="alarm", help="What a person has to look at.")
refund = App(name="refund", help="Money that has to go back.")
for part in (
    house,
    plan,
    performance,
    on_sale,
    key,
    operator,
    draw,
    status,
    customer,
    order,
    seats,
    dead_letter,
    alarm,
    refund,
    webhook,
    code,
    invitation,
    allotment,
    load,
):
    app.command(part)


def _whole(_: Any, tokens: Sequence[Token]) -> int:
    """A whole number: 12.5 is not cut to 12."""
    try:
        return int(tokens[0].value)
    except ValueError:
        raise BadInput(f"{tokens[0].keyword}: {tokens[0].value!r} is not a whole number") from None


house.command(theme)
Whole = Annotated[int, Parameter(converter=_whole)]
Dashed = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""What may begin with a dash and be no option: one commitment in 64 does."""


@app.command(name="serve")
def serve_command(
    *,
    network: Annotated[Path | None, Parameter(env_var="PARVIS_NETWORK")] = None,
    house: tuple[str, ...] = (),
    workers: Whole = 1,
    host: str = "127.0.0.1",
    port: Whole = 8000,
    embedded: bool = False,
    data: Path = Path(".parvis"),
) -> None:
    """Serve API, writers and recovery for the houses named (default: all).

    Parameters
    ----------
    network
        The network file. With `--embedded` it may leave out the servers' addresses.
    house
        A house to serve; may be given several times.
    workers
        API worker processes.
    host
        The address to listen on.
    port
        The port to listen on.
    embedded
        Start a Redis a house and one Postgres here, with their data under `--data`.
    data
        The embedded servers' data; `network.toml` there names them for the other commands.
    """
    address = serve.Address(host=host, port=port, workers=workers)
    serve.check(address)
    if embedded:
        demo.serve_embedded(network, house, address, data)
    elif network is None:
        raise BadInput("--network FILE is needed, or --embedded for the demo network with servers of its own")
    else:
        serve.run(network, house, address)


@app.command(name="demo")
def demo_command(
    *,
    visitors: Whole = 5000,
    seed: Whole = 1,
    plan: Path | None = None,
    ids: Ids = "guid",
    exit: bool = False,  # noqa: A002 - the contract's name
    json: bool = False,
    port: Whole = 8000,
) -> None:
    """Show the whole story on one machine: three houses, a crowd, faults, and the books balanced at the end.

    Parameters
    ----------
    visitors
        How many come to the rush.
    seed
        Makes the crowd's choices the same again.
    plan
        A seating plan in pretix's format, sold instead of the shipped hall.
    ids
        Which ids of that plan are unique: guid or uuid.
    exit
        End after the audit instead of staying up; exit code 0 only if the audit is clean.
    json
        Print one JSON object last.
    port
        The first of the ports to listen on.
    """
    sys.exit(demo.run(demo.Options(visitors, seed, plan, ids, is_ending=exit, is_json=json, port=port)))


@app.command(name="torture")
def torture_command(
    *,
    seed: Whole = 1,
    minutes: float = 0.5,
    only: tuple[str, ...] = (),
    json: bool = False,
) -> None:
    """Try every promise on servers of its own: kills, power cuts, freezes, full disks, clock jumps, late payments.

    Parameters
    ----------
    seed
        Draws the houses, their rules and the faults; the same seed draws the same.
    minutes
        How long faults strike. After them everything has to live again, and the books have to balance.
    only
        A kind of fault to draw from; may be given several times. Left out, all of them.
    json
        Print the verdict as one JSON object last.
    """
    sys.exit(torture.run(seed, minutes, only, is_json=json))


def _now(coroutine: Coroutine[Any, Any, Any]) -> None:
    uvloop.run(coroutine)


@house.command(name="add")
def house_add(
    slug: str,
    name: str,
    *,
    network: Network,
    redis_url: str,
    postgres_dsn: str,
    operator_contact: str,
    redis_owner_url: str = "",
    policy: str = "",
    listed: bool = False,
) -> None:
    """Add a house to a network file, which is made if need be.

    Parameters
    ----------
    slug
        Its name in every path and key: a-z, 0-9 and hyphens. It cannot change later.
    name
        Its name as people know it.
    network
        The network file.
    redis_url
        Its own Redis, as the user who may call its functions.
    postgres_dsn
        Its own database, under its own role.
    operator_contact
        Whom ops reach when its cell is in trouble.
    redis_owner_url
        The same Redis as the ops side, which loads functions and recovers; another user, or the house is refused.
    policy
        A shared policy of the file; left out, the first one there is.
    listed
        Whether its on-sales stand in the network's directory.
    """
    added: dict[str, Any] = {
        "slug": slug,
        "name": name,
        "redis_url": redis_url,
        "postgres_dsn": postgres_dsn,
        "operator_contact": operator_contact,
        "listed": listed,
    }
    chosen = {"redis_owner_url": redis_owner_url, "policy": policy}
    sales.add_house(network, added | {field: value for field, value in chosen.items() if value})


@plan.command(name="check")
def plan_check(file: Path, *, ids: Ids = "guid", json: bool = False) -> None:
    """Explain what is wrong with a seating plan, and where; exit 1 if it cannot be sold from."""
    sys.exit(checks.check_plan(file, ids, is_json=json))


@plan.command(name="example")
def plan_example() -> None:
    """Print a small hall's seating plan, to begin with: 120 seats and a floor for 280."""
    print(msgspec.json.encode(export_plan(shipped_plan("klinker"))).decode())


@plan.command(name="import")
def plan_import(
    file: Path,
    *,
    network: Network,
    house: House,
    hall: str = "",
    name: str = "",
    ids: Ids = "guid",
    aisles: Path | None = None,
    why: str = "import",
) -> None:
    """Create a hall from a seating plan; `--aisles` takes the sheet of `plan aisles`, corrected."""
    _now(sales.import_plan_file(network, house, file, hall, name, ids, aisles, why))


@plan.command(name="export")
def plan_export(hall: str, *, network: Network, house: House, plain: bool = False) -> None:
    """Print a hall's seating plan; with `--plain`, without what only Parvis knows of it."""
    _now(sales.export_plan_file(network, house, hall, is_plain=plain))


@plan.command(name="aisles")
def plan_aisles(file: Path, *, ids: Ids = "guid") -> None:
    """Print a plan's rows with a bar at each aisle, what is least sure first: a sheet to correct, for `plan import`."""
    sales.print_aisles(file, ids)


@performance.command(name="create")
def performance_create(
    performance: str,
    *,
    network: Network,
    house: House,
    hall: str,
    title: str,
    starts_at: str,
    price: dict[str, str],
    fee: Whole = 0,
    currency: str = "EUR",
    vat_rate: Whole = 0,
    price_types: Path | None = None,
    why: str = "create performance",
) -> None:
    """Create a performance. Prices are in minor units, one a category: `--price.Parterre 3200`.

    `--vat-rate` is contained in prices and fee, in basis points: 600 for 6 %. `--price-types` takes a JSON file of the
    others: `{"member": {"share": 8000, "needs": "number", "at_most": 2}}`, a share in basis points of each price.
    """
    fields = {"title": title, "fee": fee, "currency": currency, "vat_rate": vat_rate}
    _now(sales.create_performance(network, house, performance, hall, starts_at, price, price_types, fields, why))


@performance.command(name="plan")
def performance_plan(
    performance: str,
    *,
    network: Network,
    house: House,
    hall: str,
    price: dict[str, str] | None = None,
    price_types: Path | None = None,
    why: str,
) -> None:
    """Sell a performance from another hall's plan from now on, while it is on sale too.

    Seats are the same by their ids. A seat that is held, sold or set aside and not in the new plan refuses it all.
    `--hall` has the new plan (`plan import` makes one); prices, one a category, only where categories are others, and
    with them a file of the others, as for `performance create`.
    """
    _now(sales.change_plan(network, house, performance, hall, price or {}, price_types, why))


@performance.command(name="access-release")
def performance_access_release(performance: str, *steps: str, network: Network, house: House, why: str) -> None:
    """Change when places for wheelchairs that nobody took become general seats, while they are on sale too.

    A step is an instant and so many per cent of those that are free then: 2026-09-01T10:00:00+02:00=50. The steps are
    instead of all that have not passed yet; without any, none is to come.
    """
    _now(sales.change_access_release(network, house, performance, steps, why))


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
    rate_per_minute: Whole = 300,
    burst_percent: Whole = 5,
    cap: Whole = 500,
    turn_seconds: Whole = 600,
    hold_seconds: Whole = 600,
    pass_seconds: Whole = 900,
    grace_seconds: Whole = 300,
    longest_stay_seconds: Whole = 3_600,
    more_time_percent: Whole = 100,
    seats_a_place: Whole = 8,
    lone_seats: str = WHERE_AVOIDABLE,
    lone_seats_last: Whole = 10,
    unpaid_holds: Whole = 2,
    cool_down_seconds: Whole = 60,
    longest_hold_seconds: Whole = 1_800,
    seats_a_customer: Whole = 0,
    proof_of_work: str = "off",
    one_place_per: str = "",
    contact_url: str = "",
    safety_net_per_minute: Whole = 0,
    fails: Literal["closed", "open"] = "closed",
    contributor: tuple[str, ...] = (),
    rates: tuple[str, ...] = (),
    visitors_a_seat: Whole = 2,
    known_user_event: str = "",
    line: tuple[str, ...] = (),
    fair_window: Whole = 0,
    why: str = "create on-sale",
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
        "seats_a_hold": min(8, seats_a_place),
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
    _now(sales.create_on_sale(network, house, on_sale, title, performance, (prequeue_at, opens_at), fields, why))


def _verb(name: str, summary: str) -> None:
    def command(on_sale: str, *, network: Network, house: House, why: str) -> None:
        _now(sales.change_on_sale(network, house, on_sale, name, why))

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
    why: str,
    per_minute: Whole | None = None,
    cap: Whole | None = None,
) -> None:
    """Set how many are called a minute, how many may be in at once, or both."""
    _now(sales.change_on_sale(network, house, on_sale, "rate", why, rate_per_minute=per_minute, cap=cap))


@on_sale.command(name="guard")
def on_sale_guard(
    on_sale: str,
    *,
    network: Network,
    house: House,
    why: str,
    safety_net_per_minute: Whole | None = None,
    fails: Literal["closed", "open"] | None = None,
) -> None:
    """Set from how many newcomers a minute on the room shows (0: always), and what guards do while Parvis is away."""
    given = {"safety_net_per_minute": safety_net_per_minute, "fails": fails}
    _now(sales.change_on_sale(network, house, on_sale, "guard", why, **given))


@on_sale.command(name="schedule")
def on_sale_schedule(on_sale: str, *steps: str, network: Network, house: House, why: str) -> None:
    """Plan what the rate becomes, and when, in place of all that was planned; without steps it stays as it is.

    A step is an instant and how many are let in a minute from then on: 2026-09-01T10:30:00+02:00=300.
    """
    _now(sales.plan_rates(network, house, on_sale, steps, why))


@on_sale.command(name="message")
def on_sale_message(on_sale: str, text: str, *, network: Network, house: House, why: str) -> None:
    """Tell everyone who waits something; an empty text takes it away."""
    _now(sales.change_on_sale(network, house, on_sale, "message", why, message=text))


@on_sale.command(name="curve")
def on_sale_curve(on_sale: str, *, network: Network, house: House) -> None:
    """Print what each minute brought as CSV: joins, calls, admissions, missed turns, orders."""
    _now(afterwards.print_curve(network, house, on_sale))


@on_sale.command(name="summary")
def on_sale_summary(on_sale: str, *, network: Network, house: House) -> None:
    """Print what became of a sale that is over, as everybody may read it, as JSON."""
    _now(afterwards.print_summary(network, house, on_sale))


@key.command(name="create")
def key_create(name: str, scope: tuple[str, ...], *, network: Network, house: House, why: str = "create key") -> None:
    """Create a key and print it, this once. Scopes: manage, orders:read, orders:write, counter."""
    _now(sales.create_key(network, house, name, scope, why))


@key.command(name="rotate")
def key_rotate(*, network: Network, house: House) -> None:
    """Make the next key that signs passes: published at once, used once everybody who keeps copies has it."""
    operators.rotate_key(network, house)


@house.command(name="keys")
def house_keys(*house: str, network: Network) -> None:
    """Make the keys of houses (default: all) that have none yet, for where a process may not write: in a container."""
    operators.make_house_keys(network, house)


@operator.command(name="key")
def operator_key() -> None:
    """Make a key that shows how every house of the network is doing, and nothing of any customer."""
    operators.make_key()


@customer.command(name="export")
def customer_export(*, network: Network, house: House, email: str, reason: str) -> None:
    """Print all that the house holds of a customer, as JSON; who asked, and why, is logged."""
    _now(customers.export(network, house, email, reason))


@customer.command(name="erase")
def customer_erase(*, network: Network, house: House, email: str, reason: str) -> None:
    """Take a customer out of the house's data, for good; the accounts stay as they are."""
    _now(customers.erase(network, house, email, reason))


@order.command(name="refund")
def order_refund(order: str, *, network: Network, house: House, reason: str, item: tuple[int, ...] = ()) -> None:
    """Return a recorded order: its seats go back on sale, and its money is asked back.

    --item N returns only that of its items, counting from 0, and may be repeated; the rest of the order stays valid.
    """
    _now(sales.refund_order(network, house, order, reason, item))


@order.command(name="exchange")
def order_exchange(
    order: str,
    *,
    network: Network,
    house: House,
    reason: str,
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
    _now(sales.exchange_order(network, house, order, wish, item, paid, reason))


@seats.command(name="history")
def seats_history(performance: str, *, network: Network, house: House, until: str = "", json: bool = False) -> None:
    """Print what became of every seat, when and by whom, oldest first, up to an instant: as CSV, or as JSON lines."""
    _now(history.print_history(network, house, performance, "jsonl" if json else "csv", until))


@seats.command(name="at")
def seats_at(performance: str, instant: str, *, network: Network, house: House) -> None:
    """Print what every seat was at an instant (RFC 3339), replayed from its history, as JSON."""
    _now(history.print_hall(network, house, performance, instant))


@dead_letter.command(name="list")
def dead_letter_list(*, network: Network, house: House, all: bool = False, json: bool = False) -> None:  # noqa: A002
    """Say which entries could not be recorded, and why; with `--all`, those too that were recorded since."""
    _now(dead_letters.list_letters(network, house, with_requeued=all, is_json=json))


@dead_letter.command(name="show")
def dead_letter_show(entry: str, *, network: Network, house: House, customer: bool = False, reason: str = "") -> None:
    """Print what is in one; who buys only with `--customer`, and that and the reason are logged."""
    _now(dead_letters.show(network, house, entry, reason, with_customer=customer))


@dead_letter.command(name="requeue")
def dead_letter_requeue(entry: str, *, network: Network, house: House, reason: str) -> None:
    """Record one after all, once its cause is mended; harmless to repeat."""
    _now(dead_letters.requeue(network, house, entry, reason))


@alarm.command(name="list")
def alarm_list(*, network: Network, house: House, all: bool = False, json: bool = False) -> None:  # noqa: A002
    """Say what a person has to look at; with `--all`, also what was seen to."""
    _now(attention.list_alarms(network, house, with_seen=all, is_json=json))


@alarm.command(name="seen")
def alarm_seen(alarm: Whole, *, network: Network, house: House, reason: str) -> None:
    """Note that an alarm has been seen to."""
    _now(attention.see_alarm(network, house, alarm, reason))


@refund.command(name="list")
def refund_list(*, network: Network, house: House, all: bool = False, json: bool = False) -> None:  # noqa: A002
    """Say whose money has to go back; with `--all`, also what went back."""
    _now(attention.list_refunds(network, house, with_done=all, is_json=json))


@refund.command(name="paid")
def refund_paid(provider: str, reference: str, *, network: Network, house: House, reason: str) -> None:
    """Note that all of a payment's money went back that was due."""
    _now(attention.mark_refunded(network, house, provider, reference, reason))


@refund.command(name="went")
def refund_went(refund: Whole, *, network: Network, house: House, reason: str) -> None:
    """Note that the money of one refund went back, by its number as `refund list` says it."""
    _now(attention.mark_paid(network, house, refund, reason))


@app.command
def recoveries(*, network: Network, house: House, json: bool = False) -> None:
    """Say what each recovery of the house's Redis found, and what was lost."""
    _now(attention.list_recoveries(network, house, is_json=json))


app.command(embed)


@app.command
def audit(*, network: Network, house: House, json: bool = False) -> None:
    """Compare Redis with the ledger; exit 1 if anything is wrong."""
    sys.exit(uvloop.run(checks.audit_house(network, house, is_json=json)))


@draw.command(name="verify")
def draw_verify(
    file: Path,
    *,
    commitment: Dashed = "",
    index: Whole | None = None,
    before: Path | None = None,
    keys: tuple[str, ...] = (),
) -> None:
    """Recompute a published draw, from its transcript alone.

    Parameters
    ----------
    file
        The transcript, or an on-sale's public status, saved: `curl …/on-sales/<on-sale>/status > draw.json`.
    commitment
        The commitment as you kept it from before the draw.
    index
        The index of a place, to see where it was drawn.
    before
        A status that you saved before the draw: commitment, rule and contributors must be the same.
    keys
        `HOUSE=FILE`, once for each house that contributed: its published keys, or the address where they are
        (`…/v1/houses/HOUSE/.well-known/jwks.json`). Shows that it signed this very list before it revealed.
    """
    sys.exit(uvloop.run(draws.verify_draw(file, commitment, index, before, keys)))


@draw.command(name="transcript")
def draw_transcript(on_sale: str, *, network: Network, house: House) -> None:
    """Print the whole transcript of a draw that has been made, to be published."""
    _now(draws.print_transcript(network, house, on_sale))


@status.command(name="verify")
def status_verify(address: str, *, keys: str = "") -> None:
    """Check that a status is the house's own, wherever it is served.

    Parameters
    ----------
    address
        Where it is served: at the house, at an edge, at any mirror.
    keys
        Where the house publishes its keys; left out, on the machine of `address`, which proves nothing of a mirror.
    """
    sys.exit(uvloop.run(checks.verify_status(address, keys)))


@app.command
def doctor(*, network: Annotated[Path | None, Parameter(env_var="PARVIS_NETWORK")] = None) -> None:
    """Say in words what is wrong with this installation."""
    sys.exit(uvloop.run(checks.doctor(network)))


def _explain(error: Exception) -> None:
    if isinstance(error, OSError) and error.filename:
        bad(f"{error.filename}: {error.strerror}", console=console)
        return
    bad(str(error) or type(error).__name__, console=console)
    for problem in error.problems if isinstance(error, BadInput) else ():
        say(f"  · {problem}", console=console)
    for name, fact in error.facts.items() if isinstance(error, Refused) else ():
        say(f"  · {name}: {fact}", console=console)


def run(arguments: "list[str] | None" = None) -> None:
    """The entry point. Errors of ours become words and exit code 2."""
    logs.configure()
    command: Callable[..., Any] = app
    try:
        command(arguments)
    except (ParvisError, OSError) as error:
        _explain(error)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
