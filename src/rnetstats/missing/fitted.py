"""Reading m fits of one model: that they can be pooled, and the arrays that pooling needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnetstats.errors import ConvergenceError, DataError, OptionError
from rnetstats.regression.model import RegressionResult
from rnetstats.regression.univariable import UnivariableResult

__all__ = ["Fitted", "counted_notes", "read_fits", "same_kind", "shared_notes"]

_SAME_OPTIONS = (
    *("formula", "cause", "censor", "model", "penalty", "m", "ties"),
    *("censoring", "variance", "robust", "conf_level"),
)


@dataclass(frozen=True, eq=False)
class Fitted:
    """The coefficients of m fits.

    Attributes
    ----------
    fits : tuple of RegressionResult
    coefs : array of shape (m, p)
    covariances : array of shape (m, p, p)
    dfcom : float
        Degrees of freedom of the complete data.
    notes : tuple of str
    """

    fits: tuple[RegressionResult, ...]
    coefs: np.ndarray
    covariances: np.ndarray
    dfcom: float
    notes: tuple[str, ...]

    @property
    def m(self) -> int:
        """Number of imputations."""
        return len(self.fits)


def same_kind(
    fits: Iterable[Any],
) -> tuple[RegressionResult | UnivariableResult, ...]:
    """Return the fits if there are two or more, all of one kind.

    Raises
    ------
    DataError
        With fewer than two.
    OptionError
        If they are not fitted models, or not of one kind.
    """
    listed = tuple(fits) if isinstance(fits, Iterable) else (fits,)
    for fit in listed:
        if not isinstance(fit, (RegressionResult, UnivariableResult)):
            raise OptionError(
                f"pool() takes fitted regression models, not {type(fit).__name__}; "
                "pool_estimates(Q, U, dfcom) pools any other numbers with their variances."
            )
    if len(listed) < 2:
        raise DataError(
            f"pool() was given {len(listed)} fit{'' if len(listed) == 1 else 's'}: the variance "
            "between imputations needs at least two (better 20). Fit the model to each data set "
            "of impute(data, imputations=20)."
        )
    kinds = {type(fit).__name__ for fit in listed}
    if len(kinds) > 1:
        raise OptionError(f"pool() was given fits of different kinds: {', '.join(sorted(kinds))}.")
    return listed


def read_fits(fits: Sequence[RegressionResult]) -> Fitted:
    """Check m fits of one model against each other, and stack their coefficients.

    Raises
    ------
    DataError
        If they differ in formula, rows, levels or knots.
    OptionError
        If they were fitted with different options.
    ConvergenceError
        If an estimate or a variance is infinite.
    """
    first = fits[0]
    for k, fit in enumerate(fits[1:], start=2):
        _check_same(first, fit, k)
    coefs = np.array([fit.coefficients["coef"].to_numpy(dtype=float) for fit in fits])
    covariances = np.array([fit.covariance for fit in fits], dtype=float)
    names = [column.name for column in first.design.columns]
    usable = np.isfinite(coefs) & np.isfinite(covariances).all(axis=2)
    if not usable.all():
        k, j = (int(place) for place in np.argwhere(~usable)[0])
        many = int((~usable).any(axis=1).sum())
        raise ConvergenceError(
            f"The coefficient of {names[j]!r} or its variance is infinite in imputation {k + 1} "
            f"({many} of {len(fits)} fits are separated): Rubin's rules need finite estimates. "
            "Fit with penalty='firth'."
        )
    dfcom, notes = _complete_df(first, coefs.shape[1])
    return Fitted(tuple(fits), coefs, covariances, dfcom, (*notes, *shared_notes(fits)))


def _check_same(first: RegressionResult, fit: RegressionResult, k: int) -> None:
    """Refuse what does not belong together; k counts the fits from 1."""
    for name in _SAME_OPTIONS:
        one, other = first.options.get(name), fit.options.get(name)
        if one == other:
            continue
        if name == "formula":
            raise DataError(
                f"Fits 1 and {k} have different formulas ({one!r} and {other!r}); pool() takes "
                "one model fitted to each imputation."
            )
        raise OptionError(f"Fits 1 and {k} have different {name}: {one!r} and {other!r}.")
    if first.summary["n"] != fit.summary["n"]:
        raise DataError(
            f"Fits 1 and {k} are of unequal size: {first.summary['n']} and {fit.summary['n']} "
            "patients. The imputations of one cohort have the same rows; look for values still "
            "missing in some of them."
        )
    for atom, learnt in first.spec["learnt"].items():
        other = fit.spec["learnt"].get(atom)
        if learnt == other:
            continue
        if "knots" in learnt:
            raise DataError(
                f"{atom} has other knots in fit {k} than in fit 1, since they are quantiles of "
                "values that were imputed: its coefficients mean different things. Name the "
                f"knots in the formula, such as knots={[round(v, 4) for v in learnt['knots']]}."
            )
        raise DataError(
            f"{atom} has other levels in fit {k} than in fit 1 ({_listed(other)} against "
            f"{_listed(learnt)}): join the rare ones before imputing."
        )


def _listed(learnt: dict[str, Any] | None) -> str:
    return "none" if learnt is None else ", ".join(repr(v) for v in learnt.get("levels", ()))


def _complete_df(fit: RegressionResult, p: int) -> tuple[float, tuple[str, ...]]:
    """Degrees of freedom of the complete data: patients, or events without an intercept."""
    units, what = ("n", "patients") if fit.design.intercept else ("n_events", "events")
    count = float(fit.summary[units])
    if count - p >= 1.0:
        return count - p, ()
    note = (
        f"There are {count:.0f} {what} for {p} coefficients: 1 degree of freedom is assumed, and "
        "the limits are no more than a warning."
    )
    return 1.0, (note,)


def shared_notes(fits: Sequence[Any]) -> tuple[str, ...]:
    """Return the notes of the fits once each, with how many fits they belong to."""
    return counted_notes([fit.notes for fit in fits])


def counted_notes(notes: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the notes of m imputations once each, with how many imputations they belong to."""
    counted = Counter(note for own in notes for note in dict.fromkeys(own))
    return tuple(
        note if count == len(notes) else f"{note} (In {count} of {len(notes)} imputations.)"
        for note, count in counted.items()
    )
