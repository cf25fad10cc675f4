"""Every Redis key of a house, spelled once. The tag `{house}` keeps them in one slot and behind one ACL pattern."""

from functools import lru_cache

from engine.words import HouseSlug, LineName, OnSaleId, OrderId, PerformanceId


class Keys:
    """The keys of one house."""

    def __init__(self, house: HouseSlug) -> None:
        self._prefix = prefix = f"{{{house}}}:"
        self.everything = prefix + "*"
        """Pattern: every key of the house."""
        self.cell = prefix + "cell"
        """Hash: `epoch`, `sequence`, `catalogue` (its version)."""
        self.catalogue = prefix + "catalogue"
        """Hash: document name → JSON."""
        self.outbox = prefix + "outbox"
        """Stream: one entry a change, see `engine/entries.py`."""
        self.recorded = prefix + "recorded"
        """String: the last outbox id that the writer has committed."""

        self.folded = prefix + "folded"
        """Hash: `through` (an outbox id), and by `<on_sale>/<line>` the tree up to there; see `engine/folding.py`."""

    def sale(self, on_sale: OnSaleId) -> str:
        """Hash: the on-sale's phase, times, pace, counters and draw."""
        return f"{self._prefix}sale:{on_sale}"

    def live(self, on_sale: OnSaleId) -> str:
        """Sorted set: index, behind its line's name where that is not the public one → end of its live pass, ms."""
        return f"{self._prefix}sale:{on_sale}:live"

    def stays(self, on_sale: OnSaleId) -> str:
        """Sorted set: who has been inside, as in `live` → since when, ms, for as long as that counts; and each place
        that a person was given since → when. See `lua/include/stay.lua`.
        """
        return f"{self._prefix}sale:{on_sale}:stays"

    def claimed(self, on_sale: OnSaleId, line: str = "public") -> str:
        """Bitmap: one bit an index of a line that has claimed its turn."""
        return f"{self._prefix}sale:{on_sale}:claimed" + ("" if line == "public" else f":{line}")

    def presence(self, on_sale: OnSaleId, claim: str) -> str:
        """String: when, by their own clock, whoever has this pass ("member generation") said last that they leave or
        are here again; ends with the pass.
        """
        return f"{self._prefix}sale:{on_sale}:presence:{claim}"

    def frontier(self, on_sale: OnSaleId, line: LineName) -> str:
        """String: how far the tree over a line's entrants is; see `engine/tree.py`."""
        return f"{self._prefix}sale:{on_sale}:frontier:{line}"

    def operation(self, operation: str) -> str:
        """String: the fingerprint and the answer of an operation, for its repeats."""
        return f"{self._prefix}op:{operation}"

    def retry(self, on_sale: OnSaleId, secret_hash: str, line: str = "public") -> str:
        """String: the index in a line that was given to this secret within the last minute, or is not recorded yet;
        a dot, and when (ms).
        """
        return f"{self._prefix}retry:{on_sale}:{secret_hash}" + ("" if line == "public" else f":{line}")

    def persons(self, on_sale: OnSaleId) -> str:
        """Hash: who has a place, where each person has one → its index; nothing in it can be read back."""
        return f"{self._prefix}sale:{on_sale}:persons"

    def payment(self, provider: str, reference: str) -> str:
        """String: the key of the order that this payment bought; a payment buys one order."""
        return f"{self._prefix}payment:{provider}:{reference}"

    def performance(self, performance: PerformanceId, change: int = 0) -> tuple[str, str, str]:
        """Hash of rows and holds, bitmap index of what is free together, sorted set of due holds.

        `change`: how often the performance's plan has changed: no block of one plan is ever looked for in another.
        """
        key = f"{self._prefix}performance:{performance}" + (f"@{change}" if change else "")
        return key, key + ":index", key + ":due"

    def order(self, order: OrderId) -> str:
        """String: an order as Redis knows it, packed."""
        return f"{self._prefix}order:{order}"

    def order_of(self, key: str) -> OrderId:
        """The inverse of `order`."""
        return OrderId(key.removeprefix(f"{self._prefix}order:"))


@lru_cache(maxsize=4096)
def performance_of(key: str) -> tuple[PerformanceId, int]:
    """Which performance a key of one is of, and how often its plan had changed. Raises `ValueError`."""
    _, found, name = key.partition(":performance:")
    performance, _, change = name.partition("@")
    if not found or not performance:
        raise ValueError(f"{key!r} is no performance's key")
    return PerformanceId(performance), int(change or 0)
