"""Totals of a 2x2 table: patients, events and sizes, as far as they are known."""

from __future__ import annotations

from dataclasses import dataclass

from rnetstats._core.options import positive_int
from rnetstats.errors import OptionError
from rnetstats.formatting import listed

__all__ = ["GivenTotals", "Totals"]


@dataclass(frozen=True)
class Totals:
    """Patients, and what is known of the events and of the size of group 1."""

    n: int
    events: int | None = None
    n_1: int | None = None

    def without(self, names: frozenset[str]) -> Totals:
        """Return the totals with some of them forgotten."""
        return Totals(
            self.n,
            None if "events" in names else self.events,
            None if "n_1" in names else self.n_1,
        )


@dataclass(frozen=True)
class GivenTotals:
    """Totals as given, which need not fit each other."""

    n: int | None
    events: int | None
    n_1: int | None
    n_2: int | None

    @classmethod
    def of(cls, **given: int | None) -> GivenTotals:
        """Check each of the totals alone."""
        counts = {
            name: None if value is None else positive_int(name, value, minimum=0)
            for name, value in given.items()
        }
        return cls(**counts)

    def settled(self) -> tuple[Totals | None, str]:
        """Return the totals, or which of them conflict."""
        sizes = self.n_1, self.n_2
        known = [size for size in sizes if size is not None]
        if self.n is None and len(known) < 2:
            raise OptionError(
                "tables_from_odds_ratio() needs the number of patients: n, or both n_1 and n_2."
            )
        n = sum(known) if self.n is None else self.n
        both = len(known) == 2
        if sum(known) > n or (both and sum(known) != n) or (not both and known and known[0] >= n):
            parts = [f"n_{k} = {size:,}" for k, size in enumerate(sizes, 1) if size is not None]
            return None, f"{listed([f'n = {n:,}', *parts])} cannot all be true of two groups."
        if n < 2 or 0 in known:
            return None, "A 2x2 table needs at least one patient in each group."
        if self.events is not None and self.events > n:
            return None, f"{self.events:,} events and {n:,} patients cannot both be true."
        first = self.n_1 if self.n_2 is None else n - self.n_2
        return Totals(n, self.events, first), ""
