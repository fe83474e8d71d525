"""What a number of events could have shown: detectable hazard ratios, errors of sign and size."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from rnetstats._core.frame import Data
from rnetstats._core.options import choice, draw_count, level
from rnetstats._core.random import resolve_seed
from rnetstats.errors import OptionError, TooFewEventsError
from rnetstats.treatment.detectable_options import METHODS, read_counts, read_grid, read_test
from rnetstats.treatment.detectable_power import errors_and_ends, split_regions
from rnetstats.treatment.detectable_result import DetectableEffectResult
from rnetstats.treatment.split_laws import Arms
from rnetstats.treatment.two_arms import two_arms

__all__ = ["DetectableEffectResult", "detectable_effect"]

_FEWEST_DRAWS = 100
_RARE = 0.1
_UNBIASED = 0.995  # type M that is shown as 1.0 or more is none of shrinkage


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
        For ``"exact"``: ``"fisher"`` (with patients; all splits that are no more likely),
        ``"mid-p"`` (twice the smaller tail, with half the split's own probability),
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
        estimate. Estimates are Firth's, which are finite; they shrink towards 1, so that at a very
        strong true ratio type M may fall below 1, which a note then says.

    Raises
    ------
    OptionError
        If an option is not allowed, or data and counts are mixed.
    FormulaError, ColumnError, DataError
        If the formula or the data cannot be used; if there are more events than patients.
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
    resamples = draw_count("resamples", resamples, minimum=_FEWEST_DRAWS)
    ratios = read_grid(hazard_ratios)
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
        n_events, arms = read_counts(events, allocation)
    if n_events == 0:
        raise TooFewEventsError(
            "Without events no hazard ratio is detectable; no_events() bounds what was missed."
        )
    test = read_test(method, test, arms)
    drawn = resolve_seed(seed) if method == "simulation" else None
    errors, ends = errors_and_ends(
        arms, n_events, ratios, alpha, wanted, method, test, resamples, drawn
    )
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
        regions=split_regions(arms, n_events, alpha, method, test),
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


def _notes(
    arms: Arms,
    events: int,
    ends: tuple[float, float],
    wanted: float,
    table: pd.DataFrame,
    method: str,
    source: str,
) -> list[str]:
    notes = [
        _shown(events, source, ends, wanted),
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
    shrunken = table[table["type_m"] < _UNBIASED]
    if len(shrunken):
        ratios = ", ".join(f"{ratio:g}" for ratio in shrunken["hazard_ratio"])
        notes.append(
            f"Type M is below 1 at {'hazard ratios' if len(shrunken) > 1 else 'a hazard ratio'} of "
            f"{ratios}: so strong a ratio leaves hardly an "
            "event in one arm, and Firth's estimate, which stays finite, is drawn towards 1."
        )
    if method == "exact" and arms.sized and events > _RARE * arms.n:
        notes.append(
            "More than a tenth of the patients have the event: estimates from the split alone are "
            "drawn towards 1; method='simulation' takes the order of the events into account."
        )
    return notes


def _shown(events: int, source: str, ends: tuple[float, float], wanted: float) -> str:
    """Say which hazard ratios the events show."""
    low, high = ends
    bounds = [] if math.isnan(high) else [f"of {high:.3g} or more"]
    bounds += [] if math.isnan(low) else [f"of {low:.3g} or less"]
    ratios = f"a hazard ratio {', or '.join(bounds)}" if bounds else "no hazard ratio"
    verb = "event{} shows" if events == 1 else "events{} show"
    return f"{events} {verb.format(source)} with {100 * wanted:g} % power {ratios}."
