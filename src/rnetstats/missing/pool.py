"""Pooling the fits of one model to each imputation by Rubin's rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from rnetstats._core.options import level
from rnetstats.errors import OptionError
from rnetstats.missing.fitted import Fitted, read_fits, same_kind, shared_notes
from rnetstats.missing.pooled_result import PooledResult
from rnetstats.missing.pooled_tests import joint_table
from rnetstats.missing.pooled_univariable import PooledUnivariable
from rnetstats.missing.pooled_variables import common_variables
from rnetstats.missing.rubin import Pooled, pool_numbers
from rnetstats.regression.model import RegressionResult
from rnetstats.regression.univariable import UnivariableResult

__all__ = ["METHOD", "pool"]

METHOD = "Rubin's rules, Barnard-Rubin df"


def pool(
    fits: Iterable[RegressionResult] | Iterable[UnivariableResult],
    *,
    conf_level: float | None = None,
) -> PooledResult | PooledUnivariable:
    """Pool the fits of one model to each imputation.

    Parameters
    ----------
    fits : sequence of m results of logistic(), cox(), univariable() and the like
        Of the same formula and options, at least two: ``[rn.logistic(d, f) for d in imputed]``.
    conf_level : float, optional
        By default that of the fits.

    Returns
    -------
    PooledResult or PooledUnivariable
        Estimates in ``to_frame()``, with the fraction of missing information; standardised risks
        (logistic models) in ``risks()``, the effect of one variable in ``effect()``.

    Raises
    ------
    DataError
        With a single fit; if the fits differ in formula, number of patients, levels or knots.
    OptionError
        If the fits differ in kind or options.
    ConvergenceError
        If an estimate is infinite.

    Notes
    -----
    Coefficients are averaged on the model's scale, whatever the penalty. Limits and P are by the
    t distribution with Barnard and Rubin's degrees of freedom, in which lambda is at least 1e-4.
    The complete data have n less p degrees of freedom, for time-to-event models events less p.
    Profile limits of the fits are not pooled; :meth:`PooledResult.profile_limits` does that.

    References
    ----------
    Rubin DB (1987). Multiple Imputation for Nonresponse in Surveys. Wiley.
    Barnard J, Rubin DB (1999). Small-sample degrees of freedom with multiple imputation.
    Biometrika 86:948-955.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> gaps = cohort.assign(nlr=cohort["nlr"].mask(cohort["age"] > 60))
    >>> filled = rn.impute(gaps, columns=["nlr", "age"], imputations=5, seed=1)
    >>> pooled = rn.pool([rn.logistic(part, "margin_positive ~ nlr + age") for part in filled])
    >>> pooled.to_frame()[["term", "estimate", "std_error", "df", "fmi"]].round(2)
              term  estimate  std_error      df   fmi
    0  (Intercept)      0.30       0.47  485.05  0.02
    1          nlr      1.04       0.08  187.91  0.12
    2          age      1.01       0.01  521.46  0.00
    """
    listed = same_kind(fits)
    if conf_level is not None:
        conf_level = level(conf_level)
    tables = [fit for fit in listed if isinstance(fit, UnivariableResult)]
    if tables:
        return _pool_univariable(tables, conf_level)
    return _pool_models([fit for fit in listed if isinstance(fit, RegressionResult)], conf_level)


def _pool_models(fits: Sequence[RegressionResult], conf_level: float | None) -> PooledResult:
    """Pool m fits of one model."""
    found = read_fits(fits)
    first = fits[0]
    asked = float(first.options["conf_level"]) if conf_level is None else conf_level
    variances = np.diagonal(found.covariances, axis1=1, axis2=2)
    pooled = pool_numbers(found.coefs, variances, found.dfcom)
    terms = first.design.terms
    joint, overall = joint_table(
        found, terms, range(int(first.design.intercept), variances.shape[1])
    )
    return PooledResult(
        model=type(first).__name__,
        outcome=str(getattr(first, "outcome", "")),
        table=_table(found, pooled, asked),
        reference_table=_mean_counts([fit.reference_table for fit in fits]),
        joint_table=joint,
        coefs=found.coefs,
        covariances=found.covariances,
        dfcom=found.dfcom,
        summary={
            "imputations": found.m,
            "n": first.summary["n"],
            "n_missing": first.summary["n_missing"],
            "n_events": float(np.mean([fit.summary["n_events"] for fit in fits])),
            "df": first.summary["df"],
            "df_complete": found.dfcom,
            "fmi_max": float(pooled.fmi.max()),
            "riv_max": float(pooled.riv.max()),
            "statistic": overall.statistic,
            "p_value": overall.p_value,
            "test": "D1",
        },
        spec=first.spec,
        variables=common_variables(fits),
        labels=first.labels,
        fits=tuple(fits),
        synthetic=any(fit.synthetic for fit in fits),
        notes=(*_notes(found, pooled), *found.notes),
        options={**first.options, "conf_level": asked, "ci": "t distribution"},
    )


def _table(found: Fitted, pooled: Pooled, conf_level: float) -> dict[str, Any]:
    """Return the columns of the coefficients, the extra ones included."""
    low, high = pooled.limits(conf_level)
    first = found.fits[0].table
    counts = _mean_counts([fit.table for fit in found.fits])
    with np.errstate(over="ignore"):
        estimate, conf_low, conf_high = np.exp(pooled.estimate), np.exp(low), np.exp(high)
    p = len(estimate)
    return {
        "term": list(first["term"]),
        "level": list(first["level"]),
        "n": counts["n"],
        "n_events": counts["n_events"],
        "measure": list(first["measure"]),
        "estimate": estimate,
        "conf_low": conf_low,
        "conf_high": conf_high,
        "coef": pooled.estimate,
        "std_error": pooled.std_error,
        "statistic": pooled.statistic,
        "p_value": pooled.p_value,
        "method": [METHOD] * p,
        "df": pooled.df,
        "riv": pooled.riv,
        "lambda": pooled.share,
        "fmi": pooled.fmi,
        "within": pooled.within,
        "between": pooled.between,
    }


def _mean_counts(tables: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a table of counts, each the mean over the imputations."""
    mean = {
        name: np.mean([np.asarray(table[name], dtype=float) for table in tables], axis=0).tolist()
        for name in ("n", "n_events")
    }
    return {"term": list(tables[0]["term"]), "level": list(tables[0]["level"]), **mean}


