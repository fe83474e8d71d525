"""The rows of a comparison with few events: each method, what it says, and what it assumes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from rnetstats.errors import BudgetError, ConvergenceError, DataError, TooFewEventsError
from rnetstats.regression.cox import cox
from rnetstats.regression.logistic import logistic
from rnetstats.survival.logrank import logrank
from rnetstats.survival.logrank_methods import p_text
from rnetstats.tables.exact_rate_ratio import exact_rate_ratio
from rnetstats.tables.exact_table import exact_table
from rnetstats.tables.exact_two_by_two import ExactTableResult
from rnetstats.treatment.two_arms import TwoArms

__all__ = ["FEW_COLUMNS", "FewRows", "Settings", "binary_rows", "survival_rows"]

FEW_COLUMNS = ("method", "measure", "estimate", "conf_low", "conf_high", "p_value", "assumes")
Row = tuple[str, str, float, float, float, float, str]

TEST = "equal survival"
_NAN = math.nan
_KNOWN = "everybody's outcome is known, over the same follow-up"
_LOST_EARLY = "the same follow-up in both arms: who was lost early counts as event-free"
_RATES = "constant hazards in each arm (Poisson), given the events of both together"
_UNEQUAL = "censoring unrelated to prognosis within each arm; follow-up may differ between them"
_HAZARDS = "proportional hazards"
_ROUGHLY = "; P and limits hold approximately"
_ON_AVERAGE = "; the level is held on average, not always"


@dataclass(frozen=True)
class Settings:
    """Options of the comparison."""

    m: float
    resamples: int
    seed: int
    conf_level: float


@dataclass(frozen=True)
class FewRows:
    """The rows, the notes that belong to them, and the comparison of follow-up."""

    rows: list[Row]
    notes: list[str]
    censoring_p_value: float = _NAN

    def frame(self) -> pd.DataFrame:
        """Return the rows as a frame."""
        return pd.DataFrame(self.rows, columns=list(FEW_COLUMNS))


def survival_rows(arms: TwoArms, settings: Settings) -> FewRows:
    """Compare two arms whose times are known."""
    assert arms.stop is not None
    data = pd.DataFrame(
        {"time": arms.stop, "event": arms.event.astype(int), "arm": arms.is_new.astype(int)}
    )
    rows, notes, censoring = _tests(data, settings)
    fits: dict[str, Callable[[], pd.Series]] = {
        "Firth, profile": lambda: _slope(
            cox(data, "Surv(time, event) ~ arm", conf_level=settings.conf_level).to_frame()
        ),
        _log_f(settings): lambda: _slope(
            cox(
                data,
                "Surv(time, event) ~ arm",
                penalty="log-f",
                m=settings.m,
                conf_level=settings.conf_level,
            ).to_frame()
        ),
    }
    fitted, more = _fits(fits, "hazard ratio", _HAZARDS, settings)
    rows += fitted
    rated, others = _rates(arms, settings)
    tables, last = _tables(arms, settings, _LOST_EARLY)
    notes = _renamed([*notes, *more, *others, *last], "Surv(time, event)", arms.endpoint)
    return FewRows([*rows, *rated, *tables], notes, censoring)


def binary_rows(arms: TwoArms, settings: Settings) -> FewRows:
    """Compare two arms whose outcome has no time."""
    data = pd.DataFrame({"y": arms.event.astype(int), "arm": arms.is_new.astype(int)})
    fits: dict[str, Callable[[], pd.Series]] = {
        "Firth, profile": lambda: _slope(
            logistic(data, "y ~ arm", conf_level=settings.conf_level).to_frame()
        ),
        _log_f(settings): lambda: _slope(
            logistic(
                data, "y ~ arm", penalty="log-f", m=settings.m, conf_level=settings.conf_level
            ).to_frame()
        ),
    }
    tables, notes = _tables(arms, settings, _KNOWN)
    rows, more = _fits(fits, "odds ratio", _KNOWN, settings)
    return FewRows([*tables, *rows], _renamed([*notes, *more], "'y'", repr(arms.endpoint)))


def _renamed(notes: list[str], own: str, endpoint: str) -> list[str]:
    """Name the caller's endpoint where a fit of our own columns was refused."""
    return [note.replace(own, endpoint) for note in notes]


def _log_f(settings: Settings) -> str:
    return f"log-F({settings.m:g}, {settings.m:g}), profile"


def _slope(table: pd.DataFrame) -> pd.Series:
    return table.iloc[-1]


