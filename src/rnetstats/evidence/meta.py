"""Meta-analysis of studies with two arms, or of their estimates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.distributions import normal_quantile
from rnetstats._core.frame import Data, is_synthetic_data
from rnetstats._core.options import effect_measure, level, real
from rnetstats.evidence.meta_columns import StudyTable, read_studies
from rnetstats.evidence.meta_effects import Effects, effects_of
from rnetstats.evidence.meta_empty import arms_of, empty_note, refuse_without_events
from rnetstats.evidence.meta_measures import BY_ESTIMATE, MEASURES, Measure
from rnetstats.evidence.meta_notes import dwarf_note, pool_notes, rare_note
from rnetstats.evidence.meta_options import PoolOptions, pool_options
from rnetstats.evidence.meta_pooling import Pools, method_text, pool_sets
from rnetstats.evidence.meta_result import MetaAnalysisResult

__all__ = ["MetaAnalysisResult", "meta_analysis"]


def meta_analysis(
    data: Data,
    *,
    measure: str,
    tau2: str | float = "REML",
    ci: str = "hartung-knapp",
    prediction: str | None = "hts",
    columns: Mapping[str, str] | None = None,
    correction: float = 0.5,
    limits_level: float = 0.95,
    conf_level: float = 0.95,
    missing: str = "drop",
) -> MetaAnalysisResult:
    """Pool the effects of studies by inverse variance, with random effects.

    Parameters
    ----------
    data : DataFrame or mapping
        One row a study. ``study`` holds its name; the other columns depend on the measure:
        ``events_1, n_1, events_2, n_2`` (OR, RR, RD), ``mean_1, sd_1, n_1, mean_2, sd_2, n_2``
        (MD, SMD), ``events_1, time_1, events_2, time_2`` (IRR, IRD); and for every measure also
        ``coef, std_error`` on the scale of analysis, ``estimate, std_error`` or ``estimate,
        conf_low, conf_high``, where a ratio's estimate and limits are ratios and its standard
        error is that of the logarithm. Arm 1 is compared with arm 2.
    measure : {"OR", "RR", "RD", "HR", "MD", "SMD", "IRR", "IRD", "generic"}
        Odds ratio, risk ratio, risk difference, hazard ratio, mean difference, Hedges' g, rate
        ratio, rate difference, or estimates of any kind, pooled as they are.
    tau2 : {"REML", "DL", "PM", "ML", "SJ", "EB", "HE", "HS"} or float
        Estimator of the variance between studies; a number holds it fixed, 0 for a common effect.
    ci : {"hartung-knapp", "hartung-knapp-adhoc", "hartung-knapp-wider", "wald"}
        Limits and P of the pooled effect: Hartung-Knapp with t(k-1); the same with its standard
        error not below the classical one; the wider of the two; the classical one, normal.
    prediction : {"hts", "t(k-1)", "hk", "normal", None}
        Limits of the effect in a new study: t(k-2) or t(k-1) with the classical standard error,
        t(k-1) with that of Hartung and Knapp (above its floor under ``"hartung-knapp-adhoc"``), or
        normal. None below three studies.
    columns : mapping, optional
        What the columns are called, e.g. ``{"events_1": "deaths_treated"}``.
    correction : float
        Added to the cells of studies with a zero cell (OR, RR, RD) or count (IRR, IRD), and to no
        others. Studies without an event in either arm are left out of ratios, kept for
        differences. 0 leaves out every study whose effect or variance is then not finite. Where an
        arm has no event in *any* study the estimate rests on the correction alone: it gets no
        limits, P or prediction interval, and a note bounds the effect.
    limits_level : float
        Level of ``conf_low`` and ``conf_high`` in ``data``.
    conf_level : float
    missing : {"drop", "raise"}
        What to do with studies that lack a value.

    Returns
    -------
    MetaAnalysisResult
        ``to_frame()`` one row a study; ``glance()`` estimate, limits, prediction interval and
        heterogeneity; ``subgroups``, ``meta_regression``, ``leave_one_out``, ``cumulative``,
        ``influence``, ``rare_events``, ``small_study_tests`` and ``trim_and_fill``.

    Raises
    ------
    ColumnError
        If a column is absent or holds no numbers.
    DataError
        If a value cannot be: more events than patients, a fraction of an event, a standard error
        that is not positive, limits that do not hold their estimate.
    OptionError
        If an option is not allowed.
    TooFewEventsError
        If no study gives an effect, or none has an event in either arm; the message bounds the
        risks.

    Notes
    -----
    One study alone has its own Wald limits, with ``tau2`` if it is given. Studies
    that stand twice are pooled as if independent, with a note. With a zero cell or rates below 5 %
    the approximations behind inverse variance are poor: a note says so, and ``display()`` shows
    the models of ``rare_events()`` beside it.

    References
    ----------
    Hartung J, Knapp G (2001) A refined method for the meta-analysis of controlled clinical trials
    with binary outcome. Stat Med 20:3875-3889. IntHout J, Ioannidis JPA, Borm GF (2014) The
    Hartung-Knapp-Sidik-Jonkman method for random effects meta-analysis is straightforward and
    considerably outperforms the standard DerSimonian-Laird method. BMC Med Res Methodol 14:25.

    Examples
    --------
    >>> import rnetstats as rn
    >>> trials = {
    ...     "study": ["A", "B", "C", "D"],
    ...     "events_1": [12, 8, 30, 15], "n_1": [100, 80, 250, 120],
    ...     "events_2": [20, 9, 45, 28], "n_2": [100, 82, 240, 118],
    ... }
    >>> pooled = rn.meta_analysis(trials, measure="OR")
    >>> row = pooled.glance().iloc[0]
    >>> [round(float(row[name]), 2) for name in ("estimate", "conf_low", "conf_high", "i2")]
    [0.57, 0.41, 0.81, 0.0]
    """
    how = pool_options(tau2, ci, prediction, conf_level)
    kind = MEASURES[effect_measure(measure, tuple(MEASURES))]
    correction = real("correction", correction, low=0.0)
    limits_level = level(limits_level, "limits_level")
    table = read_studies(data, kind, columns or {}, missing=missing)
    if table.layout not in BY_ESTIMATE:
        refuse_without_events(table.given[table.complete], kind, how.conf_level)
    effects = effects_of(table, kind, correction=correction, limits_level=limits_level)
    y, v = effects.coef[effects.used], effects.variance[effects.used]
    random, common = pool_sets(y, v, how), pool_sets(y, v, _plain(how), tau2=0.0)
    arms = None if table.layout in BY_ESTIMATE else arms_of(table.given[effects.used])
    empty = empty_note(arms, kind, how.conf_level)
    if empty:
        random, common = (pools.without_limits(np.array([True])) for pools in (random, common))
    names = [name for name, used in zip(table.names, effects.used, strict=True) if used]
    dwarf, rare = dwarf_note(names, np.sqrt(v)), rare_note(table, kind)
    return MetaAnalysisResult(
        measure=kind.name,
        studies=_studies(table, effects, kind, how, random, common),
        pooled=_pooled(random, common, kind, how),
        heterogeneity=pd.DataFrame({k: np.asarray(s)[:1] for k, s in random.spread.items()}),
        rare=bool(rare),
        moderators=table.data,
        notes=(*table.notes, *effects.notes, *pool_notes(random, kind, how), *dwarf, *empty, *rare),
        options={
            "measure": kind.name,
            **how.as_dict(),
            "columns": dict(columns or {}),
            "correction": correction,
            "limits_level": limits_level,
            "missing": missing,
        },
        synthetic=is_synthetic_data(data),
    )


def _plain(how: PoolOptions) -> PoolOptions:
    """Wald limits and no prediction, for the common effect."""
    return PoolOptions(how.tau2, "wald", None, how.conf_level)


def _studies(
    table: StudyTable,
    effects: Effects,
    measure: Measure,
    how: PoolOptions,
    random: Pools,
    common: Pools,
) -> pd.DataFrame:
    """One row a study as given, with its effect, its weights and what was done to it."""
    half = normal_quantile(how.conf_level) * np.sqrt(effects.variance)
    weights = np.zeros((2, len(table.names)))
    weights[:, effects.used] = random.weights[0], common.weights[0]
    counts: dict[str, Any] = {}
    if table.layout not in BY_ESTIMATE:
        counts = {name: table.given[name].to_numpy() for name in table.given.columns}
    return pd.DataFrame(
        {
            "study": list(table.names),
            **counts,
            "estimate": measure.back(effects.coef),
            "conf_low": measure.back(effects.coef - half),
            "conf_high": measure.back(effects.coef + half),
            "coef": effects.coef,
            "std_error": np.sqrt(effects.variance),
            "weight": weights[0],
            "weight_common": weights[1],
            "used": effects.used,
            "note": list(effects.remarks),
        }
    )


def _pooled(random: Pools, common: Pools, measure: Measure, how: PoolOptions) -> pd.DataFrame:
    """The pooled effect with random effects, then the common one."""
    both = (random, common)
    lims = [pools.limits for pools in both]
    return pd.DataFrame(
        {
            "model": ["random effects", "common effect"],
            "estimate": [float(measure.back(pools.coef[0])) for pools in both],
            "conf_low": [float(measure.back(lim.low[0])) for lim in lims],
            "conf_high": [float(measure.back(lim.high[0])) for lim in lims],
            "pi_low": [float(measure.back(random.pi_low[0])), np.nan],
            "pi_high": [float(measure.back(random.pi_high[0])), np.nan],
            "coef": [float(pools.coef[0]) for pools in both],
            "std_error": [float(lim.std_error[0]) for lim in lims],
            "std_error_wald": [float(pools.wald[0]) for pools in both],
            "statistic": [float(lim.statistic[0]) for lim in lims],
            "df": [float(lim.df[0]) for lim in lims],
            "p_value": [float(lim.p_value[0]) for lim in lims],
            "method": [method_text(how, lims[0].df[0]), "inverse variance, common effect, Wald"],
        }
    )
