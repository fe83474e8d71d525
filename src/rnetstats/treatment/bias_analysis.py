"""Probabilistic bias analysis: what a misclassified exposure or outcome does to an estimate."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnetstats._core.frame import Data
from rnetstats._core.options import choice, draw_count, effect_measure, level, real
from rnetstats._core.random import resolve_seed
from rnetstats.errors import OptionError
from rnetstats.formatting import fmt_percent
from rnetstats.treatment.bias_answer import bias_answer
from rnetstats.treatment.bias_draws import BiasModel, Drawn, draw_counts
from rnetstats.treatment.bias_observed import Observed, read_observed
from rnetstats.treatment.bias_priors import read_priors
from rnetstats.treatment.bias_records import draw_records
from rnetstats.treatment.bias_result import BIAS_NAMES, BiasAnalysisResult
from rnetstats.treatment.two_arms import FEW_EVENTS

__all__ = ["BiasAnalysisResult", "bias_analysis"]

_DRAWS = {"counts": 100_000, "records": 1_000}
_STATUS = ("event", "no event")


def bias_analysis(
    data: Data | Any,
    formula: str | None = None,
    *,
    misclassified: str | None = None,
    sensitivity: Any = 1.0,
    specificity: Any = 1.0,
    correlation: float = 0.8,
    measure: str | None = None,
    exposed: Any = None,
    draws: int | None = None,
    seed: int | None = None,
    conf_level: float = 0.95,
    freq_weights: Any = None,
    missing: str = "drop",
) -> BiasAnalysisResult:
    """Correct an estimate for a misclassified exposure or outcome, with all that is not known.

    Parameters
    ----------
    data : 2x2 counts, or a cohort with ``formula``
        Counts: exposed first, the event first.
    formula : str, optional
        ``"outcome ~ exposure"`` with a binary outcome, or ``"Surv(time, event) ~ exposure"``; two
        groups.
    misclassified : {"exposure", "outcome"}
        Required: what was recorded with error.
    sensitivity, specificity : prior, or mapping of group to prior
        Of the record of what is misclassified. A prior is a number, ``(low, high)`` for uniform,
        ``("trapezoidal", low, first, last, high)`` or ``("beta", a, b)``. A mapping makes it
        differential: the keys are ``"event"`` and ``"no event"`` for a misclassified exposure, the
        two groups' names for a misclassified outcome.
    correlation : float
        Between the two groups' values of a differential prior (of their normal scores).
    measure : {"or", "rr", "risk difference", "hr"}
        The odds ratio by default; times have the hazard ratio.
    exposed : level, optional
        The exposed group; by default the one that is not the first level.
    draws : int, optional
        100,000 by default; 1,000 where times are analysed.
    seed : int, optional
    conf_level : float
        Share of the draws that an interval holds.
    freq_weights : str or array of shape (n,), optional
    missing : {"drop", "raise"}

    Returns
    -------
    BiasAnalysisResult

    Raises
    ------
    OptionError
        If a prior leaves [0, 1], the groups of a mapping are wrong, or every draw is impossible.
    FormulaError, ColumnError, DataError
        If the formula or the data cannot be used: there are not two groups, or the counts are no
        2x2 table.
    TooFewEventsError
        If nobody has the event.

    Notes
    -----
    A draw gives a sensitivity and a specificity; the matrix method gives the true table, ``A = (a -
    n (1 - Sp)) / (Se + Sp - 1)``. Draws with a negative cell are impossible: they are left out and
    counted. Total error draws the observed shares too (posterior under Jeffreys' prior), so that it
    has the variance that misclassified data leave. Times: each draw reclassifies each patient by
    the predictive values and fits the Cox model anew (Firth), total error drawing the observed
    shares as above and adding a normal error; a missed event is dated at the end of the patient's
    follow-up. With fewer than 5 events in an arm a ratio has no total interval.

    References
    ----------
    Lash TL, Fox MP, Fink AK (2009). Applying Quantitative Bias Analysis to Epidemiologic Data.
    Springer. Lash TL et al. (2014). Good practices for quantitative bias analysis. Int J Epidemiol
    43:1969-1985. MacLehose RF, Gustafson P (2012). Epidemiology 23:151-158.

    Examples
    --------
    Sensitivity 0.78 and specificity 0.99 for all (no prior uncertainty):

    >>> import rnetstats as rn
    >>> found = rn.bias_analysis(
    ...     [[215, 1449], [668, 4296]], misclassified="exposure",
    ...     sensitivity=0.78, specificity=0.99, draws=1000, seed=1,
    ... )
    >>> found.to_frame()[["analysis", "estimate"]].round(3).head(2)
               analysis  estimate
    0      conventional     0.954
    1  systematic error     0.948
    """
    if misclassified is None:
        raise OptionError(
            "Say what was recorded with error: misclassified='exposure' (a margin called positive "
            "when it is only indeterminate) or 'outcome' (a recurrence that was missed)."
        )
    choice("misclassified", misclassified, ("exposure", "outcome"))
    conf_level = level(conf_level)
    observed = read_observed(data, formula, exposed, freq_weights, missing)
    measure = _measure(measure, observed)
    groups = _STATUS if misclassified == "exposure" else observed.names
    model = BiasModel(
        misclassified=misclassified,
        groups=groups,
        sensitivity=read_priors("sensitivity", sensitivity, groups),
        specificity=read_priors("specificity", specificity, groups),
        correlation=real("correlation", correlation, low=-1.0, high=1.0),
    )
    size = draw_count("draws", _default(observed) if draws is None else draws, minimum=100)
    drawn_seed = resolve_seed(seed)
    few = min(observed.cells.exposed_events, observed.cells.unexposed_events) < FEW_EVENTS
    withheld = bool(few and measure != "risk difference")
    drawn = _draw(observed, model, measure, size, drawn_seed, withheld)
    _check_possible(drawn, observed, model)
    return bias_answer(
        observed,
        model,
        measure,
        drawn,
        withheld=withheld,
        conf_level=conf_level,
        seed=drawn_seed,
        options={"formula": formula, "missing": missing},
    )


def _measure(measure: str | None, observed: Observed) -> str:
    if observed.arms is not None:
        if measure is not None and effect_measure(measure, tuple(BIAS_NAMES)) != "hr":
            raise OptionError(
                f"Times have the hazard ratio: leave measure={measure!r} out, or give a binary "
                "outcome on the left side."
            )
        return "hr"
    return effect_measure("or" if measure is None else measure, tuple(BIAS_NAMES)[:3])


def _default(observed: Observed) -> int:
    return _DRAWS["counts" if observed.arms is None else "records"]


def _draw(
    observed: Observed, model: BiasModel, measure: str, draws: int, seed: int, withheld: bool
) -> Drawn:
    if observed.arms is not None:
        return draw_records(observed.arms, model, draws, seed, random_error=not withheld)
    return draw_counts(observed.cells, model, measure, draws, seed)


def _check_possible(drawn: Drawn, observed: Observed, model: BiasModel) -> None:
    """Refuse when no draw is possible, and say which specificity would be."""
    if drawn.possible.any() and np.isfinite(drawn.systematic).any():
        return
    a, b, c, d = observed.cells
    pairs = (
        ((a, a + c), (b, b + d)) if model.misclassified == "exposure" else ((a, a + b), (c, c + d))
    )
    shares = [
        f"{fmt_percent(float(x / n))} of {group!r}" if n else f"nobody of {group!r}"
        for (x, n), group in zip(pairs, model.groups, strict=True)
    ]
    raise OptionError(
        f"No draw is possible. Recorded as positive are {shares[0]} and {shares[1]}: false "
        "positives alone (1 - specificity) must be fewer, and sensitivity above each share."
    )
