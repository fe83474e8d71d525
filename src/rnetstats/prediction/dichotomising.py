"""What cutting a number in two costs, against the number itself and a spline of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, as_frame, is_synthetic_data, label_of
from rnetstats._core.options import items_of, positive_int, real
from rnetstats._core.result import Result
from rnetstats.errors import FormulaError, OptionError, TooFewEventsError
from rnetstats.formatting import fmt_number, fmt_percent, listed
from rnetstats.formula.design import model_frame
from rnetstats.formula.parser import as_formula
from rnetstats.formula.rows import select_rows
from rnetstats.formula.terms import Formula, Plain, quote, term_text
from rnetstats.prediction.dichotomising_models import (
    MODELS,
    ModelFit,
    model_rows,
    risk_curves,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["DichotomisingResult", "dichotomising_cost"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DichotomisingResult(Result):
    """Models with a number cut in two, linear, and as a spline, on the same rows.

    Attributes
    ----------
    table : DataFrame
        ``model, df, lr_chi2`` (likelihood ratio of the numbers, over the other terms),
        ``lr_chi2_adjusted`` (less its degrees of freedom, not below 0), ``information`` (share of
        the spline's), ``information_adjusted``, ``efficiency`` (share of the linear model's),
        ``effective_n`` (n times that), ``r2_nagelkerke, brier, auc``, and ``net_benefit_<t>`` for
        each threshold.
    curves : DataFrame
        ``variable, model, x, risk``: the fitted risk along each number, all else at its mean.
    labels : dict
    n, n_events : float
    n_missing : int
    """

    table: pd.DataFrame
    curves: pd.DataFrame
    labels: dict[str, str]
    n: float
    n_events: float
    n_missing: int = 0

    def to_frame(self) -> pd.DataFrame:
        """Return a row a model."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: what the cut-offs lose."""
        by = {row["model"]: row for row in self.table.to_dict("records")}
        return pd.DataFrame(
            [
                {
                    "n": self.n,
                    "n_events": self.n_events,
                    "n_missing": self.n_missing,
                    "auc_lost": by["spline"]["auc"] - by["cut"]["auc"],
                    "information": by["cut"]["information"],
                    "efficiency": by["cut"]["efficiency"],
                    "effective_n": by["cut"]["effective_n"],
                }
            ]
        )

    def display(self) -> pd.DataFrame:
        """Return the comparison as text."""
        shown = pd.DataFrame(
            {
                "Model": self.table["model"],
                "LR chi-square (df)": [
                    f"{fmt_number(v, 1)} ({df})"
                    for v, df in zip(self.table["lr_chi2"], self.table["df"], strict=True)
                ],
                "Information": [fmt_percent(v, 0) for v in self.table["information"]],
                "Effective N": [fmt_number(v, 0) for v in self.table["effective_n"]],
                "AUC": [fmt_number(v, 3) for v in self.table["auc"]],
            }
        )
        for name in self.table.columns[self.table.columns.str.startswith("net_benefit_")]:
            label = f"Net benefit at {name.removeprefix('net_benefit_')}"
            shown[label] = [fmt_number(v, 4) for v in self.table[name]]
        return shown

    def plot(self, ax: Axes | None = None, *, variable: str | None = None) -> Axes:
        """Draw the fitted risk along ``variable`` (the first number by default) by each model."""
        from rnetstats.plots.cutpoint import risk_functions
        from rnetstats.plots.style import marked

        names = list(dict.fromkeys(self.curves["variable"]))
        chosen = names[0] if variable is None else variable
        if chosen not in names:
            raise OptionError(f"variable={chosen!r} is not cut; choose one of {', '.join(names)}.")
        axes = risk_functions(
            self.curves[self.curves["variable"] == chosen],
            label=self.labels[chosen],
            outcome=self.labels["outcome"],
            ax=ax,
        )
        return marked(axes, self.synthetic)


