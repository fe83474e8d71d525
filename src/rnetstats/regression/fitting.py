"""Steps that logistic and Cox fits share: checks, separation, covariance, notes."""

from __future__ import annotations

import math

import numpy as np

from rnetstats._core.options import choice
from rnetstats.errors import (
    ConvergenceError,
    DataError,
    FormulaError,
    OptionError,
    TooFewEventsError,
)
from rnetstats.formula.clusters import check_clusters, few_clusters
from rnetstats.formula.design import ModelFrame
from rnetstats.kernels.conditioning import LIMIT
from rnetstats.kernels.newton import LOST_TERM, OK, STATUS_TEXT
from rnetstats.kernels.sandwich import sandwich
from rnetstats.regression.recession import Recession

__all__ = [
    "carrying_weight",
    "check_converged",
    "check_parameters",
    "finite_everywhere",
    "fit_notes",
    "idle_notes",
    "model_covariance",
    "refuse_far_columns",
    "refuse_lost_columns",
    "refuse_strata",
    "sandwich_covariance",
    "use_wald",
    "with_infinities",
]

_RCOND = 1e-7
_APART = 50.0  # an offset's range
_FAR = 1e3  # a mean this many standard deviations from zero
_NEAR = 1e-4  # of a sum of squares: what the mean leaves of it, far beyond rounding


def finite_everywhere(p: int) -> Recession:
    """Return that none of p coefficients is infinite."""
    return Recession(("finite",) * p, "none")


def _infinite(separation: Recession) -> np.ndarray:
    return np.array([word != "finite" for word in separation.direction], dtype=bool)


def refuse_strata(frame: ModelFrame) -> None:
    """Raise if strata() stands in the formula of a model of a binary outcome.

    Raises
    ------
    FormulaError
    """
    if frame.strata is not None:
        columns = ", ".join(frame.strata.columns)
        raise FormulaError(
            f"strata({columns}) has no meaning for a binary outcome, whose model has one baseline; "
            f"write {' + '.join(f'C({name})' for name in frame.strata.columns)} as a term."
        )


def use_wald(frame: ModelFrame, *, ci: str | None, robust: bool) -> tuple[bool, str]:
    """Decide between profile and Wald inference, and name the sandwich variance if any.

    Raises
    ------
    OptionError
        If a profile is asked for together with a sandwich variance.
    DataError
        If there is a single cluster.
    """
    choice("ci", ci, (None, "profile", "wald"))
    choice("robust", robust, (True, False))
    name = ""
    if frame.cluster is not None:
        name = "cluster-robust"
        check_clusters(frame.cluster)
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
    counted = what if events != 1 else what.replace("events", "event").replace("rows", "row")
    said = f"{df} parameters for {events:g} {counted}"
    if penalty is None:
        raise TooFewEventsError(
            f"{said}: maximum likelihood cannot support this model. "
            "Use fewer terms, or penalty='firth'."
        )
    return (f"There are {said}: the estimates are finite, but hold little information.",)


def _furthest(frame: ModelFrame, ratio: float) -> tuple[str, float] | None:
    """Return the column whose mean is most standard deviations from zero, if over a ratio."""
    X, columns = frame.design.X, frame.design.columns
    spread = X.std(axis=0)
    varies = spread > 4.0 * np.finfo(float).eps * np.abs(X).max(axis=0)
    found = np.divide(np.abs(X.mean(axis=0)), spread, out=np.zeros(len(columns)), where=varies)
    j = int(np.argmax(found))
    return (columns[j].name, float(found[j])) if found[j] > ratio else None


def _all_near(frame: ModelFrame) -> bool:
    """Whether every column surely varies much beside its size, by sums alone."""
    X = frame.design.X[:, int(frame.design.intercept) :]
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.ones(len(X)) @ X
        squares = len(X) * np.einsum("ij,ij->j", X, X)
        return bool((squares - total * total > _NEAR * squares).all())


def refuse_far_columns(frame: ModelFrame) -> None:
    """Raise if a column varies so little beside its size that its digits do not suffice.

    Raises
    ------
    DataError
    """
    if _all_near(frame):
        return
    far = _furthest(frame, 1.0 / LIMIT)
    if far is not None:
        raise DataError(
            f"The mean of {far[0]!r} is {far[1]:.1e} times its standard deviation, of which double "
            f"precision holds too few digits (up to {1.0 / LIMIT:.0e} is taken). {_nearer(far[0])}"
        )


def _nearer(name: str) -> str:
    return f"Subtract the mean of {name!r}, or count from a later origin."


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


