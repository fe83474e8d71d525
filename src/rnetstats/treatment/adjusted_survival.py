"""Adjusted survival curves: a Cox model standardised over the cohort (the g-formula)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data
from rnetstats._core.options import level
from rnetstats._core.random import resolve_seed
from rnetstats._core.result import Result
from rnetstats.errors import ConvergenceError
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p, fmt_percent
from rnetstats.regression.cox import CoxResult, cox
from rnetstats.treatment.adjusted_rows import adjusted_rows, check_formula
from rnetstats.treatment.adjusted_tables import contrast_table, curve_table
from rnetstats.treatment.draws import Draws, checked_resamples, few_events
from rnetstats.treatment.standardised import resampled_curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["AdjustedSurvivalResult", "adjusted_survival"]

_SHARES = ("risk", "risk difference")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AdjustedSurvivalResult(Result):
    """Adjusted survival curves; see :func:`adjusted_survival`.

    Attributes
    ----------
    curves : DataFrame
        ``group, time, n_event, survival, std_error, conf_low, conf_high``; events as observed.
    table : DataFrame
        ``measure, group, reference, time, estimate, conf_low, conf_high, std_error, p_value,
        method``: risks and RMST of each group, then their contrasts. The standard error of a
        ratio is that of its logarithm.
    groups : DataFrame
        ``group, n, n_events``; the first is the reference.
    at_risk : DataFrame
        ``group, time, n_risk`` as observed, at round times.
    model : CoxResult
    labels : dict
        ``time``, ``event`` and ``group`` as shown.
    counted : dict
        ``resamples, n_failed, n_lost_level, n_without_events`` of the bootstrap.
    reason : str
        Why there are no limits, or "".
    """

    curves: pd.DataFrame
    table: pd.DataFrame
    groups: pd.DataFrame
    at_risk: pd.DataFrame
    model: CoxResult
    labels: dict[str, str]
    counted: dict[str, int]
    reason: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Return the curves with their pointwise limits (a copy)."""
        return self.curves.copy()

    def contrasts(self) -> pd.DataFrame:
        """Return risk differences and ratios at the times asked for, and RMST differences."""
        return self.table[self.table["reference"] != ""].reset_index(drop=True)

    def measures(self) -> pd.DataFrame:
        """Return the risks and RMST of each group and their contrasts (a copy)."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, times, what the bootstrap met, why limits are missing."""
        return pd.DataFrame(
            [
                {
                    "n": int(self.groups["n"].sum()),
                    "n_missing": self.model.summary["n_missing"],
                    "n_events": int(self.groups["n_events"].sum()),
                    "n_groups": len(self.groups),
                    "fewest_events": int(self.groups["n_events"].min()),
                    "tau": self.options["tau"],
                    **self.counted,
                    "reason": self.reason,
                }
            ]
        )

    def display(self) -> pd.DataFrame:
        """Return the measures as text, with the events of both groups in each row."""
        percent = f"{100 * self.options['conf_level']:g} % CI"
        counts = {
            row["group"]: f"{row['n_events']:g}/{row['n']:g}"
            for row in self.groups.to_dict("records")
        }
        rows = []
        for row in self.table.to_dict("records"):
            share = row["measure"] in _SHARES
            scale, digits = (100.0, 1) if share else (1.0, 2)
            versus = f" vs {row['reference']}" if row["reference"] else ""
            events = [counts[name] for name in (row["group"], row["reference"]) if name]
            rows.append(
                {
                    "Measure": row["measure"],
                    self.labels["group"]: f"{row['group']}{versus}",
                    "Time": f"{row['time']:g}",
                    "Estimate": (fmt_percent if share else fmt_number)(row["estimate"]),
                    percent: fmt_interval(
                        scale * row["conf_low"], scale * row["conf_high"], digits
                    ),
                    "P": fmt_p(row["p_value"]),
                    "Events": " vs ".join(events),
                }
            )
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the adjusted curves with pointwise bands, and the numbers at risk as observed.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; by default on a new figure.
        **options
            Those of :func:`rnetstats.plots.curves.survival_curves`.

        Returns
        -------
        Axes
        """
        from rnetstats.plots.curves import survival_curves

        options.setdefault("y_label", f"Free of {self.labels['event'].lower()} (adjusted)")
        if set(self.groups["group"]) == {"0", "1"} and "names" not in options:
            options |= {"names": {"0": "no", "1": "yes"}, "title": self.labels["group"]}
        return survival_curves(
            self.curves.assign(n_censor=0),
            self.at_risk,
            labels=self.labels,
            conf_level=self.options["conf_level"],
            synthetic=self.synthetic,
            censor=False,
            ax=ax,
            **options,
        )


def adjusted_survival(
    data: Data,
    formula: str,
    *,
    treatment: str | None = None,
    times: float | Sequence[float] | None = None,
    tau: float | None = None,
    penalty: str | None = "firth",
    ties: str = "efron",
    resamples: int = 1000,
    seed: int | None = None,
    freq_weights: Any = None,
    conf_level: float = 0.95,
    missing: str = "drop",
) -> AdjustedSurvivalResult:
    """Estimate what survival would be under each treatment, were everybody given it.

    A Cox model predicts each patient's curve under each treatment; the curves are averaged over
    all patients (the g-formula).

    Parameters
    ----------
    data : DataFrame or mapping of columns
        One row a patient; never changed.
    formula : str
        ``"Surv(time, event) ~ treat + x1 + x2"``, or ``Surv(start, stop, event)`` with late
        entry. Interactions with the treatment are averaged over too.
    treatment : str, optional
        A 0/1 column, a factor, or a column that stands in ``I(column op value)`` alone; by
        default the first of the model. Its first level is the reference.
    times : float or sequence of float, optional
        When risks are compared, in the unit of the data; by default at the last event within the
        follow-up of every group.
    tau : float, optional
        Until when mean survival is compared; by default the last of ``times``.
    penalty : {"firth", None}
        Of the Cox model.
    ties : {"efron", "breslow"}
    resamples : int
        Of the bootstrap by patient, which repeats the model; 0 for none.
    seed : int, optional
    freq_weights : str or array of shape (n,), optional
        Whole numbers: each row stands for so many patients.
    conf_level : float
    missing : {"drop", "raise"}

    Returns
    -------
    AdjustedSurvivalResult
        Curves in ``to_frame()``; ``contrasts()`` has risk differences, risk ratios and RMST
        differences. Where a group has fewer than 5 events, or more than 5 % of the resamples
        leave one without, there are point estimates, counts and the reason alone.

    Raises
    ------
    FormulaError, ColumnError, DataError
        If the formula or the data cannot be used, or a time lies beyond a group's follow-up.
    TooFewEventsError
        If there is no event.
    ConvergenceError
        If maximum likelihood has no estimate (a group without events).
    OptionError
        If an option is not allowed, or the treatment is no factor of the model.

    Notes
    -----
    The curves hold if hazards are proportional and the model names every confounder; what the
    groups' own patients had is in :func:`rnetstats.kaplan_meier`. A risk ratio at a time is no
    hazard ratio. Other events than that of the formula count as censorings.

    References
    ----------
    Chang IM, Gelman R, Pagano M (1982). Corrected group prognostic curves and summary statistics.
    Journal of Chronic Diseases 35:669-674.
    Robins J (1986). A new approach to causal inference in mortality studies with a sustained
    exposure period. Mathematical Modelling 7:1393-1512.
    Sjolander A (2016). Regression standardization with the R package stdReg. European Journal of
    Epidemiology 31:563-574.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> formula = "Surv(dfs_months, dfs_event) ~ margin_positive + age + size_mm"
    >>> curves = rn.adjusted_survival(cohort, formula, times=60, resamples=200, seed=1)
    >>> curves.contrasts()[["measure", "estimate", "conf_low", "conf_high"]].round(2)
               measure  estimate  conf_low  conf_high
    0  risk difference      0.04     -0.02       0.09
    1       risk ratio      1.33      0.84       2.02
    2  RMST difference     -0.99     -2.51       0.67
    """
    level(conf_level)
    checked_resamples(resamples)
    check_formula(formula, ties)
    model = cox(
        data,
        formula,
        penalty=penalty,
        ties=ties,
        ci="wald",
        freq_weights=freq_weights,
        conf_level=conf_level,
        missing=missing,
    )
    adjusted = adjusted_rows(data, model, treatment, times, tau)
    rows = adjusted.rows
    if not np.isfinite(model.coefficients["coef"]).all():
        raise ConvergenceError(
            "A coefficient is infinite (a group without events): adjusted curves need "
            "penalty='firth'."
        )
    seen = dict(zip(adjusted.groups["group"], adjusted.groups["n_events"], strict=True))
    reason = few_events(seen, model.outcome)
    number, draws, drawn = None, None, None
    if resamples and not reason:
        number = resolve_seed(seed)
        draws, drawn = resampled_curves(rows, resamples=resamples, seed=number)
        reason = draws.refusal()
    whole = rows.curves(rows.coef[None], rows.freq[None])
    limits = (draws, drawn) if draws is not None and drawn is not None and not reason else None
    return AdjustedSurvivalResult(
        curves=curve_table(adjusted, whole[0], limits and limits[1], conf_level),
        table=contrast_table(adjusted, whole, limits and limits[0], conf_level),
        groups=adjusted.groups,
        at_risk=adjusted.at_risk,
        model=model,
        labels=adjusted.labels,
        counted=(Draws.empty(0, 1) if draws is None else draws).counted(),
        reason=reason,
        seed=number,
        synthetic=model.synthetic,
        notes=(
            f"Each patient of {int(rows.freq.sum())} is given each value of "
            f"{adjusted.treatment!r} in turn; the contrast is causal only if the model names every "
            "confounder and hazards are proportional.",
            *adjusted.notes,
            *([f"No limits and no P: {reason}."] if reason else []),
            *([] if draws is None else draws.notes()),
            *model.notes,
        ),
        options={
            "formula": model.options["formula"],
            "treatment": adjusted.treatment,
            "times": adjusted.times.tolist(),
            "tau": rows.tau,
            "penalty": penalty,
            "ties": ties,
            "resamples": resamples,
            "conf_level": conf_level,
            "missing": missing,
        },
    )
