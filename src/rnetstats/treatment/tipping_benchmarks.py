"""What each measured covariate of a fit would have done, had it not been measured."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.errors import OptionError
from rnetstats.formula.spec import Term
from rnetstats.regression.engine import Engine
from rnetstats.regression.model import RegressionResult

__all__ = ["measured_factors"]

Floats = NDArray[np.float64]
_COLUMNS = ["term", "effect", "prevalence_exposed", "prevalence_unexposed", "bias_factor"]


def measured_factors(fit: RegressionResult, row: int) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the bias factor of each covariate beside the exposure.

    The factor is the mean of ``exp(x b)`` over the exposed divided by that over the unexposed, with
    the covariate's columns x and coefficients b: the formula of a binary confounder, for any
    distribution. For a covariate of two values 0 and 1 it is that formula itself.

    Parameters
    ----------
    fit : LogisticResult or CoxResult
        With its patient rows.
    row : int
        The exposure's row in the table of coefficients; it takes part in no interaction.

    Returns
    -------
    factors : DataFrame
        ``term, effect, prevalence_exposed, prevalence_unexposed, bias_factor``; effect and
        prevalences are missing for what is no 0/1 covariate.
    notes : tuple of str

    Raises
    ------
    OptionError
        If the exposure has more than two values.
    DataNotKeptError
        If the fit was read back from JSON.

    References
    ----------
    Lin DY, Psaty BM, Kronmal RA (1998). Assessing the sensitivity of regression results to
    unmeasured confounders in observational studies. Biometrics 54:948-963.
    """
    engine: Engine = fit._need("engine", "A comparison with measured confounders")
    spec = engine.spec
    exposure = next(term for term in spec.terms if term.start <= row < term.stop)
    exposed = _exposed(engine, exposure, row)
    weight = engine.patient_weights
    rows = []
    skipped = [t.name for t in spec.terms if t.kind == "interaction"]
    for term in spec.terms:
        if term.name == exposure.name or term.kind == "interaction":
            continue
        x, coef = engine.X[:, term.columns], engine.coef[term.columns]
        if not np.isfinite(coef).all():
            skipped.append(term.name)
            continue
        rows.append(_factor(fit.label(term.name), x, coef, exposed, weight))
    notes = (
        (f"Without a factor of their own: {', '.join(skipped)} (interaction or infinite).",)
        if skipped
        else ()
    )
    return pd.DataFrame(rows, columns=_COLUMNS), notes


def _exposed(engine: Engine, exposure: Term, row: int) -> tuple[NDArray[np.bool_], ...]:
    """The exposed rows, and the unexposed: those of the reference."""
    columns = engine.X[:, exposure.columns]
    if not np.isin(columns, (0.0, 1.0)).all() or exposure.kind not in ("numeric", "factor"):
        raise OptionError(
            f"{exposure.name!r} has more than two values: prevalences among the exposed and the "
            "unexposed need two groups, such as I(x > value)."
        )
    unexposed: NDArray[np.bool_] = np.all(columns == 0.0, axis=1)
    return np.asarray(engine.X[:, row] == 1.0), unexposed


def _factor(
    name: str,
    x: Floats,
    coef: Floats,
    exposed: tuple[NDArray[np.bool_], ...],
    weight: Floats,
) -> dict[str, object]:
    predictor = x @ coef
    size = np.exp(predictor - predictor.max())  # a constant leaves the ratio as it is
    means = [float(weight[rows] @ size[rows] / weight[rows].sum()) for rows in exposed]
    effect = shares = None
    if x.shape[1] == 1 and np.isin(x, (0.0, 1.0)).all():
        effect = float(np.exp(coef[0]))
        shares = [float(weight[rows] @ x[rows, 0] / weight[rows].sum()) for rows in exposed]
    return {
        "term": name,
        "effect": np.nan if effect is None else effect,
        "prevalence_exposed": np.nan if shares is None else shares[0],
        "prevalence_unexposed": np.nan if shares is None else shares[1],
        "bias_factor": means[0] / means[1],
    }
