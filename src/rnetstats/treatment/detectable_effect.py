"""What a number of events could have shown: detectable hazard ratios, errors of sign and size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data
from rnetstats._core.options import choice, level, positive_int, real
from rnetstats._core.random import resolve_seed
from rnetstats._core.result import Result
from rnetstats.errors import BudgetError, DataError, OptionError, TooFewEventsError
from rnetstats.formatting import fmt_number, fmt_percent
from rnetstats.treatment.sequence_power import SEQUENCE_TESTS, Sequences
from rnetstats.treatment.split_laws import TESTS, Arms, log_hazard_ratios, split_p_values
from rnetstats.treatment.split_power import Errors, detectable, exact_power, schoenfeld_power
from rnetstats.treatment.two_arms import two_arms

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DetectableEffectResult", "detectable_effect"]

METHODS = ("exact", "simulation", "schoenfeld")
_GRID: tuple[float, ...] = (
    0.05,
    0.1,
    0.15,
    0.2,
    0.25,
    0.33,
    0.4,
    0.5,
    0.6,
    0.7,
    0.8,
    0.9,
    1.0,
    1.1,
    1.25,
    1.5,
)
_GRID += (1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0)
_MOST_EVENTS = 1000  # whose splits are enumerated
_MOST_DRAWS = 1_000_000  # numbers drawn
_FEWEST_DRAWS = 100
_RARE = 0.1
_BY_DRAWS = {"coarse": 13, "rounds": 14, "points": 1}  # each point is a simulation


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DetectableEffectResult(Result):
    """Power and errors at hypothesised hazard ratios; see :func:`detectable_effect`.

    Attributes
    ----------
    table : DataFrame
        ``hazard_ratio, power, type_s, type_m, estimate_significant``.
    detectable_low, detectable_high : float
        The hazard ratios nearest to 1, below and above, that have the power asked for; missing
        where no ratio has.
    regions : DataFrame
        ``events_1, events_2, estimate, p_value, significant`` of every split; empty unless exact.
    events : int
    share : float
        Of the patients in arm 1.
    n_1, n_2 : float
        Missing if only the share is known.
    """

    table: pd.DataFrame
    detectable_low: float
    detectable_high: float
    regions: pd.DataFrame
    events: int
    share: float
    n_1: float
    n_2: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row a hypothesised hazard ratio (arm 1 against arm 2)."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: events, arms, the detectable hazard ratios."""
        return pd.DataFrame(
            {
                "events": [self.events],
                "n_1": [self.n_1],
                "n_2": [self.n_2],
                "share": [self.share],
                "alpha": [self.options["alpha"]],
                "power": [self.options["power"]],
                "detectable_low": [self.detectable_low],
                "detectable_high": [self.detectable_high],
                "method": [self.options["method"]],
                "test": [self.options["test"]],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text."""
        columns = self.table.to_dict("list")
        return pd.DataFrame(
            {
                "Hazard ratio": [f"{x:g}" for x in columns["hazard_ratio"]],
                "Power": [fmt_percent(x) for x in columns["power"]],
                "Wrong sign if significant (type S)": [fmt_percent(x) for x in columns["type_s"]],
                "Exaggeration if significant (type M)": [
                    fmt_number(x, 1) for x in columns["type_m"]
                ],
                "Median estimate if significant": [
                    fmt_number(x) for x in columns["estimate_significant"]
                ],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the power curve, the detectable ratios and the type M errors."""
        from rnetstats.plots.power import power_curve

        arms = f"{self.share:.0%} of the patients in arm 1"
        if not math.isnan(self.n_1):
            arms = f"{self.n_1:g} : {self.n_2:g} patients"
        return power_curve(
            self.table,
            wanted=self.options["power"],
            detectable=(self.detectable_low, self.detectable_high),
            title=f"{self.events} events, {arms}",
            synthetic=self.synthetic,
            ax=ax,
        )


def detectable_effect(
    data: Data | None = None,
    formula: str | None = None,
    *,
    events: int | None = None,
    allocation: float | tuple[int, int] | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    hazard_ratios: Sequence[float] | None = None,
    method: str = "exact",
    test: str | None = None,
    resamples: int = 10_000,
    seed: int | None = None,
    missing: str = "drop",
) -> DetectableEffectResult:
    """Say which hazard ratios a number of events could have shown, and how wrongly.

    All is computed at *hypothesised* hazard ratios. The estimate of the data is not an argument
    and is never used: power at the observed estimate is P in other words (Hoenig and Heisey 2001).

    Parameters
    ----------
    data : DataFrame or mapping, optional
    formula : str, optional
        ``"Surv(time, event) ~ arm"`` or ``"y ~ arm"``: the events of both arms together and the
        patients of each are counted, not which arm the events were in. Arm 1 is the later level.
    events : int, optional
        Without data: events of both arms together.
    allocation : tuple of int or float, optional
        Without data: the patients of arms 1 and 2, or the share of arm 1.
    alpha : float
        Two-sided level of the test.
    power : float
        That the detectable hazard ratios are to have.
    hazard_ratios : sequence of float, optional
        Hypothesised ratios, arm 1 against arm 2; 0.05 to 20 by default.
    method : {"exact", "simulation", "schoenfeld"}
        Enumeration of how the events can split between the arms; drawing of the events in their
        order, for the log-rank test; or the normal approximation.
    test : str, optional
        For ``"exact"``: ``"fisher"`` (with patients), ``"mid-p"`` (its mid-P version),
        ``"binomial"`` (events given their total; the default with a share) or ``"firth"``
        (penalised likelihood ratio). For ``"simulation"``: ``"logrank"`` (chi-square) or
        ``"logrank-exact"`` (permutation).
    resamples : int
        Draws of ``"simulation"``.
    seed : int, optional
        Drawn and recorded if not given.
    missing : {"drop", "raise"}

    Returns
    -------
    DetectableEffectResult
        Beside the power the chance that a significant estimate has the wrong sign (type S), the
        mean size of its logarithm over the true one's (type M), and the median significant
        estimate. Estimates are Firth's, which are finite.

    Raises
    ------
    OptionError
        If an option is not allowed, or data and counts are mixed.
    DataError
        If there are more events than patients.
    TooFewEventsError
        Without any event.
    BudgetError
        If the events are too many to be enumerated or drawn; ``"schoenfeld"`` takes any number.

    Notes
    -----
    Proportional hazards and the same follow-up in both arms are assumed. With the patients of both
    arms the events of arm 1 have Wallenius' law, whose case of no effect is Fisher's; with a share
    alone they are binomial, which is right for rare events.

    References
    ----------
    Gelman A, Carlin J (2014) Beyond power calculations: assessing type S (sign) and type M
    (magnitude) errors. Perspect Psychol Sci 9:641-651. Hoenig JM, Heisey DM (2001) The abuse of
    power. Am Stat 55:19-24. Schoenfeld DA (1981) Biometrika 68:316-319. Wallenius KT (1963) Biased
    sampling: the non-central hypergeometric probability distribution. Stanford University.

    Examples
    --------
    Twelve recurrences among 181 and 346 patients:

    >>> import rnetstats as rn
    >>> found = rn.detectable_effect(events=12, allocation=(181, 346), hazard_ratios=[0.5, 2, 4])
    >>> round(found.detectable_low, 3), round(found.detectable_high, 2)
    (0.035, 5.26)
    >>> found.to_frame()[["hazard_ratio", "power", "type_s", "type_m"]].round(2)
       hazard_ratio  power  type_s  type_m
    0           0.5   0.06    0.01    3.69
    1           2.0   0.21    0.00    2.13
    2           4.0   0.65    0.00    1.23
    """
    alpha, wanted = level(alpha, "alpha"), level(power, "power")
    if wanted <= alpha:
        raise OptionError(f"power={wanted:g} is no more than alpha={alpha:g}: any effect has it.")
    choice("method", method, METHODS)
    positive_int("resamples", resamples, minimum=_FEWEST_DRAWS)
    ratios = _grid(hazard_ratios)
    synthetic, source = False, ""
    notes: tuple[str, ...] = ()
    if data is not None or formula is not None:
        if data is None or formula is None or events is not None or allocation is not None:
            raise OptionError("Give data with a formula, or events= with allocation=; not both.")
        read = two_arms(data, formula, missing=missing)
        n_events, arms = sum(read.events), Arms(read.sizes[0] / sum(read.sizes), *read.sizes)
        synthetic, notes, source = read.synthetic, read.notes, f" of {read.endpoint}"
        notes += (f"Hazard ratios compare {read.names[0]} (arm 1) with {read.names[1]}.",)
    else:
        n_events, arms = _given(events, allocation)
    if n_events == 0:
        raise TooFewEventsError(
            "Without events no hazard ratio is detectable; no_events() bounds what was missed."
        )
    test = _test(method, test, arms)
    drawn = resolve_seed(seed) if method == "simulation" else None
    errors, ends = _errors(arms, n_events, ratios, alpha, wanted, method, test, resamples, drawn)
    table = pd.DataFrame(
        {
            "hazard_ratio": ratios,
            "power": errors.power,
            "type_s": errors.type_s,
            "type_m": errors.type_m,
            "estimate_significant": errors.estimate,
        }
    )
    return DetectableEffectResult(
        table=table,
        detectable_low=ends[0],
        detectable_high=ends[1],
        regions=_regions(arms, n_events, alpha, method, test),
        events=n_events,
        share=arms.share,
        n_1=math.nan if arms.n_1 is None else arms.n_1,
        n_2=math.nan if arms.n_2 is None else arms.n_2,
        synthetic=synthetic,
        notes=(*notes, *_notes(arms, n_events, ends, wanted, table, method, source)),
        seed=drawn,
        options={
            "formula": formula,
            "alpha": alpha,
            "power": wanted,
            "method": method,
            "test": test,
            "resamples": resamples,
        },
    )


def _grid(hazard_ratios: Sequence[float] | None) -> np.ndarray:
    given = _GRID if hazard_ratios is None else hazard_ratios
    if isinstance(given, (str, Real)) or not len(given):
        raise OptionError("hazard_ratios must be a sequence of positive numbers.")
    return np.array([real("hazard_ratios", v, low=1e-4, high=1e4) for v in given])


def _given(events: int | None, allocation: Any) -> tuple[int, Arms]:
    if events is None or allocation is None:
        raise OptionError(
            "detectable_effect() needs events= and allocation=, or data and a formula."
        )
    events = positive_int("events", events, minimum=0)
    if isinstance(allocation, Real):
        return events, Arms(real("allocation", float(allocation), low=0.0, high=1.0, closed=False))
    if isinstance(allocation, str) or not hasattr(allocation, "__len__") or len(allocation) != 2:
        raise OptionError(
            f"allocation={allocation!r} must be the patients of both arms, as (181, 346), or the "
            "share of arm 1."
        )
    n_1, n_2 = (positive_int("allocation", n) for n in allocation)
    if events > n_1 + n_2:
        raise DataError(f"There cannot be more events ({events}) than patients ({n_1 + n_2}).")
    return events, Arms(n_1 / (n_1 + n_2), n_1, n_2)


def _test(method: str, test: str | None, arms: Arms) -> str:
    """Return the test, checked against the method and what is known of the arms."""
    if method == "schoenfeld":
        if test not in (None, "wald"):
            raise OptionError("method='schoenfeld' has a test of its own: leave test= out.")
        return "wald"
    if method == "simulation":
        return str(choice("test", test or "logrank", SEQUENCE_TESTS))
    if test is None:
        return "fisher" if arms.sized else "binomial"
    choice("test", test, TESTS)
    if test in ("fisher", "mid-p") and not arms.sized:
        raise OptionError(
            f"test={test!r} needs the patients of both arms: allocation=(n_1, n_2), or 'binomial'."
        )
    return test


def _errors(
    arms: Arms,
    events: int,
    ratios: np.ndarray,
    alpha: float,
    wanted: float,
    method: str,
    test: str,
    resamples: int,
    seed: int | None,
) -> tuple[Errors, tuple[float, float]]:
    """Return power and errors on the grid, and the detectable ratios."""
    if method == "schoenfeld":
        of = partial(schoenfeld_power, arms, events, alpha=alpha)
        return of(ratios), detectable(lambda r: of(r).power, wanted)
    if method == "simulation":
        if resamples * events > _MOST_DRAWS:
            raise BudgetError(
                f"{resamples} draws of {events} events are more than {_MOST_DRAWS:,} numbers; take "
                "fewer resamples, or method='schoenfeld', which is good with so many events."
            )
        assert seed is not None
        drawn = Sequences(arms, events, alpha=alpha, test=test, draws=resamples, seed=seed)
        return drawn.errors(ratios), detectable(drawn.power, wanted, **_BY_DRAWS)
    if events > _MOST_EVENTS:
        raise BudgetError(
            f"The splits of {events} events are not enumerated (up to {_MOST_EVENTS} are); use "
            "method='schoenfeld', which is good with so many."
        )
    enumerate_ = partial(exact_power, arms, events, alpha=alpha, test=test)
    return enumerate_(ratios), detectable(lambda r: enumerate_(r).power, wanted)


def _regions(arms: Arms, events: int, alpha: float, method: str, test: str) -> pd.DataFrame:
    columns = ["events_1", "events_2", "estimate", "p_value", "significant"]
    if method != "exact":
        return pd.DataFrame(columns=columns)
    a, p = np.arange(events + 1), split_p_values(arms, events, test)
    estimate = np.exp(log_hazard_ratios(arms, events))
    frame = pd.DataFrame(dict(zip(columns, (a, events - a, estimate, p, p < alpha), strict=True)))
    return frame[np.isfinite(p)].reset_index(drop=True)


def _notes(
    arms: Arms,
    events: int,
    ends: tuple[float, float],
    wanted: float,
    table: pd.DataFrame,
    method: str,
    source: str,
) -> list[str]:
    low, high = ("none" if math.isnan(end) else f"{end:.3g}" for end in ends)
    notes = [
        f"{events} events{source} show with {100 * wanted:g} % power a hazard ratio of {high} or "
        f"more, or of {low} or less.",
        "Everything is computed at hypothesised hazard ratios: power at the observed estimate "
        "would be its P value in other words.",
        "Proportional hazards and the same follow-up in both arms are assumed.",
    ]
    for name, end in zip(("below", "above"), ends, strict=True):
        if math.isnan(end):
            notes.append(
                f"No hazard ratio {name} 1, however extreme, has {100 * wanted:g} % power: it is "
                "missing."
            )
    if (table["hazard_ratio"] == 1.0).any():
        notes.append("At a hazard ratio of 1 the power is the level, and type S and M are missing.")
    if (table["power"] == 0.0).any():
        notes.append("Where no result can be significant, type S, type M and estimate are missing.")
    if method == "exact" and arms.sized and events > _RARE * arms.n:
        notes.append(
            "More than a tenth of the patients have the event: estimates from the split alone are "
            "drawn towards 1; method='simulation' takes the order of the events into account."
        )
    return notes
