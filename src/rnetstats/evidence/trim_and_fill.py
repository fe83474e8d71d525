"""Trim-and-fill: how a pooled effect would change if a funnel were made symmetric."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.distributions import normal_quantile
from rnetstats._core.frame import is_synthetic_data
from rnetstats._core.options import choice
from rnetstats.errors import DataError
from rnetstats.evidence.meta_empty import NO_LIMITS, arms_of
from rnetstats.evidence.meta_measures import MEASURES
from rnetstats.evidence.meta_options import PoolOptions, pool_options
from rnetstats.evidence.meta_pooling import Pools, pool_sets
from rnetstats.evidence.study_effects import StudyEffects, how_many, study_effects
from rnetstats.evidence.trim_and_fill_result import TrimAndFillResult
from rnetstats.evidence.trimming import ESTIMATORS, Trimmed, trim
from rnetstats.kernels.meta_pool import inverse_variance
from rnetstats.kernels.meta_tau2 import tau_squared

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["TrimAndFillResult", "trim_and_fill"]

Floats: TypeAlias = NDArray[np.float64]

MEANING = (
    "A sensitivity analysis, not an estimate: it assumes that the funnel is symmetric and lopsided "
    "only because studies with the most extreme effects on one side are missing. Differences "
    "between small and large studies of any other origin are filled in just the same."
)
_FEW = 10
_SPREAD = 1e-6


def trim_and_fill(
    studies: pd.DataFrame,
    *,
    measure: str = "generic",
    coef: str | ArrayLike = "coef",
    std_error: str | ArrayLike = "std_error",
    estimator: str = "L0",
    side: str | None = None,
    tau2: str | float = "REML",
    ci: str = "hartung-knapp",
    conf_level: float = 0.95,
    synthetic: bool = False,
) -> TrimAndFillResult:
    """Estimate how many studies a symmetric funnel lacks, fill them in, and pool again.

    Parameters
    ----------
    studies : DataFrame
        One row a study, e.g. ``to_frame()`` of :func:`rnetstats.meta_analysis`; ``study`` and
        ``used`` are read where they are.
    measure : str
        What the effects are, e.g. ``"OR"``.
    coef, std_error : str or array-like
        Effects and standard errors on the scale of analysis (logarithms of ratios).
    estimator : {"L0", "R0", "Q0"}
        Of the number of missing studies.
    side : {"left", "right"}, optional
        Where studies are missing. By default opposite to where the smaller studies lie, by the
        slope of a random-effects regression on the standard error: right if it is below 0.
    tau2, ci, conf_level
        How effects are pooled, in trimming and at the end: see :func:`rnetstats.meta_analysis`.
    synthetic : bool
        Mark figures as drawn from synthetic data.

    Returns
    -------
    TrimAndFillResult

    Raises
    ------
    ColumnError
        If a column is missing or holds no numbers.
    DataError
        If there are fewer than 3 studies, or their standard errors do not differ and no side is
        given.
    OptionError
        If an option is not allowed.
    ConvergenceError
        If the number of missing studies does not settle.

    Notes
    -----
    The most extreme effects of one side are taken away until ranks are symmetric about what is
    pooled of the rest; then their mirror images are added. With S the sum of the ranks of the
    distances from the centre over the studies beyond it, and k studies: L0 = (4S - k(k + 1)) / (2k
    - 1); Q0 = k - 1/2 - sqrt(2k^2 - 4S + 1/4); R0 is the length of the run of the largest ranks
    beyond the centre, less 1. L0 and R0 are the ones advised.

    References
    ----------
    Duval S, Tweedie R (2000) A nonparametric "trim and fill" method of accounting for publication
    bias in meta-analysis. J Am Stat Assoc 95:89-98. Duval S, Tweedie R (2000) Trim and fill: a
    simple funnel-plot-based method of testing and adjusting for publication bias in meta-analysis.
    Biometrics 56:455-463. Peters JL et al (2007) Performance of the trim and fill method in the
    presence of publication bias and between-study heterogeneity. Stat Med 26:4544-4562.

    Examples
    --------
    >>> import pandas as pd
    >>> from rnetstats.evidence.trim_and_fill import trim_and_fill
    >>> studies = pd.DataFrame({"coef": [0.1, 0.3, 0.2, 0.6, 0.5, 0.9, 0.4, 0.8, 1.1, 0.7]})
    >>> studies["std_error"] = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55]
    >>> found = trim_and_fill(studies)
    >>> found.glance()[["k", "filled", "side", "estimate_observed", "estimate_filled"]].round(3)
        k  filled  side  estimate_observed  estimate_filled
    0  10       5  left              0.399            0.228
    """
    choice("estimator", estimator, ESTIMATORS)
    choice("side", side, ("left", "right", None))
    how = pool_options(tau2, ci, None, conf_level)
    effects = study_effects(studies, coef, std_error)
    if effects.k < 3:
        raise DataError(
            f"Trim-and-fill takes at least 3 studies; {how_many(effects.k)} with an effect."
        )
    chosen = side or _side(effects, how)
    sign = -1.0 if chosen == "right" else 1.0
    order = np.argsort(sign * effects.coef, kind="stable")
    y, v = sign * effects.coef[order], np.square(effects.std_error[order])
    found = trim(y, v, how, estimator)
    last = order[len(order) - found.count :]
    mirrored = sign * (2.0 * found.centre - sign * effects.coef[last])
    table = _table(effects, last, mirrored, measure, how)
    observed, filled = (
        pool_sets(part["coef"].to_numpy(), np.square(part["std_error"].to_numpy()), how)
        for part in (table[~table["filled"]], table)
    )
    notes = _notes(effects, found, side)
    arms = arms_of(effects.studies)
    if arms is not None and arms.empty()[0]:
        observed, filled = (p.without_limits(np.array([True])) for p in (observed, filled))
        notes = (*notes, NO_LIMITS)
    return TrimAndFillResult(
        measure=measure,
        studies=table,
        pooled=_pooled(observed, filled, measure),
        filled=found.count,
        filled_std_error=found.error,
        side=chosen,
        rounds=found.rounds,
        notes=notes,
        options={"measure": measure, "estimator": estimator, "side": side, **how.as_dict()},
        synthetic=synthetic or is_synthetic_data(studies),
    )


def _side(effects: StudyEffects, how: PoolOptions) -> str:
    """The side on which studies seem to be missing."""
    error = effects.std_error
    if np.ptp(error) <= _SPREAD * error.max():
        raise DataError(
            "The studies' standard errors do not differ: nothing shows on which side studies are "
            "missing. Give side='left' or side='right'."
        )
    x, v = np.column_stack([np.ones(effects.k), error]), np.square(error)
    between = tau_squared(effects.coef, v, how.tau2, x=x) if isinstance(how.tau2, str) else how.tau2
    slope = inverse_variance(effects.coef, v, between, x=x).coef[1]
    return "right" if slope < 0.0 else "left"


def _table(
    effects: StudyEffects, last: NDArray[np.intp], mirrored: Floats, measure: str, how: PoolOptions
) -> pd.DataFrame:
    """The studies, and the mirror images of the trimmed ones below them."""
    names = effects.studies["study"].tolist()
    coef = np.concatenate([effects.coef, mirrored])
    error = np.concatenate([effects.std_error, effects.std_error[last]])
    half = normal_quantile(how.conf_level) * error
    ends = {"estimate": coef, "conf_low": coef - half, "conf_high": coef + half}
    known = MEASURES.get(measure)
    return pd.DataFrame(
        {
            "study": names + [f"Filled: {names[i]}" for i in last],
            **{name: known.back(value) if known else value for name, value in ends.items()},
            "coef": coef,
            "std_error": error,
            "filled": np.arange(len(coef)) >= effects.k,
        }
    )


def _pooled(observed: Pools, filled: Pools, measure: str) -> pd.DataFrame:
    """The studies as they are, then with the filled ones."""
    known = MEASURES.get(measure)
    rows = []
    for model, pools in (("as observed", observed), ("with filled studies", filled)):
        ends = {
            "estimate": float(pools.coef[0]),
            "conf_low": float(pools.limits.low[0]),
            "conf_high": float(pools.limits.high[0]),
        }
        rows.append(
            {
                "model": model,
                "k": int(pools.k[0]),
                **{name: float(known.back(x)) if known else x for name, x in ends.items()},
                "coef": float(pools.coef[0]),
                "std_error": float(pools.limits.std_error[0]),
                "p_value": float(pools.limits.p_value[0]),
                **{name: float(pools.spread[name][0]) for name in ("tau2", "q", "i2")},
            }
        )
    return pd.DataFrame(rows)


def _notes(effects: StudyEffects, found: Trimmed, side: str | None) -> tuple[str, ...]:
    notes = [MEANING]
    if effects.left_out:
        some = how_many(effects.left_out)
        verb = "is" if effects.left_out == 1 else "are"
        notes.append(f"{some} without an effect, or not used, {verb} left out.")
    if effects.k < _FEW:
        notes.append(
            f"With {how_many(effects.k)} the number of missing ones is hardly known, and neither "
            "is the side."
        )
    if found.cycled:
        notes.append("The number of missing studies went in a circle; the largest was taken.")
    if math.isnan(found.error):
        notes.append("The number of missing studies has no standard error: nearly all are missing.")
    if found.count:
        notes.append(
            f"The limits with {how_many(found.count, 'filled')} take what was filled in for "
            "observed: they are too narrow."
        )
    else:
        notes.append("No study is filled in: both lines are the same.")
    if side is None:
        notes.append(
            "The side was chosen on the data, by the slope of the effects on their standard errors."
        )
    return tuple(notes)
