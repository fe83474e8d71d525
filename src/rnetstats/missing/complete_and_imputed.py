"""Complete cases and imputed data side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.frame import Data
from rnetstats._core.options import choice
from rnetstats._core.result import Result
from rnetstats.errors import DataError, OptionError
from rnetstats.formula.parser import as_formula
from rnetstats.formula.terms import Formula
from rnetstats.missing.pool import pool
from rnetstats.missing.pooled_result import PooledResult
from rnetstats.regression.cox import cox
from rnetstats.regression.display import forest_rows
from rnetstats.regression.logistic import logistic
from rnetstats.regression.model import RegressionResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CompleteAndImputed", "complete_and_imputed"]

COMPLETE, IMPUTED = "complete cases", "imputed"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CompleteAndImputed(Result):
    """One model on complete cases and on imputed data; see :func:`complete_and_imputed`.

    Attributes
    ----------
    complete : RegressionResult
    imputed : PooledResult
    """

    complete: RegressionResult
    imputed: PooledResult

    def to_frame(self) -> pd.DataFrame:
        """Return one row a coefficient and analysis.

        Returns
        -------
        DataFrame
            ``analysis`` ("complete cases" or "imputed"), the shared schema, then the columns of
            :meth:`PooledResult.to_frame`, which are missing for complete cases.
        """
        pooled = self.imputed.to_frame()
        plain = self.complete.to_frame().reindex(columns=pooled.columns)
        numbers = [name for name in pooled.columns if name not in self.complete.coefficients]
        plain[numbers] = plain[numbers].astype(float)
        parts = [plain.assign(analysis=COMPLETE), pooled.assign(analysis=IMPUTED)]
        table = pd.concat(parts, ignore_index=True)
        return table[["analysis", *pooled.columns]]

    def glance(self) -> pd.DataFrame:
        """Return one row: counts of both analyses, and the largest ``fmi``."""
        return pd.DataFrame(
            [
                {
                    "n_complete": self.complete.summary["n"],
                    "events_complete": self.complete.summary["n_events"],
                    "n_imputed": self.imputed.summary["n"],
                    "events_imputed": self.imputed.summary["n_events"],
                    "imputations": self.imputed.summary["imputations"],
                    "fmi_max": self.imputed.summary["fmi_max"],
                }
            ]
        )

    def display(self) -> pd.DataFrame:
        """Return both tables as text, one beside the other."""
        keys = ["term", "level"]
        left = self.complete.display()
        right = self.imputed.display()
        mine = {name: f"{name}, {COMPLETE}" for name in left.columns if name not in keys}
        other = {name: f"{name}, {IMPUTED}" for name in right.columns if name not in keys}
        both = right.rename(columns=other).merge(
            left.rename(columns=mine), on=keys, how="outer", sort=False
        )
        order = {
            place: k for k, place in enumerate(zip(right["term"], right["level"], strict=True))
        }
        places = zip(both["term"], both["level"], strict=True)
        both = both.iloc[
            sorted(range(len(both)), key=[order.get(p, 1 << 30) for p in places].__getitem__)
        ]
        return both[[*keys, *mine.values(), *other.values()]].fillna("").reset_index(drop=True)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw both as a forest plot, each coefficient twice."""
        from rnetstats.plots.forest import forest
        from rnetstats.plots.style import marked

        first, second = forest_rows(self.complete), forest_rows(self.imputed)
        parts = [
            first.assign(place=range(len(first)), second=0, kind=COMPLETE),
            second.assign(place=range(len(second)), second=1, kind=IMPUTED),
        ]
        rows = pd.concat(parts).sort_values(["place", "second"], kind="stable")
        rows = rows.assign(label=rows["label"] + ", " + rows["kind"])
        measure = str(self.imputed.coefficients["measure"].iloc[-1])
        axes = forest(rows, measure=measure, conf_level=self.options["conf_level"], ax=ax)
        return marked(axes, self.synthetic)