def _notes(found: Fitted, pooled: Pooled) -> tuple[str, ...]:
    notes = []
    largest = float(pooled.fmi.max())
    left_out = int(found.fits[0].summary["n_missing"])
    if not (pooled.between > 0.0).any():
        notes.append(
            "The imputations do not differ in what the model uses, which was not imputed: "
            f"{left_out} patients are left out for values that are still missing."
            if left_out
            else "The imputations do not differ: nothing that the model uses was missing."
        )
    elif largest * 100.0 > found.m:
        notes.append(
            f"The fraction of missing information is up to {100.0 * largest:.0f} %: with fewer "
            f"imputations than that per cent ({found.m}), limits and P change from one set of "
            "imputations to the next. Draw more."
        )
    first = found.fits[0].options
    if first.get("penalty") == "firth" and first.get("ci") == "profile":
        notes.append(
            "Firth's estimates are pooled with their variances; profile limits of the single fits "
            "are not pooled here. profile_limits() combines the profiles (CLIP)."
        )
    return tuple(notes)


def _pool_univariable(
    fits: Sequence[UnivariableResult], conf_level: float | None
) -> PooledUnivariable:
    """Pool each term's fits."""
    sizes = {len(fit.fits) for fit in fits}
    if len(sizes) > 1:
        raise OptionError("The univariable tables have different numbers of terms.")
    parts = tuple(
        _pool_models([fit.fits[j] for fit in fits], conf_level) for j in range(sizes.pop())
    )
    return PooledUnivariable(
        parts=parts,
        synthetic=any(part.synthetic for part in parts),
        notes=shared_notes(fits),
        options={**fits[0].options, "conf_level": parts[0].options["conf_level"]},
    )
