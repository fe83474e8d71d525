"""Tests of a whole model against none: likelihood ratio, Wald and score, side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.distributions import chi_square_p
from rnetstats.errors import OptionError
from rnetstats.kernels.profile import restricted_fits
from rnetstats.regression.wald import wald_statistic

if TYPE_CHECKING:
    from rnetstats.regression.engine import Engine

__all__ = ["TestedAsWhole", "overall_tests"]


class TestedAsWhole:
    """A result whose likelihood is that of its rows: the whole model can be tested against none."""

    if TYPE_CHECKING:

        def _need(self, name: str, purpose: str) -> Any: ...

    def overall_tests(self) -> pd.DataFrame:
        """Test the whole model against none by likelihood ratio, Wald and score.

        Returns
        -------
        DataFrame
            Columns ``test, df, statistic, p_value, method``. The likelihood ratio is penalised as
            the model is, the Wald statistic on the sandwich variance where one is in use (missing
            with an infinite estimate), the score that of the likelihood without a penalty: of one
            factor Pearson's chi-square, or without ties the log-rank statistic.

        Raises
        ------
        DataNotKeptError
            After reading back from JSON.
        OptionError
            If the model has no terms.
        """
        return overall_tests(self._need("engine", "A test of the model"))


def overall_tests(engine: Engine) -> pd.DataFrame:
    """Test that all coefficients but the intercept are zero, in three ways.

    Raises
    ------
    OptionError
        If the model has no terms.

    References
    ----------
    Rao CR (1948). Large sample tests of statistical hypotheses concerning several parameters.
    Proceedings of the Cambridge Philosophical Society 44:50-57.
    """
    spec = engine.spec
    columns = tuple(range(int(spec.intercept), len(spec.columns)))
    if not columns:
        raise OptionError("The model has no terms: there is nothing to be tested.")
    ratio = replace(engine, wald=False)
    alike = ", rows taken as independent" if engine.robust else ""
    rows = [
        ("likelihood ratio", float(ratio.test([columns])[0]), ratio.test_method + alike),
        (
            "wald",
            wald_statistic(engine.coef, engine.covariance, columns),
            f"Wald ({engine.robust})" if engine.robust else "Wald",
        ),
        ("score", _score_statistic(engine, columns), "score of the likelihood" + alike),
    ]
    statistic = np.array([row[1] for row in rows])
    return pd.DataFrame(
        {
            "test": [row[0] for row in rows],
            "df": len(columns),
            "statistic": statistic,
            "p_value": chi_square_p(statistic, len(columns)),
            "method": [row[2] for row in rows],
        }
    )


def _score_statistic(engine: Engine, columns: tuple[int, ...]) -> float:
    """Rao's statistic of the likelihood without a penalty; it exists for separated data too."""
    X = engine.X.copy()
    X[:, columns] -= X[:, columns].mean(axis=0)  # which changes neither model
    X[:, columns] /= X[:, columns].std(axis=0)
    options = {**engine.likelihood_options, "firth": False, "prior": None}
    evaluate = engine.likelihood(X, **options)
    null = np.zeros((1, X.shape[1]))
    if engine.spec.intercept:
        null[0, 0] = -float(engine.offset.mean())
        null = restricted_fits(evaluate, null[0], [columns]).coef
    _, score, information = evaluate(null, np.zeros(1, dtype=np.int64))
    return float(score[0] @ np.linalg.solve(information[0], score[0]))
