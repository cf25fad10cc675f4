"""What can go wrong, by name. A refusal that a visitor may meet is a `Refused`; the rest is ours to mend."""


class ParvisError(Exception):
    """Every error of Parvis; its docstring is the default message."""

    def __str__(self) -> str:
        return super().__str__() or (type(self).__doc__ or "").strip()


class BrokenContract(ParvisError):
    """A script answered with a word, or in a shape, that its header does not name."""


class CellUnavailable(ParvisError):
    """The house's cell cannot answer now; asking again later is safe."""

    retry_after_s = 1


class CellTimedOut(CellUnavailable):
    """The house's Redis did not answer in time; whether the call took effect is unknown until it is repeated."""


class CellDisconnected(CellUnavailable):
    """The connection to the house's Redis was lost with the call under way; its effect is unknown."""


class CellOverloaded(CellUnavailable):
    """Too many calls are already waiting for the house's Redis; this one was never sent."""


class BreakerOpen(CellUnavailable):
    """The house's Redis failed too often just now; this call was never sent."""


class GateClosed(CellUnavailable):
    """The cell is recovering and does not sell until it has been compared with the ledger."""


class Recovered(GateClosed):
    """The cell was recovered since the caller learned what it asks by; that is known by now, and it may ask anew."""


class LedgerUnavailable(ParvisError):
    """The house's Postgres cannot answer now."""


class BadInput(ParvisError):
    """What was given cannot be right, whatever the state of the sale.

    `problems` lists every fault in words, where it is and what would mend it; `facts` are for programs.
    """

    def __init__(self, message: str, problems: tuple[str, ...] = (), **facts: object) -> None:
        super().__init__(message)
        self.problems = problems
        self.facts = facts


class BadNetworkFile(BadInput):
    """The network file has faults."""


class BadPlan(BadInput):
    """The seating plan has faults."""


class ForgedToken(ParvisError):
    """The token's signature, house or shape is not ours."""


class Refused(ParvisError):
    """The sale said no, and nothing changed.

    `slug` is the stable problem type; `facts` are its extensions (JSON values).
    """

    def __init__(self, slug: str, message: str, **facts: object) -> None:
        super().__init__(message)
        self.slug = slug
        self.facts = facts


class FunctionMissing(CellUnavailable):
    """The house's Redis does not have this function, or not this version of it; nothing was run."""


class CellOutOfMemory(CellUnavailable):
    """The house's Redis is short of memory and refused this call; confirming and releasing still work."""


class CellBusy(CellUnavailable):
    """The house's Redis cannot serve now (it loads, spins, is a replica, lacks disk); nothing was run."""


class CellUnreachable(CellUnavailable):
    """No connection to the house's Redis could take this call; it was never sent."""


class PlanChanged(ParvisError):
    """A performance has another plan by now than this call was made for; nothing was done. See `engine.one_plan`."""
