"""Equivalence and non-inferiority of two treatments, against a margin chosen beforehand."""

from __future__ import annotations

from typing import Any

from rnetstats._core.frame import Data
from rnetstats.treatment.margin_answer import answer
from rnetstats.treatment.margin_options import margin_zone
from rnetstats.treatment.margin_result import MarginResult
from rnetstats.treatment.two_arms import two_arms

__all__ = ["MarginResult", "equivalence", "noninferiority"]


def equivalence(
    data: Data,
    formula: str,
    *,
    margin: float | tuple[float, float] | None = None,
    measure: str = "risk difference",
    new: Any = None,
    horizon: float | None = None,
    tau: float | None = None,
    alpha: float = 0.05,
    method: str | None = None,
    freq_weights: Any = None,
    missing: str = "drop",
) -> MarginResult:
    """Ask whether two treatments are equivalent within a margin (two one-sided tests).

    Parameters
    ----------
    data : DataFrame or mapping
    formula : str
        ``"outcome ~ group"`` with a binary outcome, or ``"Surv(time, event) ~ group"``; two groups.
    margin : float or (low, high)
        Required, without a default: the largest difference that would not matter. A share of 1
        for a risk difference (0.05 is 5 percentage points), a time for ``"rmst"``, a number above
        1 for ``"hr"`` (1.5 means 1/1.5 to 1.5).
    measure : {"risk difference", "rmst", "hr"}
        All are new treatment against reference.
    new : level, optional
        The group of the new treatment; by default the one that is not the first level.
    horizon : float
        For the risk difference of ``Surv``: the time at which the risks are compared.
    tau : float
        For ``"rmst"``: the time up to which the mean is taken.
    alpha : float
        Level of each of the two tests; the interval has level 1 - 2 alpha.
    method : {None, "score", "exact", "greenwood", "bpcp"}
        Of the risk difference. Binary: Miettinen and Nurminen's score, or the exact unconditional
        test (taken by itself where an arm has fewer than 5 events). ``Surv``: Greenwood, or
        square-and-add from the beta product limits of each arm (taken by itself where an arm has
        fewer than 10 events by the horizon).
    freq_weights : str or array of shape (n,), optional
        Whole numbers: each row stands for so many patients.
    missing : {"drop", "raise"}

    Returns
    -------
    MarginResult

    Raises
    ------
    OptionError
        If the margin is missing or cannot be one, or an option has no meaning for the measure.
    FormulaError, ColumnError, DataError
        If the formula or the data cannot be used: there are not two groups, or an arm is not
        followed up to the time asked for.
    TooFewEventsError
        For a hazard ratio without any event.

    Notes
    -----
    The P value is the larger of the two one-sided ones, and it is below alpha exactly if the
    interval lies inside the margins. With fewer than 5 events in an arm a hazard ratio has no P
    and shows nothing; the restricted mean of such an arm has bounds.

    References
    ----------
    Schuirmann DJ (1987). A comparison of the two one-sided tests procedure and the power approach
    for assessing the equivalence of average bioavailability. J Pharmacokinet Biopharm 15:657-680.
    Altman DG, Bland JM (1995). Absence of evidence is not evidence of absence. BMJ 311:485.
    Miettinen O, Nurminen M (1985). Comparative analysis of two rates. Stat Med 4:213-226.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> salvaged = cohort[cohort["salvage"].isin(["endoscopic", "radical"])]
    >>> found = rn.equivalence(salvaged, "recurrence ~ salvage", margin=0.05, new="endoscopic")
    >>> found.verdict
    'not shown to be equivalent'
    """
    question = margin_zone(margin, measure=measure, aim="equivalence", better=None, alpha=alpha)
    arms = two_arms(data, formula, new=new, freq_weights=freq_weights, missing=missing)
    return answer(arms, question, horizon, tau, method, missing)


def noninferiority(
    data: Data,
    formula: str,
    *,
    margin: float | None = None,
    better: str | None = None,
    measure: str = "risk difference",
    new: Any = None,
    horizon: float | None = None,
    tau: float | None = None,
    alpha: float = 0.025,
    method: str | None = None,
    freq_weights: Any = None,
    missing: str = "drop",
) -> MarginResult:
    """Ask whether a new treatment is at most a margin worse than the reference.

    Parameters
    ----------
    data, formula, measure, new, horizon, tau, method, freq_weights, missing
        As for :func:`equivalence`.
    margin : float
        Required, without a default: how much worse would still be acceptable. Above 0 for a
        difference; for a hazard ratio above 1 with ``better="lower"``, below 1 with ``"higher"``.
    better : {"lower", "higher"}
        Required: which values of the measure are better. Lower for the risk or hazard of a harmful
        event, higher for a restricted mean survival time.
    alpha : float
        Level of the one-sided test; the interval is two-sided at 1 - 2 alpha (95 % by default).

    Returns
    -------
    MarginResult

    Raises
    ------
    OptionError
        If the margin or the direction is missing or wrong, or an option has no meaning.
    FormulaError, ColumnError, DataError
        If the formula or the data cannot be used: there are not two groups, or an arm is not
        followed up to the time asked for.
    TooFewEventsError
        For a hazard ratio without any event.

    References
    ----------
    Piaggio G et al. (2012). Reporting of noninferiority and equivalence randomized trials:
    extension of the CONSORT 2010 statement. JAMA 308:2594-2604. Farrington CP, Manning G (1990).
    Stat Med 9:1447-1454.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> found = rn.noninferiority(
    ...     cohort, "Surv(dfs_months, recurrence) ~ margin_positive",
    ...     margin=0.1, better="lower", horizon=60,
    ... )
    >>> found.verdict
    'non-inferior'
    """
    question = margin_zone(
        margin, measure=measure, aim="non-inferiority", better=better, alpha=alpha
    )
    arms = two_arms(data, formula, new=new, freq_weights=freq_weights, missing=missing)
    return answer(arms, question, horizon, tau, method, missing)
