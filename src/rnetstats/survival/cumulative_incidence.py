"""Cumulative incidence with competing risks, by Aalen and Johansen's method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnetstats._core.frame import Data, as_frame, is_synthetic
from rnetstats._core.options import choice, level
from rnetstats.errors import FormulaError, OptionError
from rnetstats.survival.competing_rows import competing_rows
from rnetstats.survival.incidence_fit import IncidenceOptions, fit_incidence
from rnetstats.survival.incidence_limits import SCALES
from rnetstats.survival.incidence_result import CumulativeIncidenceResult

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rnetstats.formula.tokens import Literal

__all__ = ["CumulativeIncidenceResult", "cumulative_incidence"]

VARIANCES = (None, "delta", "aalen", "jackknife")


def cumulative_incidence(
    data: Data,
    formula: str,
    *,
    censor: Literal = 0,
    cause: Literal | None = None,
    variance: str | None = None,
    ci: str = "log-log",
    conf_level: float = 0.95,
    freq_weights: str | ArrayLike | None = None,
    missing: str = "drop",
) -> CumulativeIncidenceResult:
    """Estimate the cumulative incidence of competing events by Aalen and Johansen's method.

    One less Kaplan-Meier, with the other events censored, would give the incidence in a world
    without the other events, which is larger.

    Parameters
    ----------
    data : DataFrame or mapping
    formula : str
        ``"Surv(time, code) ~ group"``, or ``~ 1`` for one group. ``Surv(start, stop, code)`` for
        late entry: a row is at risk for start < t <= stop. With ``cluster(id)`` the variance is
        the jackknife over clusters.
    censor : int or str
        The code of censoring.
    cause : int or str, optional
        The only cause to show; by default all.
    variance : {None, "delta", "aalen", "jackknife"}
        ``"delta"``, the default, from multinomial counts: with one cause Greenwood's, and without
        late entry equal to ``"jackknife"``, the infinitesimal jackknife of R's survfit;
        ``"aalen"``: that of R's cmprsk, slightly larger in small groups.
    ci : {"log-log", "cloglog", "log", "plain"}
        Scale of the limits: log(-log F); log(-log(1 - F)), which with one cause gives
        Kaplan-Meier's log-log limits; log F, as R's survfit; or F itself. As long as a curve has
        no event yet, the limits are 0 and the bound of the beta product confidence procedure,
        other events taken as censored, which is exact.
    conf_level : float
    freq_weights : str or array, optional
        Whole numbers that stand for replicated rows.
    missing : {"drop", "raise"}

    Returns
    -------
    CumulativeIncidenceResult

    Raises
    ------
    OptionError
        For an option that is not allowed, a cause that does not occur, or a variance that does not
        go with ``cluster()``.
    DataError, ColumnError, FormulaError
        For data, codes or a formula that cannot be used.

    References
    ----------
    Aalen OO, Johansen S (1978). An empirical transition matrix for non-homogeneous Markov chains
    based on censored observations. Scand J Stat 5:141-150. Choudhury JB (2002). Non-parametric
    confidence interval estimation for competing risks analysis. Stat Med 21:1129-1144.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> found = rn.cumulative_incidence(cohort, "Surv(dfs_months, event_type) ~ margin_positive")
    >>> found.at(60)[["group", "cause", "n_risk", "incidence", "conf_low", "conf_high"]].round(3)
      group cause  n_risk  incidence  conf_low  conf_high
    0     0     1   182.0      0.004     0.000      0.021
    1     0     2   182.0      0.112     0.078      0.152
    2     1     1    94.0      0.033     0.012      0.070
    3     1     2    94.0      0.099     0.057      0.153
    """
    choice("variance", variance, VARIANCES)
    frame = as_frame(data)
    rows = competing_rows(
        frame, formula, censor=censor, cause=cause, freq_weights=freq_weights, missing=missing
    )
    if rows.strata is not None:
        raise FormulaError(
            "Curves have groups, not strata: write '+ column' in place of 'strata(column)'."
        )
    if rows.cluster is not None and variance in ("delta", "aalen"):
        raise OptionError(
            f"variance={variance!r} takes rows as independent; with cluster() it is 'jackknife'."
        )
    kind = variance or ("delta" if rows.cluster is None else "jackknife")
    settings = IncidenceOptions(kind, choice("ci", ci, SCALES), level(conf_level))
    tables = fit_incidence(rows, settings)
    return CumulativeIncidenceResult(
        curves=tables.curves,
        free=tables.event_free,
        counts=tables.counts,
        entries=tables.entries,
        labels=rows.names,
        meaning=rows.meaning,
        n_missing=rows.n_missing,
        synthetic=is_synthetic(frame),
        notes=(*rows.notes, *tables.notes),
        options={
            "formula": formula,
            "censor": censor,
            "cause": cause,
            "variance": kind,
            "ci": ci,
            "conf_level": settings.conf_level,
            "missing": missing,
        },
    )
