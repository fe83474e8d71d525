"""The variance between studies: reference values, score equations, batches, many maxima."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meta_cases import POOLED_CASES
from rnetstats.kernels.meta_pool import inverse_variance, projection, studies
from rnetstats.kernels.meta_tau2 import TAU2_METHODS, q_profile, tau_squared, tau_squared_error
from support import assert_close, case, numbers

FAR = np.concatenate([[0.0], np.geomspace(1e-4, 50.0, 120)])


def random_studies(seed: int, k: int = 7) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Effects, variances and a design of two columns."""
    rng = np.random.default_rng(seed)
    v = np.exp(rng.normal(-1.5, 0.8, k))
    y = 0.3 + rng.normal(size=k) * np.sqrt(v + rng.choice([0.0, 0.3]))
    return y, v, np.column_stack([np.ones(k), rng.normal(size=k)])


@pytest.mark.parametrize("name", POOLED_CASES)
def test_estimates_and_standard_errors_of_the_reference(name: str) -> None:
    values = case("meta", name)["values"]
    y, v = numbers(values["yi"]), numbers(values["vi"])
    for method, expected in values["random"].items():
        tau2 = tau_squared(y, v, method)
        assert_close(tau2, expected["tau2"])
        assert_close(tau_squared_error(y, v, tau2, method), expected["se_tau2"])


@pytest.mark.parametrize("precision", [1e-3, 1e-6, 1e-9, 1e-12, 1e-15])
def test_one_weight_far_above_the_rest_costs_no_digits(precision: float) -> None:
    """In fractions: DerSimonian and Laird's tau2, and tr(P) and tr(PP) behind the others'."""
    y = [0.5, 0.1, 0.2, -0.3, 0.9]
    v = [precision**2, 0.04, 0.09, 0.0625, 0.16]
    w = [1 / Fraction(x) for x in v]
    total, squares = sum(w), sum(x * x for x in w)
    mean = sum(a * Fraction(b) for a, b in zip(w, y, strict=True)) / total
    q = sum(a * (Fraction(b) - mean) ** 2 for a, b in zip(w, y, strict=True))
    trace = total - squares / total
    two = squares - 2 * sum(x**3 for x in w) / total + (squares / total) ** 2
    at = projection(studies(y, v), np.array(1.0 / np.array(v)))
    assert_close(at.trace(), float(trace), rel=1e-12)
    assert_close(at.own.sum(), float(trace), rel=1e-12)
    assert_close(at.trace_of_two(), float(two), rel=1e-12)
    assert_close(at.quadratic, float(q), rel=1e-12)
    assert_close(tau_squared(y, v, "DL"), float((q - 4) / trace), rel=1e-12)
    assert_close(inverse_variance(y, v).q, float(q), rel=1e-12)
    t = tau_squared(y, v, "REML")
    assert np.isfinite(tau_squared_error(y, v, t, "REML"))
    assert np.isfinite(tau_squared_error(y, v, 0.0, "REML"))


@given(seed=st.integers(0, 10_000))
def test_what_is_summed_without_the_heaviest_is_what_was_summed(seed: int) -> None:
    y, v, _ = random_studies(seed)
    held = np.random.default_rng(seed).random((3, len(y))) < 0.7
    held[:, :2] = True
    at = projection(studies(y, v, mask=held), np.broadcast_to(1.0 / (v + 0.1), held.shape))
    for row in range(3):
        p = np.diag(at.w[row]) - np.outer(at.z[row, :, 0], at.z[row, :, 0])
        b = v * held[row]
        assert_close(at.trace()[row], np.trace(p))
        assert_close(at.trace(b)[row], np.trace(p * b))
        assert_close(at.trace_of_two()[row], np.trace(p @ p))
        assert_close(at.trace_of_two(b, b)[row], np.trace((p * b) @ (p * b)))


def test_with_moderators_and_hunter_schmidt_as_in_metafor() -> None:
    y, v = np.array([0.1, 0.5, -0.3, 0.9, 0.2]), np.array([0.04, 0.09, 0.05, 0.2, 0.01])
    x = np.column_stack([np.ones(5), [1.0, 2, 3, 4, 7]])
    expected = {  # rma(y, v, mods = ~ x, method = ..., control = list(threshold = 1e-14))
        "DL": (0.122808429436655, 0.165489915903276),
        "HE": (0.171981132075472, 0.221415226092595),
        "SJ": (0.157200648600748, 0.129591953440374),
        "HS": (0.0198451572128298, 0.0195696408206803),
        "ML": (0.0, 0.0133789250539887),
        "REML": (0.135502187428848, 0.175579354774556),
        "PM": (0.154395496214311, 0.177245300979107),
    }
    for method, (tau2, error) in expected.items():
        found = tau_squared(y, v, method, x=x)
        assert_close(found, tau2)
        assert_close(tau_squared_error(y, v, found, method, x=x), error)


