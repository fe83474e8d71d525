"""Is the hazard ratio constant? Score tests and residuals of a Cox model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.distributions import chi_square_p
from rnetstats._core.options import choice
from rnetstats._core.result import Result
from rnetstats.errors import DataError, OptionError, closest
from rnetstats.formatting import fmt_number, fmt_p
from rnetstats.kernels.cox_residuals import (
    FittedCox,
    SchoenfeldResiduals,
    deviance_residuals,
    dfbeta,
    martingale_residuals,
    scaled_schoenfeld,
    schoenfeld_residuals,
    score_residuals,
)
from rnetstats.kernels.cox_zph import TRANSFORMS, proportional_hazards_test, time_transform
from rnetstats.kernels.risksets import prepare
from rnetstats.regression.hazards_smooth import smooth_residuals

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rnetstats.regression.engine import Engine

__all__ = ["KINDS", "ProportionalHazardsResult", "check_proportional_hazards", "residual_values"]

KINDS = ("martingale", "deviance", "score", "schoenfeld", "scaledsch", "dfbeta")
_FEW_EVENTS = 20


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ProportionalHazardsResult(Result):
    """Score tests of proportional hazards.

    Attributes
    ----------
    tests : DataFrame
        Columns ``term, df, statistic, p_value``; the last row, ``GLOBAL``, is of all terms.
    coefficients : dict
        The estimate of each column, for the plot.
    curves : DataFrame or None
        ``column, time, estimate, conf_low, conf_high``: each coefficient smoothed over time.
    residuals : DataFrame
        Columns ``time`` and one a coefficient: scaled Schoenfeld residuals; never written.
    """

    tests: pd.DataFrame
    coefficients: dict[str, float]
    curves: pd.DataFrame | None = None
    residuals: pd.DataFrame | None = field(default=None, metadata={"rows": True})

    def to_frame(self) -> pd.DataFrame:
        """Return one row a term, and one for all together (a copy)."""
        return self.tests.copy()

    def glance(self) -> pd.DataFrame:
        """Return the global test."""
        return self.tests[self.tests["term"] == "GLOBAL"].reset_index(drop=True)

    def display(self) -> pd.DataFrame:
        """Return the tests as text."""
        return pd.DataFrame(
            {
                "term": self.tests["term"],
                "df": [str(df) for df in self.tests["df"]],
                "chi-square": [fmt_number(v) for v in self.tests["statistic"]],
                "P": [fmt_p(p) for p in self.tests["p_value"]],
            }
        )

    def plot(self, ax: Axes | None = None, column: str | None = None) -> Axes:
        """Draw a coefficient over time: scaled Schoenfeld residuals, smoothed, with a band.

        Parameters
        ----------
        ax : Axes, optional
        column : str, optional
            The coefficient; by default the first.

        Raises
        ------
        OptionError
            If there is no such coefficient.
        """
        from rnetstats.plots.schoenfeld import coefficient_over_time
        from rnetstats.plots.style import marked

        points = self._need("residuals", "A plot of Schoenfeld residuals")
        name = next(iter(self.coefficients)) if column is None else column
        known = list(self.coefficients)
        if name not in known:
            raise OptionError(f"There is no coefficient {name!r}.{closest(name, known)}")
        curve = None
        if self.curves is not None:
            curve = self.curves[self.curves["column"] == name]
        axes = coefficient_over_time(
            points[["time", name]].rename(columns={name: "value"}),
            label=name,
            estimate=self.coefficients[name],
            conf_level=self.options["conf_level"],
            curve=curve,
            ax=ax,
        )
        return marked(axes, self.synthetic)


def check_proportional_hazards(
    fitted: FittedCox,
    engine: Engine,
    covariance: np.ndarray,
    transform: str,
    *,
    conf_level: float,
) -> ProportionalHazardsResult:
    """Test each term's coefficient for a trend over transformed time.

    The score test of g(t) times x, of the maximum likelihood fit.

    Parameters
    ----------
    fitted : FittedCox
        At the maximum likelihood estimate.
    engine : Engine
    covariance : array of shape (p, p)
        Inverse information there.
    transform : {"km", "rank", "identity", "log"}
    conf_level : float
        Of the bands about the smoothed coefficients.

    References
    ----------
    Grambsch PM, Therneau TM (1994). Proportional hazards tests and diagnostics based on weighted
    residuals. Biometrika 81:515-526.
    """
    choice("transform", transform, TRANSFORMS)
    frame, sets = engine.frame, fitted.likelihood.sets
    if transform == "log" and not (sets.times > 0).all():
        raise DataError("transform='log' needs event times above 0; use 'km'.")
    outcome = frame.outcome
    assert outcome is not None
    assert outcome.stop is not None
    assert outcome.event is not None
    pooled = None
    if frame.strata is not None:
        pooled = prepare(outcome.start, outcome.stop, outcome.event)
    g = time_transform(sets, transform, outcome.stop, pooled=pooled, freq=frame.freq_weights)
    terms = [tuple(range(term.start, term.stop)) for term in frame.design.terms]
    found = proportional_hazards_test(fitted, g, terms)
    statistic = np.append(found.statistic, found.global_statistic)
    df = np.append(np.array(found.df, dtype=int), found.global_df)
    names = [term.name for term in frame.design.terms]
    points = schoenfeld_residuals(fitted)
    weights, copies = (_of_events(points, of) for of in (frame.weights, frame.freq_weights))
    curves = scaled_schoenfeld(points, covariance, fitted.coef, weights)
    columns = [column.name for column in frame.design.columns]
    untested = [
        name for name, of in zip([*names, "GLOBAL"], statistic, strict=True) if np.isnan(of)
    ]
    return ProportionalHazardsResult(
        tests=pd.DataFrame(
            {
                "term": [*names, "GLOBAL"],
                "df": df,
                "statistic": statistic,
                "p_value": chi_square_p(statistic, df),
            }
        ),
        coefficients=dict(zip(columns, fitted.coef.tolist(), strict=True)),
        curves=smooth_residuals(
            points.times,
            _at_events(points.times, sets.times, g),
            curves,
            np.diag(covariance),
            columns,
            conf_level=conf_level,
            freq=copies,
            sampling=_of_events(points, frame.sampling_weights),
        ),
        residuals=pd.DataFrame(curves, columns=columns).assign(time=points.times),
        notes=_notes(engine, untested, len(points.times) if copies is None else int(copies.sum())),
        options={"transform": transform, "conf_level": conf_level},
    )


def _notes(engine: Engine, untested: list[str], n_events: int) -> tuple[str, ...]:
    """Say what fit the tests are of, which there are not, and how little few events show."""
    notes = []
    if engine.penalised:
        kind = "Firth's penalty" if engine.firth else "the log-F priors"
        notes.append(f"The test is that of the maximum likelihood fit, without {kind}.")
    if untested:
        notes.append(
            f"No test of {', '.join(untested)}: the events at different times are too few to show "
            "a change of the coefficients over time, and P is missing."
        )
    if n_events < _FEW_EVENTS:
        events = "1 event" if n_events == 1 else f"{n_events} events"
        notes.append(
            f"With {events} this test finds only gross departures: a large P "
            "is not evidence of proportional hazards."
        )
    return tuple(notes)


def _of_events(points: SchoenfeldResiduals, weights: np.ndarray | None) -> np.ndarray | None:
    """Return the weights (n,) of the rows with the events, in the order of the residuals."""
    return None if weights is None else weights[points.rows]


def _at_events(events: np.ndarray, times: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Return transformed time of each event; a time has one value in all strata."""
    distinct, first = np.unique(times, return_index=True)
    return np.asarray(g[first[np.searchsorted(distinct, events)]])


def residual_values(fitted: FittedCox, engine: Engine, kind: str) -> np.ndarray | pd.DataFrame:
    """Return residuals of one kind, as :meth:`CoxResult.residuals` describes them."""
    choice("kind", kind, KINDS)
    outcome, names = engine.frame.outcome, [column.name for column in engine.frame.design.columns]
    assert outcome is not None
    assert outcome.event is not None
    if kind in ("martingale", "deviance"):
        martingale = martingale_residuals(fitted)
        if kind == "martingale":
            return martingale
        return deviance_residuals(martingale, outcome.event.astype(float))
    if kind in ("score", "dfbeta"):
        scores = score_residuals(fitted)
        if kind == "dfbeta":
            scores = dfbeta(scores, engine.model_covariance, engine.frame.sampling_weights)
        return pd.DataFrame(scores, columns=names)
    points = schoenfeld_residuals(fitted)
    values = points.values
    if kind == "scaledsch":
        weights = _of_events(points, engine.frame.weights)
        values = scaled_schoenfeld(points, engine.model_covariance, fitted.coef, weights)
    table = pd.DataFrame(values, columns=names)
    table.insert(0, "time", points.times)
    return table
