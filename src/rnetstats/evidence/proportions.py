"""Meta-analysis of proportions from single series."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, is_synthetic_data
from rnetstats._core.options import choice, positive_int, real
from rnetstats.errors import OptionError
from rnetstats.evidence.meta_options import pool_options
from rnetstats.evidence.proportions_columns import SeriesTable, read_series
from rnetstats.evidence.proportions_glmm import LARGEST_TAU2
from rnetstats.evidence.proportions_groups import pool_groups
from rnetstats.evidence.proportions_pooling import (
    GLMM,
    ProportionOptions,
    SeriesPool,
    exact_row,
    pool_series,
)
from rnetstats.evidence.proportions_result import MetaProportionsResult
from rnetstats.evidence.proportions_transforms import SIZES, TRANSFORMS
from rnetstats.tables.proportion_limits import clopper_pearson_limits

__all__ = ["MetaProportionsResult", "meta_proportions"]

_MOST_POINTS = 100


def meta_proportions(
    data: Data,
    *,
    transform: str = GLMM,
    tau2: str | float = "REML",
    ci: str = "hartung-knapp",
    prediction: str | None = "hts",
    columns: Mapping[str, str] | None = None,
    correction: float = 0.5,
    back_n: str = "harmonic",
    points: int | None = None,
    by: str | None = None,
    conf_level: float = 0.95,
    missing: str = "drop",
) -> MetaProportionsResult:
    """Pool the proportions of series of patients, one row a series.

    Parameters
    ----------
    data : DataFrame or mapping
        Columns ``study, events, n``.
    transform : {"glmm", "logit", "arcsine", "freeman-tukey", "raw", "log"}
        The scale of pooling. ``"glmm"``, the default, is the logistic model with a normal random
        intercept, fitted to the counts themselves: rare events need no correction, and no
        variance is taken as known (Lin & Chu 2020). The others pool transformed proportions by
        inverse variance. Freeman and Tukey's double arcsine is there for comparison alone: its
        way back can mislead (Schwarzer et al. 2019).
    tau2 : {"REML", "DL", "PM", "ML", "SJ", "EB", "HE", "HS"} or float
        Estimator of the variance between series; a number holds it fixed, 0 for a common effect.
        The model is fitted by maximum likelihood under "REML" and "ML" and takes no other.
    ci : {"hartung-knapp", "hartung-knapp-adhoc", "hartung-knapp-wider", "wald"}
        As in :func:`rnetstats.meta_analysis`. The model has one standard error: all but
        ``"wald"`` take t(k-1) with it.
    prediction : {"hts", "t(k-1)", "hk", "normal", None}
        Limits of the proportion in a new population. None below three series.
    columns : mapping, optional
        What the columns are called, e.g. ``{"events": "recurrences"}``.
    correction : float
        Added to events and non-events of series that lack either, with logits, logs and raw
        proportions; 0 leaves those series out.
    back_n : {"harmonic", "barendregt", "inverse-variance"}
        The size at which Freeman and Tukey's transformation is undone (Miller 1978): the harmonic
        mean of the sizes, which Schwarzer et al. (2019) warn of; 1/variance of the pooled *sum* of
        the two arcsines (Barendregt et al. 2013), which with a common effect is half a patient a
        series more than all patients, and fewer with variation between series; or 1/se^2 of
        ``std_error`` as it stands, that of their *mean*, as some programs do: four times as many.
    points : int, optional
        Of adaptive Gauss-Hermite quadrature, for comparison with other programs; 1 is Laplace's
        approximation. By default the model's integrals are exact to rounding.
    by : str, optional
        A column of groups, each pooled by itself, with a test of their difference: a likelihood
        ratio with one variance for the model, else chi-square of the groups' estimates.
    conf_level : float
    missing : {"drop", "raise"}
        What to do with series that lack a count.

    Returns
    -------
    MetaProportionsResult

    Raises
    ------
    ColumnError
        If a column is absent, holds no numbers, or puts all series into one group.
    DataError
        If a count cannot be: more events than patients, a fraction, none of a series' patients.
    OptionError
        If an option is not allowed.
    TooFewEventsError
        If without correction no series can be used.
    ConvergenceError
        If the model has no maximum at a finite variance.

    Notes
    -----
    The series' own limits are exact (Clopper and Pearson). One series alone keeps them; where no
    series has an event (or none a non-event) the pooled limits are the exact ones of the sums. A
    pooled proportion is that of a typical series, a median on the scale of analysis: the mean over
    all patients is nearer to the crude one, shown beside.

    References
    ----------
    Stijnen T, Hamza TH, Ozdemir P (2010) Random effects meta-analysis of event outcome in the
    framework of the generalized linear mixed model with applications in sparse data. Stat Med
    29:3046-3067. Schwarzer G, Chemaitelly H, Abu-Raddad LJ, Rücker G (2019) Seriously misleading
    results using inverse of Freeman-Tukey double arcsine transformation in meta-analysis of single
    proportions. Res Synth Methods 10:476-483. Lin L, Chu H (2020) Meta-analysis of proportions
    using generalized linear mixed models. Epidemiology 31:713-717. Miller JJ (1978) The inverse of
    the Freeman-Tukey double arcsine transformation. Am Stat 32:138. Barendregt JJ, Doi SA, Lee YY,
    Norman RE, Vos T (2013) Meta-analysis of prevalence. J Epidemiol Community Health 67:974-978.

    Examples
    --------
    >>> import rnetstats as rn
    >>> series = {"study": list("ABCD"), "events": [0, 2, 12, 3], "n": [38, 104, 527, 91]}
    >>> row = rn.meta_proportions(series).glance().iloc[0]
    >>> [round(100 * float(row[name]), 2) for name in ("estimate", "conf_low", "conf_high")]
    [2.24, 1.04, 4.76]
    """
    choice("transform", transform, (GLMM, *TRANSFORMS))
    how = ProportionOptions(
        transform=transform,
        pooling=pool_options(tau2, ci, prediction, conf_level),
        correction=real("correction", correction, low=0.0),
        back_n=choice("back_n", back_n, tuple(SIZES)),
        points=None if points is None else positive_int("points", points),
    )
    _check_model(how)
    table = read_series(data, columns or {}, by, missing=missing)
    events, n = table.events[table.complete], table.n[table.complete]
    pool = pool_series(events, n, how)
    groups, test = pd.DataFrame(), pd.DataFrame()
    more: list[str] = []
    if by is not None:
        inside = [g for g, kept in zip(table.groups, table.complete, strict=True) if kept]
        groups, test, more = pool_groups(events, n, inside, table.levels, how)
    crude = exact_row(float(events.sum()), float(n.sum()), conf_level, "sums, exact limits")
    rows = [{"model": "random effects", **pool.random}, {"model": "common effect", **pool.common}]
    return MetaProportionsResult(
        transform=transform,
        studies=_studies(table, pool, how),
        pooled=pd.DataFrame([*rows, {"model": "crude", **crude}]),
        heterogeneity=pd.DataFrame([pool.spread]),
        groups=groups,
        test=test,
        notes=(*table.notes, *pool.notes, *more),
        options={
            "transform": transform,
            **how.pooling.as_dict(),
            "columns": dict(columns or {}),
            "correction": how.correction,
            "back_n": back_n,
            "points": how.points,
            "by": by,
            "missing": missing,
        },
        synthetic=is_synthetic_data(data),
    )


def _check_model(how: ProportionOptions) -> None:
    """Refuse options that the transform does not have."""
    tau2 = how.pooling.tau2
    if how.transform != GLMM:
        if how.points is not None:
            raise OptionError("points belongs to transform='glmm'; the others integrate nothing.")
        return
    if how.points is not None and how.points > _MOST_POINTS:
        raise OptionError(f"points={how.points} is more than {_MOST_POINTS}; None is exact.")
    if isinstance(tau2, str) and tau2 not in ("REML", "ML"):
        raise OptionError(
            f"tau2={tau2!r} needs transformed proportions: the model is fitted by maximum "
            "likelihood. Choose transform='logit' or another, or leave tau2 out."
        )
    if not isinstance(tau2, str) and tau2 > LARGEST_TAU2:
        raise OptionError(f"tau2={tau2:g} is beyond {LARGEST_TAU2:g}, the most the model takes.")


def _studies(table: SeriesTable, pool: SeriesPool, how: ProportionOptions) -> pd.DataFrame:
    """One row a series as given, with exact limits, its weights and what was done to it."""
    k, kept = len(table.names), table.complete
    low, high, estimate = (np.full(k, np.nan) for _ in range(3))
    estimate[kept] = table.events[kept] / table.n[kept]
    low[kept], high[kept] = clopper_pearson_limits(
        table.events[kept], table.n[kept], how.pooling.conf_level
    )
    weights = np.zeros((2, k))
    weights[:, kept] = pool.weights
    used, remarks = kept.copy(), np.where(kept, "", "left out: a count is missing").astype(object)
    scale = {}
    if pool.effects is not None:
        for name, values in (("coef", pool.effects.y), ("std_error", np.sqrt(pool.effects.v))):
            column = np.full(k, np.nan)
            column[kept] = values
            scale[name] = column
        used[kept] = pool.effects.usable
        own = np.where(pool.effects.corrected, f"{how.correction:g} added to both counts", "")
        remarks[kept] = np.where(pool.effects.usable, own, "left out: no variance without events")
    return pd.DataFrame(
        {
            "study": list(table.names),
            "events": table.events,
            "n": table.n,
            **({"subgroup": list(table.groups)} if table.groups else {}),
            "estimate": estimate,
            "conf_low": low,
            "conf_high": high,
            **scale,
            "weight": weights[0],
            "weight_common": weights[1],
            "used": used,
            "note": remarks.tolist(),
        }
    )
