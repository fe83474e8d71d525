"""Probabilistic bias analysis: what a misclassified exposure or outcome does to an estimate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data
from rnetstats._core.options import choice, level, positive_int, real
from rnetstats._core.random import resolve_seed
from rnetstats.errors import DataError, OptionError, TooFewEventsError
from rnetstats.formatting import fmt_percent
from rnetstats.tables.counts import count_table
from rnetstats.tables.exact_table import exact_table
from rnetstats.tables.exact_two_by_two import ExactTableResult
from rnetstats.tables.two_proportions import miettinen_nurminen_limits
from rnetstats.treatment.bias_draws import BiasModel, Drawn, draw_counts
from rnetstats.treatment.bias_matrix import Cells, measure_of
from rnetstats.treatment.bias_priors import read_priors
from rnetstats.treatment.bias_records import cells_of, draw_records
from rnetstats.treatment.bias_result import BIAS_NAMES, BiasAnalysisResult
from rnetstats.treatment.bias_summary import histogram_of, parameter_frame, summary_row
from rnetstats.treatment.margin_hazard import profile_hazard
from rnetstats.treatment.two_arms import FEW_EVENTS, TwoArms, two_arms

__all__ = ["BiasAnalysisResult", "bias_analysis"]

_DRAWS = {"counts": 100_000, "records": 1_000}
_STATUS = ("event", "no event")


@dataclass(frozen=True)
class _Observed:
    """The table as observed, and the patients where times are analysed."""

    cells: Cells
    names: tuple[str, str]
    label: str
    endpoint: str
    synthetic: bool
    notes: tuple[str, ...]
    arms: TwoArms | None = None


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
    DataError
        If there are not two groups, or the counts are no 2x2 table.
    TooFewEventsError
        If nobody has the event.

    Notes
    -----
    A draw gives a sensitivity and a specificity; the matrix method gives the true table, ``A = (a -
    n (1 - Sp)) / (Se + Sp - 1)``. Draws with a negative cell are impossible: they are left out and
    counted. Total error draws the observed shares too (posterior under Jeffreys' prior), so that it
    has the variance that misclassified data leave. Times: each draw reclassifies each patient by
    the predictive values and fits the Cox model anew (Firth), total error adding a normal error;
    a missed event is dated at the end of the patient's follow-up. With fewer than 5 events in an
    arm a ratio has no total interval.

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
    level(conf_level)
    observed = _observed(data, formula, exposed, freq_weights, missing)
    measure = _measure(measure, observed)
    groups = _STATUS if misclassified == "exposure" else observed.names
    model = BiasModel(
        misclassified=misclassified,
        groups=groups,
        sensitivity=read_priors("sensitivity", sensitivity, groups),
        specificity=read_priors("specificity", specificity, groups),
        correlation=real("correlation", correlation, low=-1.0, high=1.0),
    )
    size = positive_int("draws", _default(observed) if draws is None else draws, minimum=100)
    drawn_seed = resolve_seed(seed)
    few = min(observed.cells.exposed_events, observed.cells.unexposed_events) < FEW_EVENTS
    withheld = bool(few and measure != "risk difference")
    drawn = _draw(observed, model, measure, size, drawn_seed, withheld)
    _check_possible(drawn, observed, model)
    return _result(
        observed,
        model,
        measure,
        drawn,
        withheld=withheld,
        conf_level=conf_level,
        seed=drawn_seed,
        options={"formula": formula, "missing": missing},
    )


def _observed(
    data: Any, formula: str | None, exposed: Any, freq_weights: Any, missing: str
) -> _Observed:
    """Read counts, or a cohort with a formula."""
    if formula is not None:
        arms = two_arms(data, formula, new=exposed, freq_weights=freq_weights, missing=missing)
        found = _Observed(
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
        found = _Observed(
            Cells(a, b, c, d), names, f"{names[0]} against {names[1]}", table.columns[0], False, ()
        )
    if found.cells.exposed_events + found.cells.unexposed_events == 0:
        raise TooFewEventsError(
            f"Nobody has the event {found.endpoint!r}: there is no estimate to correct."
        )
    return found


def _measure(measure: str | None, observed: _Observed) -> str:
    if observed.arms is not None:
        if measure not in (None, "hr"):
            raise OptionError(
                f"Times have the hazard ratio: leave measure={measure!r} out, or give a binary "
                "outcome on the left side."
            )
        return "hr"
    return str(choice("measure", "or" if measure is None else measure, tuple(BIAS_NAMES)[:3]))


def _default(observed: _Observed) -> int:
    return _DRAWS["counts" if observed.arms is None else "records"]


def _draw(
    observed: _Observed, model: BiasModel, measure: str, draws: int, seed: int, withheld: bool
) -> Drawn:
    if observed.arms is not None:
        return draw_records(observed.arms, model, draws, seed, random_error=not withheld)
    return draw_counts(observed.cells, model, measure, draws, seed)


def _check_possible(drawn: Drawn, observed: _Observed, model: BiasModel) -> None:
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


def _conventional(observed: _Observed, measure: str, conf_level: float) -> dict[str, Any]:
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


def _result(
    observed: _Observed,
    model: BiasModel,
    measure: str,
    drawn: Drawn,
    *,
    withheld: bool,
    conf_level: float,
    seed: int,
    options: dict[str, Any],
) -> BiasAnalysisResult:
    rows = [_conventional(observed, measure, conf_level)]
    for name, values in (("systematic error", drawn.systematic), ("total error", drawn.total)):
        known = values[~np.isnan(values)]
        hidden = withheld and name == "total error"
        points = (0.5, (1.0 - conf_level) / 2.0, (1.0 + conf_level) / 2.0)
        found = [math.nan] * 3
        if known.size and not hidden:  # order statistics: an infinite draw is no reason for a NaN
            found = [float(v) for v in np.quantile(known, points, method="inverted_cdf")]
        size = 0 if hidden else int(known.size)
        rows.append(summary_row(measure, name, tuple(found), size, "percentiles of the draws"))
    total = np.full(drawn.total.shape, np.nan) if withheld else drawn.total
    a, b, c, d = observed.cells
    undefined = int((drawn.possible & np.isnan(drawn.systematic)).sum())
    return BiasAnalysisResult(
        summary=pd.DataFrame(rows),
        parameters=parameter_frame(model, drawn),
        cells=pd.DataFrame({"group": observed.names, "n_events": [a, c], "n_others": [b, d]}),
        histogram=histogram_of(drawn.systematic, total, ratio=measure != "risk difference"),
        draws=len(drawn.possible),
        impossible=int((~drawn.possible).sum()),
        impossible_total=int((~drawn.possible_total).sum()),
        undefined=undefined,
        measure=measure,
        misclassified=model.misclassified,
        label=observed.label,
        endpoint=observed.endpoint,
        values=pd.DataFrame(
            {
                "sensitivity_1": drawn.by.sensitivity[0],
                "sensitivity_2": drawn.by.sensitivity[1],
                "specificity_1": drawn.by.specificity[0],
                "specificity_2": drawn.by.specificity[1],
                "systematic": drawn.systematic,
                "total": total,
            }
        ),
        synthetic=observed.synthetic,
        seed=seed,
        notes=_notes(observed, model, drawn, measure, undefined, withheld=withheld),
        options={
            **options,
            "misclassified": model.misclassified,
            "measure": measure,
            "correlation": model.correlation,
            "draws": len(drawn.possible),
            "conf_level": conf_level,
        },
    )


def _notes(
    observed: _Observed,
    model: BiasModel,
    drawn: Drawn,
    measure: str,
    undefined: int,
    *,
    withheld: bool,
) -> tuple[str, ...]:
    a, b, c, d = observed.cells
    notes = [
        *observed.notes,
        f"Recorded: {a:g} of {a + b:g} {observed.names[0]!r} (exposed) and {c:g} of {c + d:g} "
        f"{observed.names[1]!r} have the event ({observed.endpoint}).",
    ]
    draws = len(drawn.possible)
    for name, possible in (("systematic", drawn.possible), ("total", drawn.possible_total)):
        lost = int((~possible).sum())
        if lost and not (withheld and name == "total"):
            notes.append(
                f"{lost:,} of {draws:,} draws ({fmt_percent(lost / draws)}) are impossible under "
                f"{name} error (a negative cell, or a classification no better than chance) and "
                "left out: the priors are in effect those of `parameters`, column mean_kept."
            )
    if undefined:
        notes.append(f"In {undefined:,} draws the {BIAS_NAMES[measure]} is not defined.")
    if np.isinf(drawn.systematic).any():
        notes.append(f"Some draws leave an empty cell: their {BIAS_NAMES[measure]} is infinite.")
    if withheld:
        notes.append(
            f"An arm has fewer than {FEW_EVENTS} events: the {BIAS_NAMES[measure]} has no interval "
            "of total error. Ask for measure='risk difference' on a binary outcome."
        )
    if observed.arms is not None:
        what = (
            "exposure is drawn from what was recorded of exposure and event, not of time"
            if model.misclassified == "exposure"
            else "a missed event is dated at the end of the patient's follow-up, a false one is "
            "taken for the end of follow-up"
        )
        notes.append(f"Each draw reclassifies the patients: {what}.")
    notes.append(
        "The intervals are as good as the priors: confounding and selection are not in them."
    )
    return tuple(notes)
