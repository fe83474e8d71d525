"""Cox fits of columns that nearly determine each other: splines of skewed variables, years."""

from __future__ import annotations

import numpy as np
import pytest

import rnetstats as rn
from rnetstats.formula.design import model_frame
from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.newton import LOST_TERM, OK
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.kernels.risksets import prepare
from support import assert_close


def skewed(seed: int, n: int = 250) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "z": np.round(np.exp(1.5 * rng.normal(size=n)), 2),
        "t": np.round(rng.exponential(3.0, n), 2) + 0.01,
        "e": rng.integers(0, 2, n),
    }


@pytest.mark.parametrize("firth", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_fit_in_orthonormal_columns(seed: int, firth: bool) -> None:
    data = skewed(seed)
    X = model_frame(data, "Surv(t, e) ~ rcs(z, 5)", kind="survival", intercept=False).design.X
    sets = prepare(None, data["t"], data["e"])
    centred = X - X.mean(axis=0)
    Q, R = np.linalg.qr(centred)
    Q, R = Q * np.sqrt(len(Q)), R / np.sqrt(len(Q))
    fit, easy = fit_cox(X, sets, firth=firth), fit_cox(Q, sets, firth=firth)
    assert fit.status[0] == easy.status[0] == OK
    assert fit.inverse is not None
    assert easy.inverse is None
    predicted = centred @ fit.coef[0]
    assert_close(predicted - predicted.mean(), Q @ easy.coef[0], rel=1e-7, floor=1e-8)
    assert_close(fit.log_likelihood, easy.log_likelihood, rel=1e-10)
    assert_close(fit.log_likelihood_null, easy.log_likelihood_null, rel=1e-12)
    assert_close(R @ fit.covariance[0] @ R.T, easy.covariance[0], rel=1e-6, floor=1e-9)
    if firth:
        shift = np.linalg.slogdet(R)[1]  # of half the log-determinant of R'IR
        assert_close(fit.log_likelihood_penalized, easy.log_likelihood_penalized + shift, rel=1e-9)


def test_every_number_of_the_verb_is_there() -> None:
    table = rn.cox(skewed(1), "Surv(t, e) ~ rcs(z, 5)").to_frame()
    assert np.isfinite(table[["coef", "std_error", "p_value"]]).all(axis=None)
    assert (table["conf_low"] < table["estimate"]).all()
    assert (table["estimate"] < table["conf_high"]).all()


def test_a_lost_column_beside_them_stays_lost() -> None:
    rng = np.random.default_rng(8)
    n = 80
    rare = np.zeros(n)
    rare[:2] = 1.0
    first = rng.normal(size=n)
    X = np.column_stack([first, first + 1e-4 * rng.normal(size=n), rare])
    sets = prepare(None, rng.exponential(size=n), rng.integers(0, 2, n))
    counts = bootstrap_counts(rng, n, 40)
    together = fit_cox(X, sets, freq=counts, firth=True)
    gone = counts[:, :2].sum(axis=1) == 0
    assert 0 < gone.sum() < 40
    assert together.lost[gone, 2].all()
    assert (together.status[gone] == LOST_TERM).all()
    assert (together.coef[gone, 2] == 0.0).all()
    for row in (int(np.flatnonzero(gone)[0]), int(np.flatnonzero(~together.lost.any(axis=1))[0])):
        alone = fit_cox(X, sets, freq=counts[row], firth=True)
        assert_close(together.coef[row] @ X.T, alone.coef[0] @ X.T, rel=1e-6, floor=1e-7)


def test_several_starts_share_what_does_not_depend_on_them() -> None:
    """A held coefficient beside a lost column: the fit in the columns as given stands in."""
    rng = np.random.default_rng(2)
    first = rng.normal(size=60)
    X = np.column_stack([first, first + 1e-3 * rng.normal(size=60), np.zeros(60)])
    sets = prepare(None, rng.exponential(size=60), rng.integers(0, 2, 60))
    start = np.array([[0.0, 0.1, 0.0], [0.0, -0.1, 0.0]])
    fit = fit_cox(X, sets, start=start, free=[True, False, True])
    np.testing.assert_array_equal(fit.status, LOST_TERM)
    np.testing.assert_array_equal(fit.coef[:, 1], start[:, 1])
    np.testing.assert_array_equal(fit.coef[:, 2], 0.0)
    for row, fixed in enumerate(start[:, 1]):
        alone = fit_cox(X[:, :1], sets, offset=X[:, 1] * fixed)
        assert_close(fit.coef[row, 0], alone.coef[0, 0], rel=1e-7)
