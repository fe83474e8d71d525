"""Restricted mean survival time: groups, contrasts, adjustment, pseudo-values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnetstats._core.frame import Data, as_frame, is_synthetic
from rnetstats._core.options import choice, level, real
from rnetstats.errors import OptionError
from rnetstats.kernels.same_times import as_observed
from rnetstats.survival.rmst_adjusted import adjusted_coefficients, adjusted_rows
from rnetstats.survival.rmst_curves import group_curves
from rnetstats.survival.rmst_fit import (
    contrast_rows,
    group_means,
    largest_tau,
    read_tau,
    shared_by_clusters,
)
from rnetstats.survival.rmst_result import RmstResult
from rnetstats.survival.rows import group_rows, refuse_strata

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["RmstResult", "rmst"]

CIS = ("wald", "log")


def rmst(
    data: Data,
    formula: str,
    *,
    tau: float | None = None,
    adjust: str | None = None,
    ci: str = "wald",
    conf_level: float = 0.95,
    freq_weights: str | ArrayLike | None = None,
    sampling_weights: str | ArrayLike | None = None,
    missing: str = "drop",
) -> RmstResult:
    """Estimate restricted mean survival times and compare them between groups.

    Parameters
    ----------
    data : DataFrame or mapping
    formula : str
        ``"Surv(time, event) ~ group"``, or ``~ 1`` for one curve; ``Surv(start, stop, event)``
        for late entry. With ``cluster(id)`` standard errors are robust, and contrasts count that a
        cluster may have rows in several groups.
    tau : float, optional
        The time up to which the mean is taken, in the unit of the data. By default the largest that
        the data allow: the smallest last time of the groups whose last patient is censored, or, if
        every group ends with an event, the largest last time.
    adjust : str, optional
        Covariates, such as ``"age + size_mm"``: the contrasts then come from regressions of
        ``min(T, tau)`` on groups and covariates, weighted by the inverse of each group's
        probability of not being censored (Tian, Zhao & Wei 2014).
    ci : {"wald", "log"}
        Limits of the groups' means: plain, which with few events may leave the range from 0 to
        tau; or on the log scale of the mean time lost, which stay within.
    conf_level : float
    freq_weights, sampling_weights : str or array, optional
        Frequency weights stand for replicated rows; sampling weights give standard errors by the
        infinitesimal jackknife.
    missing : {"drop", "raise"}

    Returns
    -------
    RmstResult
        A group without events has the mean ``tau``, no standard error, and a bound in place of an
        interval.

    Raises
    ------
    OptionError
        If tau is not above 0, or an option does not go with the data.
    DataError
        If tau lies past the time up to which every curve is known; the message names that time.
    FormulaError, ColumnError
        For a formula that cannot be used.

    Notes
    -----
    The standard error is that of the estimate of the mean, not of ``min(T, tau)``. RMTL, the mean
    time lost, is ``tau`` less RMST. Of tied times events come before censorings in the curves, and
    after them in the weights of adjusted contrasts, as in R's survRM2; where such ties are many, a
    note says so.

    References
    ----------
    Royston P, Parmar MKB. Restricted mean survival time. BMC Med Res Methodol 2013;13:152.
    Uno H, Claggett B, Tian L, et al. Moving beyond the hazard ratio in quantifying the
    between-group difference in survival analysis. J Clin Oncol 2014;32:2380-5.
    Tian L, Zhao L, Wei LJ. Biostatistics 2014;15:222-33.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> found = rn.rmst(cohort, "Surv(dfs_months, dfs_event) ~ margin_positive", tau=60)
    >>> found.to_frame()[["group", "n", "n_events", "rmst", "std_error"]].round(2)
      group    n  n_events   rmst  std_error
    0     0  346        32  57.05       0.56
    1     1  181        20  56.22       0.87
    >>> found.contrasts()[["measure", "estimate", "conf_low", "conf_high", "p_value"]].round(3)
               measure  estimate  conf_low  conf_high  p_value
    0  RMST difference    -0.833    -2.861      1.194    0.421
    1       RMST ratio     0.985     0.951      1.021    0.422
    2       RMTL ratio     1.282     0.715      2.299    0.404
    """
    conf_level = level(conf_level)
    choice("ci", ci, CIS)
    frame = as_frame(data)
    if adjust is None:
        rows, info = group_rows(
            frame,
            formula,
            freq_weights=freq_weights,
            sampling_weights=sampling_weights,
            missing=missing,
        )
        covariates = None
    else:
        if sampling_weights is not None:
            raise OptionError("adjust does not take sampling_weights; leave one of them out.")
        rows, info, covariates = adjusted_rows(
            frame, formula, adjust, freq_weights=freq_weights, missing=missing
        )
    refuse_strata(rows)
    largest = largest_tau(rows)
    end = largest
    if tau is not None:
        end = read_tau(float(as_observed(real("tau", tau), rows.stop)), largest)
    if not end > 0.0:
        raise OptionError("Every patient has time 0: there is no time to take a mean of.")
    means, notes = group_means(rows, end, conf_level, ci)
    contrasts, more = contrast_rows(means, end, conf_level, shared_by_clusters(rows, end))
    coefficients = None
    if covariates is not None:
        if len(rows.labels) < 2:
            raise OptionError("adjust compares groups; the formula gives one.")
        coefficients, further = adjusted_coefficients(rows, covariates, end, conf_level)
        more = (*more, *further)
    return RmstResult(
        means=means,
        contrast_table=contrasts,
        coefficient_table=coefficients,
        curves=group_curves(rows, end),
        tau=end,
        tau_max=largest,
        labels=info.labels,
        n_missing=info.n_missing,
        synthetic=is_synthetic(frame),
        rows=rows,
        positions=info.positions,
        notes=(*info.notes, *notes, *more),
        options={
            "formula": formula,
            "tau": tau,
            "adjust": adjust,
            "ci": ci,
            "conf_level": conf_level,
            "missing": missing,
        },
    )
