"""What was recorded: a 2x2 table of counts or a cohort, and its conventional estimate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnetstats.errors import DataError, OptionError, TooFewEventsError
from rnetstats.tables.counts import count_table
from rnetstats.tables.exact_table import exact_table
from rnetstats.tables.exact_two_by_two import ExactTableResult
from rnetstats.tables.two_proportions import miettinen_nurminen_limits
from rnetstats.treatment.bias_matrix import Cells, measure_of
from rnetstats.treatment.bias_records import cells_of
from rnetstats.treatment.bias_summary import summary_row
from rnetstats.treatment.margin_hazard import profile_hazard
from rnetstats.treatment.two_arms import TwoArms, two_arms

__all__ = ["Observed", "conventional", "read_observed"]


@dataclass(frozen=True)
class Observed:
    """The table as observed, and the patients where times are analysed."""

    cells: Cells
    names: tuple[str, str]
    label: str
    endpoint: str
    synthetic: bool
    notes: tuple[str, ...]
    arms: TwoArms | None = None


def read_observed(
    data: Any, formula: str | None, exposed: Any, freq_weights: Any, missing: str
) -> Observed:
    """Read counts, or a cohort with a formula."""
    if formula is not None:
        arms = two_arms(data, formula, new=exposed, freq_weights=freq_weights, missing=missing)
        found = Observed(
            cells_of(arms),
            arms.names,
            arms.group,
            arms.endpoint,
            arms.synthetic,
            arms.notes,
            None if arms.stop is None else arms,
        )
    else:
        if exposed is not None or freq_weights is not None:
            raise OptionError("exposed= and freq_weights= belong to a formula, not to counts.")
        table = count_table(data)
        if table.counts.shape != (2, 2):
            raise DataError("The counts must be a 2x2 table: exposed first, the event first.")
        (a, b), (c, d) = table.counts.astype(np.float64)
        names = (table.rows[0], table.rows[1])
        found = Observed(
            Cells(a, b, c, d), names, f"{names[0]} against {names[1]}", table.columns[0], False, ()
        )
    if found.cells.exposed_events + found.cells.unexposed_events == 0:
        raise TooFewEventsError(
            f"Nobody has the event {found.endpoint!r}: there is no estimate to correct."
        )
    return found


def conventional(observed: Observed, measure: str, conf_level: float) -> dict[str, Any]:
    """The estimate that takes the record at its word."""
    if observed.arms is not None:
        fit = profile_hazard(observed.arms)
        low, high = fit.limits((1.0 - conf_level) / 2.0)
        values, method = (fit.estimate, low, high), fit.method
        estimate, low, high = map(math.exp, values)
        return summary_row(measure, "conventional", (estimate, low, high), 0, method)
    a, b, c, d = (int(part) for part in observed.cells)
    estimate = float(measure_of(observed.cells, measure))
    if measure == "or":
        table = exact_table([[a, b], [c, d]], conf_level=conf_level)
        assert isinstance(table, ExactTableResult)
        row = table.method("mid-p", "odds ratio")
        low, high = float(row["conf_low"]), float(row["conf_high"])
        return summary_row(measure, "conventional", (estimate, low, high), 0, "exact mid-P limits")
    kind = "ratio" if measure == "rr" else "difference"
    limits = miettinen_nurminen_limits(a, a + b, c, c + d, conf_level, measure=kind)
    low, high = (float(v) for v in limits)
    return summary_row(measure, "conventional", (estimate, low, high), 0, "score limits")