def dichotomising_cost(
    data: Data,
    formula: str,
    *,
    cuts: Mapping[str, float],
    thresholds: Sequence[float] = (),
    knots: int = 4,
    freq_weights: str | ArrayLike | None = None,
    missing: str = "drop",
) -> DichotomisingResult:
    """Compare a logistic model with numbers cut in two to the same with the numbers themselves.

    Three models by maximum likelihood on the same rows: each number x as I(x > cut), as it is, and
    as a restricted cubic spline. Other terms of the formula stand in all three.

    Parameters
    ----------
    data : DataFrame or mapping of columns
    formula : str
        ``"y ~ nlr + size_mm + location"``; the numbers to be cut are terms of their own.
    cuts : mapping of str to float
        Such as ``{"nlr": 4.44, "size_mm": 14.89}``: named beforehand. A cut-off found on these
        data flatters the model that uses it.
    thresholds : sequence of float
        Threshold probabilities of the net benefit.
    knots : int
        Of the splines, 3 to 7.
    freq_weights : str or array, optional
        Whole numbers that stand for replicated rows.
    missing : {"drop", "raise"}

    Returns
    -------
    DichotomisingResult
        The effective sample size is n times the ratio of the likelihood-ratio chi-squares of cut
        and linear model: for a normal number with a linear logit and a small effect, cut at its
        median, 2/pi = 0.637 in large samples.

    Raises
    ------
    OptionError
        For cut-offs of columns that are no terms, or options out of range.
    FormulaError, ColumnError, DataError
        As for :func:`rnetstats.logistic`; a cut-off outside the range leaves one group.
    TooFewEventsError
        If all rows used have one outcome.

    References
    ----------
    Royston P, Altman DG, Sauerbrei W (2006). Dichotomizing continuous predictors in multiple
    regression: a bad idea. Statistics in Medicine 25, 127-141.
    Lagakos SW (1988). Effects of mismodelling and mismeasuring explanatory variables on tests of
    their association with a response variable. Statistics in Medicine 7, 257-274.
    Harrell FE (2015). Regression Modeling Strategies, 2nd ed., section 9.8.4 (adequacy index).
    Springer.

    Examples
    --------
    Cut near its median, the ratio tells as much as it would among a quarter of the patients.

    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024", truth="smooth")
    >>> found = rn.dichotomising_cost(cohort, "margin_positive ~ nlr", cuts={"nlr": 3})
    >>> found.to_frame()[["model", "df", "lr_chi2", "auc", "effective_n"]].round(2)
        model  df  lr_chi2   auc  effective_n
    0     cut   1     1.94  0.53       134.33
    1  linear   1     7.63  0.56       527.00
    2  spline   3     8.39  0.56       579.68
    """
    parsed = as_formula(formula)
    chosen = _cuts(parsed, cuts)
    count = positive_int("knots", knots, minimum=3)
    levels = [real("thresholds", t, low=0.0, high=1.0, closed=False) for t in items_of(thresholds)]
    frame = as_frame(data)
    weights = {"freq_weights": freq_weights}
    rows = select_rows(frame, parsed.columns, weights, missing)  # one set of rows for all models
    part = frame.iloc[rows.positions]
    freq = rows.freq_weights
    designs = {
        name: model_frame(
            part,
            _formula(parsed, chosen, name, count),
            kind="binary",
            weights={"freq_weights": freq},
        )
        for name in ("others", *MODELS)
    }
    outcome = designs["cut"].outcome
    assert outcome is not None and outcome.y is not None
    y = outcome.y
    if np.ptp(y) == 0.0:
        raise TooFewEventsError(
            f"The outcome {outcome.name!r} is {y[0]:g} in all {y.size} rows used: there is nothing "
            "for a cut-off to lose."
        )
    copies = np.ones(y.size) if freq is None else freq
    fits = {name: ModelFit.of(design, y, copies) for name, design in designs.items()}
    table = pd.DataFrame(model_rows(fits, y, copies, levels))
    return DichotomisingResult(
        table=table,
        curves=risk_curves(part, chosen, designs, fits, copies),
        labels={
            **{v: label_of(frame, v) for v in chosen},
            "outcome": label_of(frame, outcome.columns[-1]),
        },
        n=float(copies.sum()),
        n_events=float(copies @ y),
        n_missing=rows.n_missing,
        synthetic=is_synthetic_data(data),
        notes=(*rows.notes, *_notes(fits, table)),
        options={
            "formula": str(parsed),
            "cuts": chosen,
            "thresholds": levels,
            "knots": count,
            "missing": missing,
        },
    )


def _cuts(parsed: Formula, cuts: Mapping[str, float]) -> dict[str, float]:
    if not isinstance(cuts, Mapping) or not cuts:
        raise OptionError("cuts= maps columns to cut-offs, as in cuts={'nlr': 4.44}.")
    plain = [t[0].column for t in parsed.terms if len(t) == 1 and isinstance(t[0], Plain)]
    for name in cuts:
        if name not in plain:
            raise OptionError(
                f"cuts names {name!r}, which is no term of its own in {str(parsed)!r}; its plain "
                f"terms are {', '.join(plain) or 'none'}."
            )
        joined = [t for t in parsed.terms if len(t) > 1 and any(name in a.columns for a in t)]
        if joined:
            raise FormulaError(
                f"{term_text(joined[0])} joins {name!r}, which is to be cut; leave it out."
            )
    return {name: real(f"cuts[{name!r}]", value) for name, value in cuts.items()}


def _formula(parsed: Formula, cuts: Mapping[str, float], model: str, knots: int) -> str:
    """The formula of one model; "others" leaves the numbers out."""
    terms = []
    for term in parsed.terms:
        name = term[0].columns[0] if len(term) == 1 else ""
        if not (len(term) == 1 and isinstance(term[0], Plain) and name in cuts):
            terms.append(term_text(term))
            continue
        written = quote(name)
        forms = {
            "cut": f"I({written} > {cuts[name]!r})",
            "linear": written,
            "spline": f"rcs({written}, {knots})",
        }
        if model in forms:
            terms.append(forms[model])
    terms += [offset.text for offset in parsed.offsets]
    assert parsed.outcome is not None, "a model has an outcome"
    return f"{parsed.outcome.text} ~ {' + '.join(terms) or '1'}"


def _notes(fits: Mapping[str, ModelFit], table: pd.DataFrame) -> list[str]:
    notes = [
        "All figures are apparent: on the rows that the models were fitted to, where the spline's "
        "further degrees of freedom flatter it; information_adjusted takes them off. Cut-offs that "
        "were found on these rows flatter the cut model too, and uncounted.",
        "Effective N is the number of patients with the numbers kept linear that would carry as "
        "much information (likelihood-ratio chi-square) as all of these do once cut.",
    ]
    failed = [name for name in MODELS if not fits[name].converged]
    if failed:
        many = len(failed) > 1
        notes.append(
            f"The likelihood{'s' if many else ''} of the {listed(failed)} "
            f"model{'s have' if many else ' has'} no maximum (separation); "
            f"{'their' if many else 'its'} figures are limits, not estimates."
        )
    if not table["lr_chi2"].iloc[1:].gt(0.0).all():
        notes.append("A share of an information of 0 does not exist (shown as missing).")
    if (table["lr_chi2"] < 3.84 * table["df"]).all():
        notes.append(
            "The numbers carry hardly any information here, cut or not: ratios of two such small "
            "chi-squares are chance."
        )
    return notes