def test_dersimonian_and_laird_by_hand() -> None:
    # Weights 4, 2, 4; mean (4 * 0 + 2 * 1 + 4 * 2) / 10 = 1; Q = 4 + 0 + 4 = 8, 2 df;
    # scale 10 - (16 + 4 + 16) / 10 = 6.4; tau2 = (8 - 2) / 6.4.
    y, v = np.array([0.0, 1, 2]), np.array([0.25, 0.5, 0.25])
    assert_close(tau_squared(y, v, "DL"), 6.0 / 6.4)
    # Hedges and Olkin: sample variance 1 less mean variance 1/3. Equal variances: PM the same.
    assert_close(tau_squared(y, v, "HE"), 1.0 - 1.0 / 3.0)
    assert_close(tau_squared(y, np.full(3, 0.3), "PM"), 0.7)
    assert_close(tau_squared(y, np.full(3, 0.3), "REML"), 0.7)
    assert_close(tau_squared(y, np.full(3, 0.3), "ML"), 2.0 / 3.0 - 0.3)


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1))
def test_likelihoods_are_at_their_highest_and_equations_solved(seed: int) -> None:
    y, v, x = random_studies(seed)
    for restricted, method in ((True, "REML"), (False, "ML")):
        tau2 = np.atleast_1d(tau_squared(y, v, method, x=x))
        (height,) = log_likelihoods(y, v, x, tau2, restricted=restricted)
        assert height >= log_likelihoods(y, v, x, FAR, restricted=restricted).max() - 1e-10
    tau2 = float(tau_squared(y, v, "PM", x=x))
    q = float(inverse_variance(y, v, tau2, x=x).q)
    assert q < 5.0 + 1e-9
    assert tau2 == 0.0 or q > 5.0 - 1e-9


def log_likelihoods(
    y: np.ndarray, v: np.ndarray, x: np.ndarray, t: np.ndarray, *, restricted: bool
) -> np.ndarray:
    """Written out with matrices, up to a constant, at each of several tau2."""
    w = 1.0 / (v + t[:, None])
    information = np.einsum("ki,tk,kj->tij", x, w, x)
    coef = np.linalg.solve(information, np.einsum("ki,tk,k->ti", x, w, y)[..., None])[..., 0]
    value = (-np.log(w) + w * np.square(y - coef @ x.T)).sum(axis=1)
    return -0.5 * (value + restricted * np.linalg.slogdet(information)[1])


@pytest.mark.parametrize(
    ("y", "v", "at_zero"),
    [
        ([2.3, -2.0, 1.9], [0.245, 3.243, 0.317], True),
        ([1.5, 2.1, -0.2, 2.5, -4.1, 2.7], [0.082, 0.901, 2.233, 2.233, 3.292, 1.101], False),
    ],
)
def test_the_higher_of_two_maxima_is_taken(y: list[float], v: list[float], at_zero: bool) -> None:
    heights = log_likelihoods(np.array(y), np.array(v), np.ones((len(y), 1)), FAR, restricted=True)
    rising = np.diff(heights) > 0
    assert not rising[0]  # 0 is a maximum
    assert rising.any()  # and there is another
    tau2 = float(tau_squared(np.array(y), np.array(v)))
    assert (tau2 == 0.0) == at_zero
    assert_close(tau2, FAR[heights.argmax()], rel=0.05)


@pytest.mark.slow
@settings(max_examples=8)
@given(st.integers(0, 2**32 - 1))
def test_a_batch_gives_what_single_sets_give(seed: int) -> None:
    y, v, x = random_studies(seed)
    mask = ~np.eye(7, dtype=bool)
    for method in TAU2_METHODS:
        batch = tau_squared(y, v, method, mask=mask)
        alone = [tau_squared(np.delete(y, i), np.delete(v, i), method) for i in range(7)]
        assert_close(batch, alone, rel=1e-9, floor=1e-13)
        errors = tau_squared_error(y, v, batch, method, mask=mask)
        single = tau_squared_error(np.delete(y, 2), np.delete(v, 2), alone[2], method)
        assert_close(errors[2], single)
    assert_close(
        tau_squared(y, v, "REML", x=x, mask=mask)[3],
        tau_squared(np.delete(y, 3), np.delete(v, 3), "REML", x=np.delete(x, 3, axis=0)),
    )


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100.0))
def test_scale_and_shift(seed: int, scale: float) -> None:
    y, v, _ = random_studies(seed)
    for method in TAU2_METHODS:
        tau2 = float(tau_squared(y, v, method))
        moved = tau_squared(7.0 + scale * y, scale**2 * v, method)
        assert_close(moved, scale**2 * tau2, rel=1e-7, floor=1e-9 * scale**2)


def test_equal_estimates_and_too_few_studies_give_zero() -> None:
    for method in TAU2_METHODS:
        assert tau_squared(np.full(4, 0.3), np.array([0.1, 0.2, 0.3, 0.4]), method) < 1e-30
        assert tau_squared(np.array([0.3]), np.array([0.1]), method) == 0.0
        assert np.isnan(tau_squared_error(np.array([0.3]), np.array([0.1]), 0.0, method))
    with pytest.raises(ValueError, match="method must be one of"):
        tau_squared(np.zeros(2), np.ones(2), "dl")


def test_the_grid_may_be_looked_at_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    y, v, _ = random_studies(3)
    whole = tau_squared(y, v)
    monkeypatch.setattr("rnetstats.kernels.meta_tau2._MOST_NUMBERS", 20)
    assert tau_squared(y, v) == whole


def test_q_profile_solves_its_equation() -> None:
    values = case("meta", "bcg_OR")["values"]
    y, v = numbers(values["yi"]), numbers(values["vi"])
    low = q_profile(y, v, 23.33666415864534)  # chi-square on 12 df, upper 2.5 %
    assert_close(low, values["tau2_qprofile_ci_lower"], rel=1e-6)
    assert_close(inverse_variance(y, v, low).q, 23.33666415864534)
    assert q_profile(y, v, 200.0) == 0.0
