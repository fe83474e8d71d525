"""One regression a term: the univariable column of a published table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.frame import Data
from rnetstats._core.result import Result
from rnetstats.errors import ConvergenceError, FormulaError, OptionError, TooFewEventsError, closest
from rnetstats.formula.parser import as_formula
from rnetstats.formula.spec import INTERCEPT, atom_name
from rnetstats.formula.terms import Formula, term_text
from rnetstats.regression.cox import cox
from rnetstats.regression.display import draw_forest, model_table
from rnetstats.regression.logistic import logistic
from rnetstats.regression.model import RegressionResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["UnivariableResult", "univariable"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class UnivariableResult(Result):
    """One fit a term; see :func:`univariable`.

    Attributes
    ----------
    fits : tuple of RegressionResult
        In the order of the terms.
    """

    fits: tuple[RegressionResult, ...]

    @property
    def coefficients(self) -> pd.DataFrame:
        """All coefficients but the intercepts, in the shared schema."""
        tables = [fit.coefficients for fit in self.fits]
        table = pd.concat(tables, ignore_index=True)
        return table[table["term"] != INTERCEPT].reset_index(drop=True)

    @property
    def references(self) -> pd.DataFrame:
        """Reference levels of the factors."""
        tables = [fit.references for fit in self.fits if len(fit.references)]
        if not tables:
            return self.fits[0].references
        return pd.concat(tables, ignore_index=True)

    @property
    def joint(self) -> pd.DataFrame:
        """The joint test of each term."""
        return pd.concat([fit.joint for fit in self.fits], ignore_index=True)

    def label(self, term: str) -> str:
        """Return the printed name of a term."""
        for fit in self.fits:
            if term in fit.labels:
                return fit.labels[term]
        return term

    def to_frame(self) -> pd.DataFrame:
        """Return one row a coefficient, in the shared schema."""
        return self.coefficients

    def glance(self) -> pd.DataFrame:
        """Return one row: number of terms, smallest and largest number of patients."""
        n = [fit.summary["n"] for fit in self.fits]
        return pd.DataFrame([{"terms": len(self.fits), "n_min": min(n), "n_max": max(n)}])

    def display(self) -> pd.DataFrame:
        """Return the table as text, with the factors' reference levels."""
        return pd.concat([model_table(fit) for fit in self.fits], ignore_index=True)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw a forest plot of all terms."""
        return draw_forest(self, ax)


def univariable(data: Data, formula: str | Formula, **options: Any) -> UnivariableResult:
    """Fit each main term of a formula by itself.

    Parameters
    ----------
    data : DataFrame or mapping of columns
    formula : str
        The left side decides the model: ``Surv(...)`` gives Cox, anything else logistic
        regression. ``strata()``, ``cluster()`` and ``offset()`` stay in each fit.
    **options
        Those of :func:`rnetstats.logistic` or :func:`rnetstats.cox`.

    Returns
    -------
    UnivariableResult
        ``n`` is a column: each term is fitted on the rows complete for it.

    Raises
    ------
    FormulaError
        If there is no term, or an interaction.
    ColumnError, DataError, TooFewEventsError
        As for the model that is fitted.
    OptionError
        If an option is not allowed, or belongs to the other model.
    TypeError
        If an option belongs to neither model: Python's own, as from a direct call of either.

    References
    ----------
    Sun GW, Shook TL, Kay GL (1996) Inappropriate use of bivariable analysis to screen risk factors
    for use in multivariable analysis. J Clin Epidemiol 49:907-916 (why terms are not to be selected
    by these fits). Heinze G, Dunkler D (2017) Five myths about variable selection. Transpl Int
    30:6-10.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> table = rn.univariable(cohort, "margin_positive ~ lvi + size_mm")
    >>> table.to_frame()[["term", "measure", "estimate", "conf_low", "conf_high"]].round(2)
          term measure  estimate  conf_low  conf_high
    0      lvi      OR      1.22      0.65       2.23
    1  size_mm      OR      1.03      0.98       1.08
    """
    parsed = as_formula(formula)
    if not parsed.terms:
        raise FormulaError(f"{formula!r} has no term to fit; name at least one after '~'.")
    joined = [term for term in parsed.terms if len(term) > 1]
    if joined:
        raise FormulaError(
            "An interaction has no univariable fit; join the terms by '+' instead of ':' or '*'."
        )
    terms = parsed.terms
    survival = parsed.outcome is not None and bool(parsed.outcome.times)
    fit = cox if survival else logistic
    _check_options(options, fit, other=logistic if survival else cox)
    _check_strength(options.get("m"), [atom_name(term[0]) for term in terms])
    fits = tuple(_fit_one(fit, data, parsed.with_terms([term]), options) for term in terms)
    return UnivariableResult(
        fits=fits,
        synthetic=fits[0].synthetic,
        notes=_notes(fits, [term_text(term) for term in terms]),
        options={**fits[0].options, "formula": str(parsed)},
    )


def _check_options(
    options: dict[str, Any], fit: Callable[..., Any], *, other: Callable[..., Any]
) -> None:
    """Refuse options of the other model in words, and those of neither as Python does."""
    taken, elsewhere = signature(fit).parameters, signature(other).parameters
    for name in options:
        if name in taken:
            continue
        if name in elsewhere:
            raise OptionError(
                f"{name}= belongs to {other.__name__}(), but the outcome of this formula is fitted "
                f"by {fit.__name__}()."
            )
        raise TypeError(f"univariable() got an unexpected keyword argument {name!r}")


def _check_strength(m: Any, terms: Sequence[str]) -> None:
    """Refuse log-F priors on terms that are in no fit."""
    for name in m if isinstance(m, Mapping) else ():
        if name not in (*terms, INTERCEPT):
            raise OptionError(
                f"m names {name!r}, which is not a term of the formula.{closest(name, terms)}"
            )


def _fit_one(
    fit: Callable[..., RegressionResult], data: Data, formula: Formula, options: dict[str, Any]
) -> RegressionResult:
    """Fit one term; a refusal that is the term's own says which one it is."""
    if isinstance(options.get("m"), Mapping):
        options = {**options, "m": _own_strength(options["m"], atom_name(formula.terms[0][0]))}
    try:
        return fit(data, formula, **options)
    except (TooFewEventsError, ConvergenceError) as error:
        raise type(error)(f"{term_text(formula.terms[0])}: {error}") from None


def _own_strength(m: Mapping[str, float], term: str) -> dict[str, float]:
    """Priors of a term and of the intercept; 0 for a term that has none."""
    found = {term: m.get(term, 0.0)}
    return found if INTERCEPT not in m else {**found, INTERCEPT: m[INTERCEPT]}


def _notes(fits: Sequence[RegressionResult], terms: Sequence[str]) -> tuple[str, ...]:
    """Notes of all fits; one that does not belong to every fit begins with its term."""
    shared = set.intersection(*(set(fit.notes) for fit in fits))
    found = [note for note in fits[0].notes if note in shared]
    for term, fit in zip(terms, fits, strict=True):
        for note in fit.notes:
            if note not in shared:
                named = note.startswith(f"{term}:")
                found.append(note if named else f"{term}: {note}")
    return tuple(found)