def _tests(data: pd.DataFrame, settings: Settings) -> tuple[list[Row], list[str], float]:
    """Log-rank tests: of all relabellings, of some, and of survival times alone."""
    formula, rows, notes = "Surv(time, event) ~ arm", [], []
    plain = logrank(data, formula)
    censoring = plain.censoring_p_value
    same = f"the same follow-up in both arms (reverse Kaplan-Meier {p_text(censoring)})"
    if math.isnan(censoring):
        same = "the same follow-up in both arms (nobody is censored while both are at risk)"
    kinds = (
        ("exact", "log-rank, exact", same),
        ("permutation", "log-rank, permutation", same),
        ("permutation-unequal", "log-rank, permutation for unequal follow-up", _UNEQUAL),
    )
    for kind, name, assumes in kinds:
        p = _NAN
        try:
            p = logrank(
                data, formula, method=kind, resamples=settings.resamples, seed=settings.seed
            ).p_value
        except BudgetError:
            notes.append(f"{name}: too many relabellings to list; its P is missing.")
        rows.append((name, TEST, _NAN, _NAN, _NAN, float(p), assumes))
    if math.isnan(plain.p_value):
        notes.append(" ".join(plain.notes) or "The log-rank test is undefined: its P is missing.")
    return rows, notes, censoring


def _fits(
    fits: dict[str, Callable[[], pd.Series]], measure: str, assumes: str, settings: Settings
) -> tuple[list[Row], list[str]]:
    """Rows of the penalised regressions; missing, with the reason, where there is none."""
    rows: list[Row] = []
    reasons: dict[str, list[str]] = {}
    worth = f"; a prior worth {settings.m:g} patient{'' if settings.m == 1.0 else 's'}"
    for name, fit in fits.items():
        said = assumes + (_ROUGHLY if name.startswith("Firth") else worth + _ROUGHLY)
        try:
            row = fit()
        except (TooFewEventsError, DataError, ConvergenceError) as reason:
            rows.append((name, measure, _NAN, _NAN, _NAN, _NAN, said))
            reasons.setdefault(str(reason), []).append(name)
            continue
        low, high = float(row["conf_low"]), float(row["conf_high"])
        rows.append((name, measure, float(row["estimate"]), low, high, float(row["p_value"]), said))
    notes = [
        f"The {measure} ({'; '.join(names)}) is missing. {reason}"
        for reason, names in reasons.items()
    ]
    return rows, notes


def _rates(arms: TwoArms, settings: Settings) -> tuple[list[Row], list[str]]:
    """The exact ratio of the event rates."""
    assert arms.stop is not None
    times = [float(arms.stop[rows].sum()) for rows in (arms.is_new, ~arms.is_new)]
    (a, c), names = arms.events, {"central": "exact conditional", "mid-p": "mid-P"}
    if min(times) <= 0.0:
        empty = arms.names[times.index(min(times))]
        nothing = [(n, "rate ratio", _NAN, _NAN, _NAN, _NAN, _RATES) for n in names.values()]
        return nothing, [f"Arm {empty!r} has no person-time: the rate ratio is missing."]
    found = exact_rate_ratio(a, times[0], c, times[1], conf_level=settings.conf_level)
    rows = [_exact(found.method(k), name, _RATES, known=a + c > 0) for k, name in names.items()]
    return rows, []


def _tables(arms: TwoArms, settings: Settings, assumes: str) -> tuple[list[Row], list[str]]:
    """Exact odds ratios and score-type risk differences of the 2x2 table."""
    (a, c), (n, m) = arms.events, arms.sizes
    found = exact_table([[a, n - a], [c, m - c]], conf_level=settings.conf_level)
    assert isinstance(found, ExactTableResult)
    known = 0 < a + c < n + m
    odds = {"minlike": "Fisher", "mid-p": "mid-P", "blaker": "Blaker"}
    rows = [
        _exact(found.method(k, "odds ratio"), name, assumes, known=known)
        for k, name in odds.items()
    ]
    risks = {"newcombe": "Newcombe", "miettinen-nurminen": "Miettinen-Nurminen"}
    rows += [
        _exact(found.method(k, "risk difference"), name, assumes, known=known)
        for k, name in risks.items()
    ]
    notes = ["Newcombe's limits have no P of their own."]
    if not known:
        what = "Nobody" if a + c == 0 else "Everybody"
        notes.append(
            f"{what} had the event: nothing is compared, every P is missing, every ratio possible; "
            "the risk difference is bounded, and no_events() bounds each arm."
        )
    return rows, notes


def _exact(row: pd.Series, name: str, assumes: str, *, known: bool) -> Row:
    numbers = [float(row[c]) for c in ("estimate", "conf_low", "conf_high")]
    p = float(row["p_value"]) if known else _NAN
    assumes += _ON_AVERAGE if name == "mid-P" else ""
    return (name, str(row["measure"]), numbers[0], numbers[1], numbers[2], p, assumes)
