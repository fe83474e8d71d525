"""2x2 tables behind a printed odds ratio, its limits, its P and the totals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.options import level, positive_int
from rnetstats.errors import BudgetError
from rnetstats.evidence.checks_printed import Printed
from rnetstats.evidence.worlds_conflict import conflict_words
from rnetstats.evidence.worlds_display import rest_note
from rnetstats.evidence.worlds_figures import RATIO_TESTS, OddsRatioFigures
from rnetstats.evidence.worlds_implied import error_from_limits, implied, solutions
from rnetstats.evidence.worlds_odds_ratio_result import TablesResult, candidate_frame
from rnetstats.evidence.worlds_printed import ROUNDED, figure, probability, roundings, window
from rnetstats.evidence.worlds_scan import Scan, conflicts, disordered, scan
from rnetstats.evidence.worlds_tables import chosen_tests
from rnetstats.evidence.worlds_totals import GivenTotals, Totals
from rnetstats.evidence.worlds_universe import Universe
from rnetstats.formatting import fmt_count

__all__ = ["TablesResult", "tables_from_odds_ratio"]

BUDGET = 2_000_000
_KEEP = 20_000
ADJUSTED = (
    "An odds ratio that is adjusted for other factors need not be that of any 2x2 table. Without "
    "confounding it lies at least as far from 1 as the crude one, which is then a bound; with "
    "confounding it is none."
)


def tables_from_odds_ratio(
    odds_ratio: str,
    *,
    conf_low: str | None = None,
    conf_high: str | None = None,
    p: str | None = None,
    n: int | None = None,
    events: int | None = None,
    n_1: int | None = None,
    n_2: int | None = None,
    tests: str | Sequence[str] = RATIO_TESTS,
    rounding: str | Sequence[str] = ROUNDED,
    conf_level: float = 0.95,
    nearest: int = 10,
    budget: int = BUDGET,
) -> TablesResult:
    """Find every 2x2 table that prints an odds ratio, its limits and its P.

    Every table with the given totals is looked at, as it is and with 0.5 added to each cell, so
    that the search is exhaustive.

    Parameters
    ----------
    odds_ratio : str
        Of group 1 over group 2, as printed, trailing zeros included.
    conf_low, conf_high : str, optional
        Its limits as printed; taken as Wald's (Woolf).
    p : str, optional
        Its P as printed: ``"0.003"``, ``"< 0.001"``.
    n, events : int, optional
        All patients, and all patients with the event.
    n_1, n_2 : int, optional
        Patients of each group. Two of ``n``, ``n_1`` and ``n_2`` give the third; ``n`` alone will
        do.
    tests : sequence of {"wald", "lr", "pearson", "yates", "fisher"}
        Tests by which P may have been computed, each two-sided.
    rounding : str or sequence of str
        Rules by which each figure may have been made; see :func:`rnetstats.matching_counts`.
    conf_level : float
        Level of the limits.
    nearest : int
        How many of the nearest tables to give when none reproduces every figure.
    budget : int
        Tables to look at. When the totals allow more, only those that can have the odds ratio,
        and a standard error as the limits imply, are; none that fits is missed.

    Returns
    -------
    TablesResult
        Without worlds, ``.conflict`` says which figures conflict and ``.nearest`` which tables
        come nearest.

    Raises
    ------
    FactsError, DataError
        If a figure is no number, negative or out of range.
    OptionError
        If no number of patients follows from the arguments.
    BudgetError
        If even the tables near the odds ratio are above the budget.

    References
    ----------
    Di Pietrantonj C (2006) Stat Med 25:2299-2322. Veroniki AA et al. (2013) Res Synth Methods
    4:78-94. Gail MH, Wieand S, Piantadosi S (1984) Biased estimates of treatment effect in
    randomized experiments with nonlinear regressions and omitted covariates. Biometrika
    71:431-444. Woolf B (1955) Ann Hum Genet 19:251-253.

    Examples
    --------
    >>> import rnetstats as rn
    >>> found = rn.tables_from_odds_ratio(
    ...     "3.65", conf_low="1.30", conf_high="10.20", n_1=40, n_2=60, events=20
    ... )
    >>> found.to_frame()[["events_1", "n_1", "events_2", "n_2", "added"]]
       events_1  n_1  events_2  n_2  added
    0        13   40         7   60    0.0
    """
    given = {"odds_ratio": odds_ratio, "conf_low": conf_low, "conf_high": conf_high, "p": p}
    counts = {"n": n, "events": events, "n_1": n_1, "n_2": n_2}
    printed = _printed(given)
    rules, asked = roundings(rounding), chosen_tests(tests, RATIO_TESTS)
    windows = {name: window(value, rules) for name, value in printed.items()}
    figures = OddsRatioFigures(windows, asked, level(conf_level))
    limits = {
        "nearest": positive_int("nearest", nearest, minimum=0),
        "budget": positive_int("budget", budget),
    }
    totals, conflict = GivenTotals.of(**counts).settled()
    target = _target(printed["odds_ratio"])
    found = Scan(*(np.zeros((5, 0), dtype=np.int64),) * 2, 0)
    exhaustive = True
    if totals is not None:
        universe, exhaustive = _universe(totals, figures, limits["budget"])
        found = scan(universe, figures, target, limits["nearest"])
        if found.worlds.shape[1] == 0:
            conflict = _conflict(printed, totals, figures, limits["budget"])
    worlds = candidate_frame(found.worlds[:, :_KEEP], figures)
    error = implied(printed, figures)
    return TablesResult(
        worlds=worlds,
        nearest=candidate_frame(found.nearest[:, : None if conflict else 0], figures),
        solutions=solutions(target, totals, printed, figures),
        implied=error,
        count=found.worlds.shape[1],
        looked_at=found.looked_at,
        conflict=conflict,
        notes=(
            *_notes(found, worlds, conflict, exhaustive, printed),
            *_undefined(worlds, error),
            *rest_note(len(worlds)),
        ),
        options={
            **given,
            **counts,
            **limits,
            "tests": list(asked),
            "rounding": list(rules),
            "conf_level": figures.conf_level,
            "printed": {name: float(value.value) for name, value in printed.items()},
        },
    )


def _printed(given: dict[str, Any]) -> dict[str, Printed]:
    """The figures that are given, by name."""
    return {
        name: (probability if name == "p" else figure)(text, name)
        for name, text in given.items()
        if text is not None or name == "odds_ratio"
    }


def _target(printed: Printed) -> float:
    """The odds ratio to measure from: half a unit where the print is 0."""
    return float(max(printed.value, printed.unit / 2))


def _undefined(worlds: pd.DataFrame, error: pd.DataFrame) -> tuple[str, ...]:
    """Say why quantities are missing, where they are."""
    notes = []
    if error.empty:
        notes.append(
            "No standard error is implied: that takes two positive limits in order, or an odds "
            "ratio above 0 with a P."
        )
    if worlds.isna().any(axis=None):
        notes.append(
            "Limits and P values are missing where they are undefined: Wald's with an empty cell "
            "to which nothing is added, the other tests with an empty margin."
        )
    return tuple(notes)


def _universe(totals: Totals, figures: OddsRatioFigures, budget: int) -> tuple[Universe, bool]:
    """Every table with these totals, or those near the odds ratio when they are too many."""
    universe = Universe.of(totals)
    if universe.tables <= budget:
        return universe, True
    near = universe.near(*figures.windows["odds_ratio"].ends)
    spread = error_from_limits(figures)
    if spread is not None:
        near = near.of_variance(spread[0] ** 2, spread[1] ** 2)
    if near.tables > budget:
        raise BudgetError(
            f"{near.tables:,} tables of {totals.n:,} patients come near the printed figures; the "
            f"budget is {budget:,}. Give the events, the sizes of the groups or both limits, or a "
            "larger budget."
        )
    return near, False


def _conflict(
    printed: dict[str, Printed], totals: Totals, figures: OddsRatioFigures, budget: int
) -> str:
    labels = {
        "odds_ratio": f"odds ratio {printed['odds_ratio'].text.strip()}",
        "conf_low": f"lower limit {printed['conf_low'].text.strip()}"
        if "conf_low" in printed
        else "",
        "conf_high": (
            f"upper limit {printed['conf_high'].text.strip()}" if "conf_high" in printed else ""
        ),
        "p": f"P {_p_words(printed['p'])} ({', '.join(figures.tests)})" if "p" in printed else "",
        "events": f"{fmt_count(totals.events or 0)} events",
        "n_1": f"{fmt_count(totals.n_1 or 0)} patients in group 1",
    }
    found, fixed = disordered(figures), frozenset[str]()
    if not found:
        found, fixed = conflicts(totals, figures, budget)
    held = "".join(f" and {labels[name]}" for name in sorted(fixed))
    return conflict_words(labels, found, f"table of {totals.n:,} patients{held}")


def _p_words(p: Printed) -> str:
    digits = p.text.strip().removeprefix("P").removeprefix("p").strip()
    return digits if p.relation else f"= {digits.removeprefix('=').strip()}"


def _notes(
    found: Scan,
    worlds: pd.DataFrame,
    conflict: str,
    exhaustive: bool,
    printed: dict[str, Printed],
) -> tuple[str, ...]:
    notes = [conflict] if conflict else []
    if conflict and found.nearest.shape[1]:
        notes.append("The tables given as nearest do not reproduce every figure.")
    if not exhaustive:
        notes.append(
            "There are too many tables with these totals to look at each: all that can have the "
            "odds ratio (and the width of the limits) were, and neighbours of theirs."
        )
    if found.worlds.shape[1] > len(worlds):
        notes.append(f"Of {found.worlds.shape[1]:,} tables the first {len(worlds):,} are listed.")
    if len(worlds) and (worlds["added"] > 0).all():
        notes.append("The odds ratio comes about only with 0.5 added to each cell.")
    if "conf_low" in printed or "conf_high" in printed:
        notes.append("The limits are taken as Wald's; profile or exact ones need not fit.")
    return (*notes, ADJUSTED)
