"""Kaplan-Meier curves: estimates, limits that survive few events, numbers at risk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rnetstats._core.frame import Data, as_frame, is_synthetic
from rnetstats._core.options import choice, flag, level
from rnetstats.errors import OptionError
from rnetstats.survival.curve_fit import CurveOptions, fit_curves
from rnetstats.survival.kaplan_meier_result import KaplanMeierResult
from rnetstats.survival.rows import group_rows, refuse_strata

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["KaplanMeierResult", "kaplan_meier"]

CI = ("log-log", "log", "plain", "bpcp")


def kaplan_meier(
    data: Data,
    formula: str,
    *,
    ci: str = "log-log",
    conf_level: float = 0.95,
    mid_p: bool = False,
    reverse: bool = False,
    freq_weights: str | ArrayLike | None = None,
    sampling_weights: str | ArrayLike | None = None,
    missing: str = "drop",
) -> KaplanMeierResult:
    """Estimate survival curves by Kaplan and Meier's method.

    Parameters
    ----------
    data : DataFrame or mapping
    formula : str
        ``"Surv(time, event) ~ group"``, or ``~ 1`` for one curve. ``Surv(start, stop, event)``
        for late entry: a row is at risk for start < t <= stop. With ``cluster(id)`` the standard
        errors are robust.
    ci : {"log-log", "log", "plain", "bpcp"}
        Pointwise limits: Greenwood's variance on one of three scales, or the beta product
        confidence procedure of Fay, Brittain and Proschan (2013), which also bounds a group
        without events.
    conf_level : float
    mid_p : bool
        Mid-P limits; for ``ci="bpcp"`` only.
    reverse : bool
        Take censoring as the event: the curve of potential follow-up.
    freq_weights, sampling_weights : str or array, optional
        A column or an array. Frequency weights stand for replicated rows; sampling weights give
        standard errors by the infinitesimal jackknife.
    missing : {"drop", "raise"}

    Returns
    -------
    KaplanMeierResult

    Raises
    ------
    OptionError
        For an option that is not allowed, or ``ci="bpcp"`` with late entry or sampling weights.
    DataError, ColumnError, FormulaError
        For data or a formula that cannot be used.

    References
    ----------
    Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-81. Fay MP, Brittain EH, Proschan MA.
    Biostatistics 2013;14:723-36.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> formula = "Surv(dfs_months, recurrence) ~ margin_positive"
    >>> curves = rn.kaplan_meier(cohort, formula, ci="bpcp")
    >>> curves.at(60)[["group", "n_risk", "survival", "conf_low", "conf_high"]].round(3)
      group  n_risk  survival  conf_low  conf_high
    0     0   182.0     0.995     0.972      1.000
    1     1    94.0     0.966     0.914      0.989
    """
    settings = CurveOptions(choice("ci", ci, CI), level(conf_level), flag("mid_p", mid_p))
    if settings.mid_p and ci != "bpcp":
        raise OptionError("mid_p=True belongs to ci='bpcp'.")
    turned = flag("reverse", reverse)
    frame = as_frame(data)
    rows, info = group_rows(
        frame,
        formula,
        freq_weights=freq_weights,
        sampling_weights=sampling_weights,
        missing=missing,
    )
    refuse_strata(rows)
    if turned:
        rows = replace(rows, event=~rows.event)
    curves, groups, entries, notes = fit_curves(rows, settings)
    return KaplanMeierResult(
        curves=curves,
        groups=groups,
        entries=entries,
        labels=info.labels,
        n_missing=info.n_missing,
        synthetic=is_synthetic(frame),
        notes=(*info.notes, *notes),
        options={
            "formula": formula,
            "ci": ci,
            "conf_level": settings.conf_level,
            "mid_p": settings.mid_p,
            "reverse": turned,
            "missing": missing,
        },
    )
