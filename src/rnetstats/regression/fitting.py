"""Steps that logistic and Cox fits share: checks, separation, covariance, notes."""

from __future__ import annotations

import math

import numpy as np

from rnetstats._core.options import choice
from rnetstats.errors import ConvergenceError, DataError, OptionError, TooFewEventsError
from rnetstats.formula.design import ModelFrame
from rnetstats.kernels.newton import LOST_TERM, OK, STATUS_TEXT
from rnetstats.kernels.sandwich import sandwich
from rnetstats.regression.recession import Recession

__all__ = [
    "check_converged",
    "check_parameters",
    "finite_everywhere",
    "fit_notes",
    "model_covariance",
    "refuse_lost_columns",
    "sandwich_covariance",
    "use_wald",
    "with_infinities",
]

_FEW_CLUSTERS = 40
_RCOND = 1e-7


def finite_everywhere(p: int) -> Recession:
    """Return that none of p coefficients is infinite."""
    return Recession(("finite",) * p, "none")


def _infinite(separation: Recession) -> np.ndarray:
    return np.array([word != "finite" for word in separation.direction], dtype=bool)


def use_wald(frame: ModelFrame, *, ci: str | None, robust: bool) -> tuple[bool, str]:
    """Decide between profile and Wald inference, and name the sandwich variance if any.

    Raises
    ------
    OptionError
        If a profile is asked for together with a sandwich variance.
    """
    choice("ci", ci, (None, "profile", "wald"))
    name = ""
    if frame.cluster is not None:
        name = "cluster-robust"
    elif robust or frame.sampling_weights is not None:
        name = "sandwich HC0"
    if name and ci == "profile":
        raise OptionError(
            "ci='profile' has no meaning with cluster(), robust=True or sampling_weights: the "
            "likelihood is not that of the design. Leave ci out (Wald on the sandwich variance)."
        )
    return bool(name) or ci == "wald", name


def check_parameters(df: int, events: float, what: str, penalty: str | None) -> tuple[str, ...]:
    """Refuse more parameters than events under maximum likelihood; note them under Firth.

    Raises
    ------
    TooFewEventsError
    """
    if df <= events:
        return ()
    said = f"{df} parameters for {events:g} {what}"
    if penalty is None:
        raise TooFewEventsError(
            f"{said}: maximum likelihood cannot support this model. "
            "Use fewer terms, or penalty='firth'."
        )
    return (f"There are {said}: the estimates are finite, but hold little information.",)


def refuse_lost_columns(frame: ModelFrame, lost: np.ndarray) -> None:
    """Raise if a column is a combination of those before it (or is constant at risk).

    Raises
    ------
    DataError
    """
    if not lost.any():
        return
    names = [frame.design.columns[j].name for j in np.flatnonzero(lost)]
    raise DataError(
        f"The column {names[0]!r} of the design says nothing beside the columns before it "
        "(they determine it, or it never varies where it could matter), so that its coefficient "
        "does not exist. Leave its term out, or merge levels."
    )


def check_converged(status: int, separation: Recession, penalty: str | None) -> None:
    """Raise if the ascent failed for a reason other than separation.

    Raises
    ------
    ConvergenceError
    """
    if status in (OK, LOST_TERM) or (penalty is None and separation.kind != "none"):
        return
    remedy = "" if penalty == "firth" else " penalty='firth' usually helps."
    raise ConvergenceError(
        f"The likelihood did not reach a maximum (status {STATUS_TEXT[status]!r}); a column may "
        f"be nearly constant, or two nearly the same.{remedy}"
    )


def with_infinities(coef: np.ndarray, separation: Recession) -> np.ndarray:
    """Put infinities where the estimate is infinite; NaN where its sign is undetermined."""
    found = coef.copy()
    words = {"+inf": math.inf, "-inf": -math.inf, "either": math.nan}
    for j, word in enumerate(separation.direction):
        if word in words:
            found[j] = words[word]
    return found


def model_covariance(
    information: np.ndarray, covariance: np.ndarray, separation: Recession
) -> np.ndarray:
    """Return the inverse information; missing for infinite coefficients.

    Under separation the information is singular in the limit: the generalised inverse serves
    the coefficients that stay finite.
    """
    if separation.kind == "none":
        return covariance
    scale = np.sqrt(np.diag(information))
    scale = np.where(scale > 0.0, scale, 1.0)
    inverse = np.linalg.pinv(information / np.outer(scale, scale), rcond=_RCOND, hermitian=True)
    found = np.asarray(inverse / np.outer(scale, scale))
    infinite = _infinite(separation)
    found[infinite, :] = np.nan
    found[:, infinite] = np.nan
    return found


def sandwich_covariance(
    frame: ModelFrame, covariance: np.ndarray, scores: np.ndarray
) -> np.ndarray:
    """Return the sandwich variance by row, or by cluster if the formula names one."""
    cluster = None if frame.cluster is None else frame.cluster.codes.astype(np.int64)
    return sandwich(covariance, scores, freq=frame.freq_weights, cluster=cluster)


def fit_notes(frame: ModelFrame, separation: Recession, penalty: str | None) -> tuple[str, ...]:
    """Say what was dropped, separated, clustered."""
    notes = list(frame.notes)
    if separation.kind != "none":
        names = ", ".join(
            frame.design.columns[j].name for j in np.flatnonzero(_infinite(separation))
        )
        kind = {"monotone": "The likelihood is monotone"}.get(
            separation.kind, f"The data are separated ({separation.kind})"
        )
        end = (
            "Firth's penalty keeps the estimates finite."
            if penalty == "firth"
            else "These estimates are infinite: read the finite limit, or use penalty='firth'."
        )
        notes.append(f"{kind}: maximum likelihood has no finite estimate for {names}. {end}")
    if separation.kind != "none" and "either" in separation.direction and penalty is None:
        notes.append(
            "The sign of an infinite coefficient is not determined by the data where no estimate "
            "is shown."
        )
    if frame.cluster is not None and len(frame.cluster.labels) < _FEW_CLUSTERS:
        notes.append(
            f"There are only {len(frame.cluster.labels)} clusters: a cluster-robust variance is "
            f"too small with fewer than about {_FEW_CLUSTERS}."
        )
    return tuple(notes)
