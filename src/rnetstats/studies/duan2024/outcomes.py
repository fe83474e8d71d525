"""Recurrence, disease-free survival and overall survival, compared between two groups."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnetstats._core.frame import label_of
from rnetstats._core.result import Result
from rnetstats.errors import BudgetError, DataError
from rnetstats.formatting import inside
from rnetstats.regression.cox import cox
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.records import records
from rnetstats.studies.verdicts import MINIMUM
from rnetstats.survival.kaplan_meier import kaplan_meier
from rnetstats.survival.logrank import LogrankResult, logrank
from rnetstats.tables.exact_rate_ratio import exact_rate_ratio

__all__ = ["ENDPOINTS", "Comparison", "Endpoint", "compare_groups"]

PERMUTATIONS = 9_999
UNEQUAL = 999
EXACT_EVENTS = 15  # beyond, the exact P costs more than it tells


@dataclass(frozen=True)
class Endpoint:
    """An endpoint: its name, its columns, and what counts as an event."""

    key: str
    name: str
    definition: str
    time: str
    event: str

    @property
    def surv(self) -> str:
        """The left side of a formula."""
        return f"Surv({self.time}, {self.event})"


ENDPOINTS = (
    Endpoint(
        "recurrence",
        "Time to recurrence",
        "recurrence; a death without recurrence ends the follow-up (cause-specific hazard)",
        "dfs_months",
        "recurrence",
    ),
    Endpoint(
        "dfs",
        "Disease-free survival",
        "the first of recurrence or death from any cause",
        "dfs_months",
        "dfs_event",
    ),
    Endpoint(
        "os",
        "Overall survival",
        "death from any cause",
        "os_months",
        "death",
    ),
)


@dataclass(frozen=True)
class Comparison:
    """Two groups under one endpoint.

    Attributes
    ----------
    endpoint : Endpoint
    groups : DataFrame
        ``group, n, events, months``: the reference group first.
    fits : dict
        ``km, logrank, permutation, unequal, cox_firth, cox_ml, rate_ratio``; None where refused.
    primary : dict
        ``measure, estimate, conf_low, conf_high, p_value, method`` of the estimate that a claim
        is judged by.
    n_missing : int
        Patients left out, whose group, time or event is not known.
    """

    endpoint: Endpoint
    groups: pd.DataFrame
    fits: dict[str, Any]
    primary: dict[str, Any]
    n_missing: int = 0

    @property
    def n_events(self) -> int:
        """Events in both groups together."""
        return int(self.groups["events"].sum())

    @property
    def smallest(self) -> int:
        """Patients in the smaller group."""
        return int(self.groups["n"].min())

    @property
    def fewest(self) -> int:
        """Events of the group that has fewest."""
        return int(self.groups["events"].min())

    @property
    def p_exact(self) -> float:
        """P of the exact conditional test of the two rates, on the side of the primary estimate.

        Missing where no group has few events, or the test could not be had.
        """
        ratio = self.fits.get("rate_ratio")
        if ratio is None or self.fewest >= MINIMUM:
            return math.nan
        tail = "one-sided lower" if self.primary["estimate"] > 1.0 else "one-sided upper"
        return min(1.0, 2.0 * float(ratio.method(tail)["p_value"]))

    def results(self, prefix: str) -> dict[str, Result]:
        """Return the fits that exist, named for the report."""
        found = {name: fit for name, fit in self.fits.items() if fit is not None}
        return {f"{prefix}_{self.endpoint.key}_{name}": fit for name, fit in found.items()}


def compare_groups(
    frame: pd.DataFrame,
    name: str,
    endpoint: Endpoint,
    *,
    seed: int,
    attempts: Attempts,
    full: bool = True,
) -> Comparison:
    """Compare the two groups of column ``name`` under an endpoint.

    The primary estimate is Firth's hazard ratio with profile penalised-likelihood limits. Where a
    group has no event it is the ratio of the two rates with exact conditional limits, of which
    one is infinite or 0; where a group has few, that ratio's exact test stands beside the model.
    With ``full=False`` nothing else is computed.
    """
    formula = f"{endpoint.surv} ~ {name}"
    groups = _groups(frame, name, endpoint)
    what = f"{endpoint.name} by {inside(label_of(frame, name))}"

    def attempt(kind: str, call: Any) -> Any:
        return attempts.run(f"{what}, {kind}", call)

    n_missing = len(frame) - int(groups["n"].sum())
    fits: dict[str, Any] = {}
    events = groups["events"].sum() if groups["n"].min() > 0 else 0
    if full:
        fits |= _curves_and_tests(frame, formula, attempt, seed=seed, events=events)
    if groups["n"].min() == 0:
        attempts.skip(what, "of one group no outcome is known, so there is nothing to compare")
    elif events == 0:
        attempts.skip(what, "no events at all, so no test and no hazard ratio")
    elif (groups["events"] > 0).all():
        fits["cox_firth"] = attempt("Cox model (Firth)", lambda: cox(frame, formula))
    else:
        attempts.skip(
            f"{what}, Cox model",
            "one group has no event, so the hazard ratio has no upper (or lower) limit by maximum "
            "likelihood; the exact ratio of the two rates is given instead",
        )
    if full and "cox_firth" in fits:
        fits["cox_ml"] = attempt(
            "Cox model (maximum likelihood)", lambda: cox(frame, formula, penalty=None)
        )
    sparse = groups["events"].min() < MINIMUM
    if events > 0 and (full or sparse or "cox_firth" not in fits):
        fits["rate_ratio"] = attempt("rate ratio", lambda: _rate_ratio(groups))
    return Comparison(endpoint, groups, fits, _primary(fits), n_missing)


def _curves_and_tests(
    frame: pd.DataFrame, formula: str, attempt: Any, *, seed: int, events: float
) -> dict[str, Any]:
    """Return the curves and the log-rank tests; the permutation tests need an event."""
    fits = {
        "km": attempt("Kaplan-Meier", lambda: kaplan_meier(frame, formula, ci="bpcp")),
        "logrank": attempt("log-rank test", lambda: logrank(frame, formula)),
    }
    if events > 0:
        fits["permutation"] = attempt(
            "permutation test", lambda: _permuted(frame, formula, seed=seed, events=events)
        )
        fits["unequal"] = attempt(
            "permutation test for unequal follow-up",
            lambda: logrank(
                frame, formula, method="permutation-unequal", resamples=UNEQUAL, seed=seed
            ),
        )
    return fits


def _permuted(frame: pd.DataFrame, formula: str, *, seed: int, events: float) -> LogrankResult:
    """Go through all permutations where events are few, else draw some of them."""
    if events <= EXACT_EVENTS:
        try:
            return logrank(frame, formula, method="exact")
        except BudgetError:
            pass
    return logrank(frame, formula, method="permutation", resamples=PERMUTATIONS, seed=seed)


def _groups(frame: pd.DataFrame, name: str, endpoint: Endpoint) -> pd.DataFrame:
    known = frame[[name, endpoint.time, endpoint.event]].dropna()
    rows = []
    for level in frame[name].cat.categories:
        group = known[known[name] == level]
        rows.append(
            {
                "group": str(level),
                "n": len(group),
                "events": int(group[endpoint.event].sum()),
                "months": float(group[endpoint.time].sum()),
            }
        )
    return pd.DataFrame(rows)


def _rate_ratio(groups: pd.DataFrame) -> Any:
    base, other = records(groups)
    if not min(base["months"], other["months"]) > 0.0:
        raise DataError("a group has no time at risk (every time is 0), so that it has no rate")
    return exact_rate_ratio(other["events"], other["months"], base["events"], base["months"])


def _primary(fits: dict[str, Any]) -> dict[str, Any]:
    fit, ratio = fits.get("cox_firth"), fits.get("rate_ratio")
    if fit is not None:
        row = fit.to_frame().iloc[-1]
        method = "Cox model with Firth's penalty, Efron ties, profile limits, likelihood-ratio P"
        return _estimate("HR", row, method)
    if ratio is not None:
        row = ratio.method("central")
        return _estimate("rate ratio", row, "ratio of rates, exact conditional (central)")
    return {
        "measure": "HR",
        "estimate": math.nan,
        "conf_low": math.nan,
        "conf_high": math.nan,
        "p_value": math.nan,
        "method": "not estimated",
    }


def _estimate(measure: str, row: Any, method: str) -> dict[str, Any]:
    numbers = {name: float(row[name]) for name in ("estimate", "conf_low", "conf_high", "p_value")}
    return {"measure": measure, **numbers, "method": method}