def complete_and_imputed(
    data: Data,
    formula: str | Formula,
    imputations: Iterable[pd.DataFrame],
    *,
    model: str | None = None,
    **options: Any,
) -> CompleteAndImputed:
    """Fit one model to the complete cases and to each imputation, and show both.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        As observed, with its missing values.
    formula : str
    imputations : sequence of DataFrames
        Of the same rows, from :func:`rnetstats.impute`.
    model : {None, "logistic", "cox"}
        By default as the left side says: ``Surv(...)`` gives Cox.
    **options
        Those of :func:`rnetstats.logistic` or :func:`rnetstats.cox`.

    Returns
    -------
    CompleteAndImputed

    Raises
    ------
    DataError
        If the imputations have other rows than the data; see also :func:`rnetstats.pool`.
    OptionError
        If ``model`` does not fit the left side of the formula.
    FormulaError, ColumnError
        As for :func:`rnetstats.logistic` and :func:`rnetstats.cox`.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> gaps = cohort.assign(nlr=cohort["nlr"].mask(cohort["age"] > 60))
    >>> formula = "margin_positive ~ nlr + age"
    >>> filled = rn.impute(
    ...     gaps, columns=["nlr", "age"], outcome="margin_positive", imputations=5, seed=1
    ... )
    >>> both = rn.complete_and_imputed(gaps, formula, filled)
    >>> both.to_frame()[["analysis", "term", "estimate", "conf_low", "conf_high"]].round(2)
             analysis         term  estimate  conf_low  conf_high
    0  complete cases  (Intercept)      0.21      0.06       0.66
    1  complete cases          nlr      1.06      0.90       1.25
    2  complete cases          age      1.02      0.99       1.04
    3         imputed  (Intercept)      0.27      0.10       0.70
    4         imputed          nlr      1.09      0.90       1.32
    5         imputed          age      1.01      0.99       1.03
    """
    choice("model", model, (None, "logistic", "cox"))
    parsed = as_formula(formula)
    survival = parsed.outcome is not None and bool(parsed.outcome.times)
    if model is not None and (model == "cox") != survival:
        raise OptionError(f"model={model!r} does not fit the left side of {str(parsed)!r}.")
    fit = cox if survival else logistic
    sets = _sets(imputations)
    complete = fit(data, parsed, **options)
    total = complete.summary["n"] + complete.summary["n_missing"]
    for k, part in enumerate(sets, start=1):
        if len(part) != _rows(data):
            raise DataError(
                f"Imputation {k} has {len(part)} rows, the data {_rows(data)}: impute these data."
            )
    pooled = pool([fit(part, parsed, **options) for part in sets])
    assert isinstance(pooled, PooledResult)
    share = complete.summary["n_missing"] / total
    return CompleteAndImputed(
        complete=complete,
        imputed=pooled,
        synthetic=complete.synthetic or pooled.synthetic,
        notes=_notes(complete, pooled, share),
        options={"formula": str(parsed), "conf_level": pooled.options["conf_level"]},
    )


def _sets(imputations: Iterable[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return the completed data sets, which must be tables."""
    sets = list(imputations) if isinstance(imputations, Iterable) else []
    if not sets or not all(hasattr(part, "__len__") for part in sets):
        raise OptionError(
            "imputations must be completed data sets, as impute() returns them, not "
            f"{type(imputations).__name__}."
        )
    return sets


def _rows(data: Data) -> int:
    if isinstance(data, pd.DataFrame):
        return len(data)
    return len(next(iter(data.values())))


def _notes(complete: RegressionResult, pooled: PooledResult, share: float) -> tuple[str, ...]:
    """Say what each analysis rests on, then what was noted for each."""
    summary = complete.summary
    head = (
        f"Complete cases: {summary['n']} patients ({100.0 * share:.1f} % left out), "
        f"{summary['n_events']} events; unbiased if being complete does not depend on the outcome, "
        "given the terms. Imputed: all patients; unbiased if what is missing depends on what was "
        "observed alone, and the imputation models hold."
    )
    own = [f"Complete cases: {note}" for note in complete.notes]
    return (head, *own, *(f"Imputed: {note}" for note in pooled.notes))
