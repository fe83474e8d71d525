"""Term tests of a pooled model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.options import choice, items_of
from rnetstats.errors import ConvergenceError, OptionError
from rnetstats.formula.linearity import linear_first
from rnetstats.kernels.newton import OK
from rnetstats.kernels.profile import restricted_fits
from rnetstats.missing.joint_tests import JointTest, d1, d2, d3
from rnetstats.regression.engine import Engine
from rnetstats.regression.model import RegressionResult
from rnetstats.regression.term_tests import hypotheses
from rnetstats.regression.wald import wald_statistic

if TYPE_CHECKING:
    from rnetstats.formula.spec import Term
    from rnetstats.missing.fitted import Fitted
    from rnetstats.missing.pooled_result import PooledResult

__all__ = ["joint_table", "joint_test", "term_tests"]

_METHODS = {
    "D1": "D1 (pooled Wald)",
    "D2": "D2 (combined Wald chi-squares)",
    "D3": "D3 (pooled likelihood ratio)",
}


def joint_table(
    found: Fitted, terms: Iterable[Term], everything: range
) -> tuple[dict[str, Any], JointTest]:
    """Return D1 of each term's columns, and of all of them together."""

    def tested(columns: Sequence[int]) -> JointTest:
        part = list(columns)
        block = found.covariances[:, part][:, :, part]
        return d1(found.coefs[:, part], block, found.dfcom)

    listed = list(terms)
    tests = [tested(range(term.start, term.stop)) for term in listed]
    nothing = JointTest(np.nan, 0, np.nan, np.nan, np.nan)
    table = {
        "term": [term.name for term in listed],
        "kind": [term.kind for term in listed],
        "df": [term.df for term in listed],
        "statistic": [test.statistic for test in tests],
        "p_value": [test.p_value for test in tests],
    }
    return table, tested(everything) if everything else nothing


def term_tests(fit: PooledResult, method: str, *, small_sample: bool) -> pd.DataFrame:
    """Test every hypothesis of the design; see :meth:`PooledResult.term_tests`."""
    spec = fit.design
    turn = linear_first(spec).transform
    rows = []
    for hypothesis in hypotheses(spec):
        test = _tested(fit, hypothesis.columns, method, turn, small_sample=small_sample)
        rows.append({"term": hypothesis.term, "test": hypothesis.test, **_row(test, method)})
    names = ("term", "test", "df", "df2", "statistic", "p_value", "riv", "method")
    return pd.DataFrame(rows, columns=list(names))


def joint_test(
    fit: PooledResult, terms: str | Sequence[str], method: str, *, small_sample: bool
) -> pd.DataFrame:
    """Test the columns of several terms at once; see :meth:`PooledResult.joint_test`."""
    chosen = {term.name: term for term in map(fit.design.term, items_of(terms))}
    if not chosen:
        raise OptionError("terms is empty; name at least one term.")
    columns = [c for term in chosen.values() for c in range(term.start, term.stop)]
    test = _tested(fit, columns, method, None, small_sample=small_sample)
    return pd.DataFrame([{"terms": ", ".join(chosen), **_row(test, method)}])


def _row(test: JointTest, method: str) -> dict[str, Any]:
    return {
        "df": test.df1,
        "df2": test.df2,
        "statistic": test.statistic,
        "p_value": test.p_value,
        "riv": test.riv,
        "method": _METHODS[method],
    }


def _tested(
    fit: PooledResult,
    columns: Sequence[int],
    method: str,
    turn: np.ndarray | None,
    *,
    small_sample: bool,
) -> JointTest:
    """Test that some coefficients, of ``X @ turn`` if given, are zero."""
    choice("method", method, tuple(_METHODS))
    part = list(columns)
    if method == "D3":
        return _likelihood_ratio(fit._need("fits", "D3"), part, turn)
    coefs, covariances = fit.coefs, fit.covariances
    if turn is not None:
        back = np.linalg.inv(turn)
        coefs, covariances = coefs @ back.T, back @ covariances @ back.T
    block = covariances[:, part][:, :, part]
    if method == "D1":
        return d1(coefs[:, part], block, fit.dfcom, small_sample=small_sample)
    chi_squares = [
        wald_statistic(coef, covariance, part)
        for coef, covariance in zip(coefs, covariances, strict=True)
    ]
    return d2(np.array(chi_squares), len(part))


def _likelihood_ratio(
    fits: Sequence[RegressionResult], part: list[int], turn: np.ndarray | None
) -> JointTest:
    """D3: likelihood ratios at the fits' own maxima and at the pooled coefficients."""
    engines = [_unpenalised(fit) for fit in fits]
    change = np.eye(engines[0].X.shape[1]) if turn is None else turn
    evaluators = [engine.evaluator(engine.X @ change) for engine in engines]
    full = np.array([np.linalg.solve(change, engine.reached) for engine in engines])
    restricted, own = np.empty_like(full), np.empty(len(full))
    for k, (evaluate, coef) in enumerate(zip(evaluators, full, strict=True)):
        null = restricted_fits(evaluate, coef, [part])
        if null.status[0] != OK:
            raise ConvergenceError(
                f"D3: imputation {k + 1} has no maximum without the terms tested; use D1."
            )
        restricted[k] = null.coef[0]
        own[k] = 2.0 * (engines[k].value - float(null.log_likelihood[0]))
    points = np.array([full.mean(axis=0), restricted.mean(axis=0)])
    pooled = np.empty(len(full))
    for k, evaluate in enumerate(evaluators):
        value = evaluate(points, np.arange(2))[0]
        pooled[k] = 2.0 * float(value[0] - value[1])
    return d3(own, pooled, len(part))


def _unpenalised(fit: RegressionResult) -> Engine:
    engine: Engine = fit._need("engine", "D3")
    if engine.penalised or engine.robust:  # weighted fits are robust ones
        raise OptionError(
            "D3 compares likelihoods, which penalised, weighted and robust fits do not have; "
            "use D1 or D2, or fit with penalty=None."
        )
    return engine
