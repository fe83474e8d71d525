"""Multiple imputation by chained equations."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from rnetstats._core.frame import Data, is_synthetic_data
from rnetstats._core.options import positive_int
from rnetstats._core.random import chunk_generators, resolve_seed
from rnetstats.data.codebook import Codebook
from rnetstats.missing.imputations import Imputations, summary_table
from rnetstats.missing.imputer import Imputer, imputer

__all__ = ["impute"]


def impute(
    data: Data,
    *,
    columns: Sequence[str] | None = None,
    outcome: str | Sequence[str] | None = None,
    imputations: int = 20,
    iterations: int = 10,
    method: Mapping[str, str] | None = None,
    passive: Mapping[str, str] | None = None,
    exclude: Sequence[str] = (),
    codebook: Codebook | str | os.PathLike[str] | None = None,
    donors: int = 5,
    seed: int | None = None,
) -> Imputations:
    """Fill in missing values several times over, by chained equations.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        Never changed.
    columns : sequence of str, optional
        To be imputed where they are incomplete, and to predict each other. By default all but
        identifiers, dates, columns of one value, columns that are more than half missing and
        those that are empty because nothing applies; what is left out is noted.
    outcome : str or sequence of str, optional
        The left side of the model to come, such as ``"margin_positive"`` or
        ``"Surv(dfs_months, recurrence)"``: it enters the imputation models, times as event
        indicator and Nelson-Aalen cumulative hazard instead of the time itself.
    imputations : int
        Data sets; as a rule at least the percentage of incomplete patients.
    iterations : int
        Rounds over the incomplete columns. One round is made if a single column is incomplete.
    method : mapping of str to str, optional
        By default ``"pmm"`` (predictive mean matching) for numbers, ``"logistic"`` for two values,
        ``"ordered"`` (proportional odds) for ordered categories, ``"nominal"`` for others;
        ``"normal"`` draws numbers from the linear model itself.
    passive : mapping of str to str, optional
        Columns computed from others by one term of the formula language, in the data or new,
        such as ``{"log_nlr": "log(nlr)", "both": "nlr*lvi"}``. They predict all but their sources.
    exclude : sequence of str
        Columns to leave alone: neither imputed nor predictors.
    codebook : Codebook, name of a study or path, optional
        Its derived columns are derived again from imputed ones, where they are missing too; they
        are never drawn. By default the built-in codebook that the data were read with, if any:
        name your own.
    donors : int
        For predictive mean matching.
    seed : int, optional

    Returns
    -------
    Imputations
        A sequence of DataFrames with the rows, columns and types of the data; observed values are
        those of the data. ``trace()`` and ``plot()`` show the chains.

    Raises
    ------
    ColumnError
        If a column asked for does not exist, is an identifier, holds one value or none.
    DataError
        If follow-up times or events are missing, or a passive column contradicts its expression.
    FormulaError
        If an outcome or a passive expression is outside the formula language.
    OptionError
        If an option is not allowed.

    Notes
    -----
    Each value is drawn with coefficients drawn from their posterior, so that the imputations are
    proper. The fewer values a column lacks, the earlier it is visited. Matching is of type 1:
    donors by the estimated, recipients by the drawn coefficients. Categories are drawn from
    models with a few weighted rows added, which keep them finite under perfect prediction.
    Of columns that are missing together and follow from each other (a total and its parts, mm and
    cm), the one that lacks fewer values is imputed without the other, and the other from it;
    otherwise both would keep the values drawn at the start. A note says so.
    Matching gives values that someone has: where most of a tail is missing, effects are pulled
    towards none, and ``"normal"`` on a suitable scale is better. All assumes that what is missing
    depends on what is observed alone (missing at random). A shorter run with the same seed is a
    prefix of a longer one.

    References
    ----------
    van Buuren S (2018). Flexible Imputation of Missing Data, 2nd ed. Chapman & Hall.
    White IR, Royston P (2009). Imputing missing covariate values for the Cox model. Stat Med
    28:1982-1998.
    White IR, Daniel R, Royston P (2010). Avoiding bias due to perfect prediction in multiple
    imputation of incomplete categorical variables. Comput Stat Data Anal 54:2267-2275.

    Examples
    --------
    Values that are missing where patients are old, as another column tells.

    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> gaps = cohort.assign(nlr=cohort["nlr"].mask(cohort["age"] > 60))
    >>> formula = "margin_positive ~ nlr + lvi"
    >>> filled = rn.impute(
    ...     gaps, columns=["nlr", "age", "lvi"], outcome="margin_positive", imputations=5, seed=1
    ... )
    >>> [int(part["nlr"].isna().sum()) for part in filled]
    [0, 0, 0, 0, 0]
    >>> pooled = rn.pool([rn.logistic(part, formula) for part in filled])
    >>> pooled.to_frame()[["term", "estimate", "conf_low", "conf_high"]].round(2)
              term  estimate  conf_low  conf_high
    0  (Intercept)      0.43      0.28       0.66
    1          nlr      1.08      0.91       1.29
    2          lvi      1.22      0.66       2.27
    """
    imputations = positive_int("imputations", imputations)
    iterations = positive_int("iterations", iterations)
    seed = resolve_seed(seed)
    made = imputer(
        data,
        columns=columns,
        outcome=outcome,
        method=method,
        passive=passive,
        exclude=exclude,
        codebook=codebook,
        donors=donors,
    )
    drawn = [
        made.draw(rng, iterations=iterations)
        for _, rng in chunk_generators(seed, imputations, size=1)
    ]
    values = tuple(part for part, _ in drawn)
    incomplete = _incomplete_rows(made)
    return Imputations(
        m=imputations,
        n=len(made.frame),
        table=summary_table(made, values),
        chains=np.array([trace for _, trace in drawn]),
        imputer=made,
        values=values,
        seed=seed,
        synthetic=is_synthetic_data(data),
        notes=(*made.notes, *_advice(made, imputations, incomplete, columns, outcome)),
        options={
            "columns": None if columns is None else list(columns),
            "outcome": outcome if outcome is None or isinstance(outcome, str) else list(outcome),
            "imputations": imputations,
            "iterations": iterations,
            "method": dict(method or {}),
            "passive": dict(passive or {}),
            "exclude": list(exclude),
            "codebook": getattr(codebook, "name", codebook if codebook is None else str(codebook)),
            "donors": donors,
            "n_incomplete": incomplete,
        },
    )


def _incomplete_rows(made: Imputer) -> int:
    if not made.targets:
        return 0
    return int(np.logical_or.reduce([column.missing for column in made.targets]).sum())


def _advice(
    made: Imputer,
    imputations: int,
    incomplete: int,
    columns: Sequence[str] | None,
    outcome: str | Sequence[str] | None,
) -> tuple[str, ...]:
    """Warn of an imputation that cannot be pooled, is too small, or ignores the outcome."""
    if not made.targets:
        return ()
    notes = []
    share = 100.0 * incomplete / len(made.frame)
    if imputations == 1:
        notes.append(
            "A single imputation cannot be pooled: standard errors from it treat imputed values "
            "as if they had been observed."
        )
    elif imputations < share:
        notes.append(
            f"{share:.0f} % of the patients are incomplete: as a rule there should be at least as "
            f"many imputations, not {imputations}."
        )
    if outcome is None and columns is not None:
        notes.append(
            "No outcome was named: unless it is among the columns, effects on it will be pulled "
            "towards none."
        )
    return tuple(notes)