def check_converged(
    frame: ModelFrame, status: int, separation: Recession, penalty: str | None
) -> None:
    """Raise if the ascent failed for a reason other than separation.

    Raises
    ------
    ConvergenceError
    """
    if status in (OK, LOST_TERM) or (penalty != "firth" and separation.kind != "none"):
        return
    far = _furthest(frame, _FAR)
    apart = 0.0 if frame.offset is None else float(np.ptp(frame.offset))
    if apart > _APART:
        remedy = (
            f"The offset differs by {apart:.3g} between rows, and it is a logarithm (of odds or of "
            "hazards), of which 7 is a factor of 1,000 already. Look at its unit, and whether its "
            "logarithm was meant."
        )
    elif penalty == "log-f":
        remedy = (
            "A log-F prior holds a coefficient per unit of its column: divide columns of large "
            "numbers, so that a difference of 1 matters, or use penalty='firth', which does not "
            "depend on units."
        )
    elif far is not None:
        remedy = f"The values of {far[0]!r} hardly vary beside their size. {_nearer(far[0])}"
    else:
        columns = frame.design.columns[int(frame.design.spec.intercept) :]
        remedy = (
            f"Look whether {columns[0].name!r} follows from the outcome (a copy of the time, say)."
            if len(columns) == 1
            else "Look for two columns that say nearly the same, and leave one out."
        )
        if penalty is None:
            remedy += (
                " Or a column separates the outcomes but for a few rows, and the estimate lies too "
                "far out to be computed: use penalty='firth'."
            )
    raise ConvergenceError(
        f"The likelihood did not reach a maximum (status {STATUS_TEXT[status]!r}). {remedy}"
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
    information = np.where(np.isfinite(information), information, 0.0)
    scale = np.sqrt(np.maximum(np.diag(information), 0.0))
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
    missing = np.isnan(covariance)  # of infinite coefficients, which the others do not feel
    bread = np.where(missing, 0.0, covariance)
    found = sandwich(bread, scores, freq=frame.freq_weights, cluster=cluster)
    return np.where(missing, np.nan, found)


def carrying_weight(frame: ModelFrame, flags: np.ndarray) -> np.ndarray:
    """Return which of the flagged rows have a sampling weight above zero."""
    if frame.sampling_weights is None:
        return flags
    return np.asarray(flags & (frame.sampling_weights > 0.0))


def idle_notes(frame: ModelFrame) -> list[str]:
    """Say how many rows have a sampling weight of 0."""
    if frame.sampling_weights is None or frame.sampling_weights.all():
        return []
    idle = int(np.count_nonzero(frame.sampling_weights == 0.0))
    return [
        f"{idle} of {frame.n} rows have a sampling weight of 0: they are counted among n and "
        "n_events, but do not enter the estimates."
    ]


def fit_notes(
    frame: ModelFrame,
    separation: Recession,
    penalty: str | None,
    *,
    wald: bool,
    left: Recession | None = None,
) -> tuple[str, ...]:
    """Say what was dropped, separated, clustered; `left` is the separation despite log-F priors."""
    notes = [*frame.notes, *idle_notes(frame)]
    if separation.kind != "none":
        names = ", ".join(
            frame.design.columns[j].name for j in np.flatnonzero(_infinite(separation))
        )
        kind = {"monotone": "The likelihood is monotone"}.get(
            separation.kind, f"The data are separated ({separation.kind})"
        )
        if penalty == "firth":
            end = "Firth's penalty keeps the estimates finite."
        elif left is not None and left.kind == "none":
            end = "The log-F priors keep the estimates finite."
        elif left is not None:
            free = [frame.design.columns[j].name for j in np.flatnonzero(_infinite(left))]
            end = (
                f"Without a prior, {', '.join(free)} stay infinite: name their terms in m, or read "
                "the finite limit."
            )
        elif wald:
            end = (
                "They are infinite and have no Wald limits or P (shown as missing): leave "
                "ci='wald' and robust variances out for the finite profile limit, or use "
                "penalty='firth'."
            )
        else:
            end = "They are infinite: read the finite limit, or use penalty='firth'."
        notes.append(f"{kind}: maximum likelihood has no finite estimate for {names}. {end}")
    if (
        separation.kind != "none"
        and "either" in (left or separation).direction
        and penalty != "firth"
    ):
        notes.append(
            "The sign of an infinite coefficient is not determined by the data where no estimate "
            "is shown."
        )
    if frame.cluster is not None:
        notes += few_clusters(len(frame.cluster.labels), frame.cluster.name)
    return tuple(notes)
