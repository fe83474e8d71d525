"""How much to shrink a Cox model: the factor or penalty by each method, in many replicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats.formula.variables import Floats
from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.cox_ridge import ridge_cox, ridge_cox_deviance
from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.newton import LOST_TERM, OK
from rnetstats.kernels.ridge import best
from rnetstats.kernels.risksets import RiskSets
from rnetstats.kernels.shrinkage import heuristic_shrinkage
from rnetstats.prediction.tuning import Tuned

__all__ = ["tune_cox"]


def tune_cox(
    method: str,
    X: Floats,
    sets: RiskSets,
    events: Floats,
    *,
    freq: Floats | None = None,
    offset: Floats | None = None,
    ties: str = "efron",
    firth: bool = True,
    prior: LogF | None = None,
    penalties: Floats,
    folds: Sequence[NDArray[Any]] | None = None,
    factor: float = 1.0,
) -> Tuned:
    """Shrink in B replicates given by their counts; see :func:`rnetstats.prediction.tuning.tune`.

    Parameters
    ----------
    X : array of shape (n, p)
        No intercept.
    sets : RiskSets
    events : array of shape (n,)
        1 for a row with the event.
    method, freq, offset, firth, prior, penalties, folds, factor
        As there.
    ties : {"efron", "breslow"}
    """
    counts = np.atleast_2d(np.ones(len(events)) if freq is None else freq)
    some = counts @ events > 0
    shared: dict[str, Any] = {"offset": offset, "ties": ties}
    if method.startswith("ridge"):
        fit = ridge_cox(X, sets, penalties, freq=counts, **shared)
        place = fit.by_aic()
        if method == "ridge-cv":
            assert folds is not None
            parts = [
                ridge_cox_deviance(X, sets, f, penalties, freq=counts, **shared) for f in folds
            ]
            place = best(np.sum(parts, axis=0))
        edge = penalties[place] == penalties.max()
        df = fit.df[np.arange(len(place)), place]
        return Tuned(fit.at(place), np.where(some, penalties[place], np.nan), df, edge)
    safe = np.where(some[:, None], counts, 1.0)
    plain = fit_cox(X, sets, freq=safe, **shared)
    whole = plain
    if firth or prior is not None:
        whole = fit_cox(X, sets, freq=safe, firth=firth, prior=prior, **shared)
    df = (~plain.lost).sum(axis=1).astype(np.float64)
    amount = np.full(len(counts), factor)
    if method == "heuristic":
        known = np.isin(plain.status, (OK, LOST_TERM))
        amount = heuristic_shrinkage(plain.log_likelihood, plain.log_likelihood_null, df)
        amount = np.where(known, amount, np.nan)
    usable = some & np.isin(whole.status, (OK, LOST_TERM)) & np.isfinite(amount)
    amount = np.where(some, amount, np.nan)
    coef = np.where(usable[:, None], whole.coef * amount[:, None], np.nan)
    return Tuned(coef, amount, df * amount, np.zeros(len(coef), dtype=bool))
