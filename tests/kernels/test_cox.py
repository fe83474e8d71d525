"""What must hold of any Cox fit: invariances, tables worked by hand, safeguards."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.cox import cox_likelihood, fit_cox
from rnetstats.kernels.cox_penalised import _with_observed_information
from rnetstats.kernels.cox_residuals import fitted_cox, martingale_residuals, scaled_schoenfeld
from rnetstats.kernels.cox_residuals import schoenfeld_residuals as schoenfeld
from rnetstats.kernels.newton import DIVERGED, OK
from rnetstats.kernels.risksets import prepare
from support import assert_close, read

MODELS = [(ties, firth) for ties in ("efron", "breslow") for firth in (False, True)]
ZERO = np.zeros(1, dtype=int)


@st.composite
def cohorts(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(30, 60))
    X = np.column_stack([rng.normal(size=n), rng.random(n) < 0.4]).astype(float)
    stop = np.ceil(rng.exponential(6.0, n) * np.exp(-0.5 * X[:, 0])) + 2.0
    start = np.floor(rng.random(n) * stop) if draw(st.booleans()) else None
    event = rng.random(n) < 0.6
    event[:2] = True
    strata = rng.integers(0, 2, n) if draw(st.booleans()) else None
    return X, start, stop, event, strata


def at(X, sets, beta=(0.3, -0.2), **options):
    """Value, score and information at one point."""
    return cox_likelihood(X, sets, **options)(np.array([beta]), ZERO)


def agree(first, second, rel=1e-10):
    for a, b in zip(first, second, strict=True):
        assert_close(a, b, rel=rel)


def test_likelihood_worked_by_hand():
    # x = 1 dies at 1 with x = 0 at risk, and both x = 0 rows die at 2.
    X, sets = np.array([[1.0], [0.0], [0.0]]), prepare(None, [1.0, 2.0, 2.0], [1, 1, 1])
    beta = 0.7
    r = np.exp(beta)
    mean = r / (r + 2)
    for ties, last in (("breslow", 2 * np.log(2)), ("efron", np.log(2)), ("exact", 0.0)):
        value, score, information = at(X, sets, (beta,), ties=ties)
        assert_close(value[0], beta - np.log(r + 2) - last, rel=1e-14)
        assert_close(score[0], [1 - mean], rel=1e-13)
        assert_close(information[0], [[mean * (1 - mean)]], rel=1e-13)
    value, score, _ = at(X, sets, (beta,), firth=True)
    assert_close(
        value[0],
        beta - np.log(r + 2) - np.log(2) + 0.5 * np.log(mean * (1 - mean)),
        rel=1e-13,
    )
    assert_close(score[0], [1 - mean + 0.5 * (1 - 2 * mean)], rel=1e-13)


def test_a_row_is_not_at_risk_at_its_own_entry():
    X = np.array([[0.0], [1.0], [2.0]])
    sets = prepare([0.0, 3.0, 0.0], [3.0, 5.0, 5.0], [1, 1, 0])
    value = at(X, sets, (0.5,))[0][0]
    first = -np.log(1 + np.e)  # at 3: rows 0 and 2; at 5: rows 1 and 2
    assert_close(value, first + 0.5 - np.log(np.exp(0.5) + np.e), rel=1e-14)


@pytest.mark.parametrize(("ties", "firth"), MODELS)
@given(cohort=cohorts())
def test_score_and_information_are_derivatives(ties, firth, cohort):
    X, start, stop, event, strata = cohort
    likelihood = cox_likelihood(X, prepare(start, stop, event, strata), ties=ties, firth=firth)
    plain = cox_likelihood(X, prepare(start, stop, event, strata), ties=ties)
    beta, step = np.array([[0.2, -0.3]]), 1e-5
    _, score, information = likelihood(beta, ZERO)
    steps = np.vstack([np.eye(2), -np.eye(2)]) * step
    index = np.zeros(4, dtype=int)
    value = likelihood(beta + steps, index)[0]
    assert_close(score[0], (value[:2] - value[2:]) / (2 * step), rel=1e-5, floor=1e-5)
    slope = plain(beta + steps, index)[1]
    assert_close(information[0], -(slope[:2] - slope[2:]) / (2 * step), rel=1e-5, floor=1e-5)


@pytest.mark.parametrize(("ties", "firth"), [*MODELS, ("exact", False)])
@given(cohort=cohorts(), seed=st.integers(0, 1000))
def test_row_order_and_time_scale_do_not_matter(ties, firth, cohort, seed):
    X, start, stop, event, strata = cohort
    whole = at(X, prepare(start, stop, event, strata), ties=ties, firth=firth)
    rows = np.random.default_rng(seed).permutation(len(X))
    shuffled = prepare(
        None if start is None else start[rows],
        stop[rows],
        event[rows],
        None if strata is None else strata[rows],
    )
    agree(at(X[rows], shuffled, ties=ties, firth=firth), whole)
    longer = prepare(None if start is None else 30.4375 * start, 30.4375 * stop, event, strata)
    agree(at(X, longer, ties=ties, firth=firth), whole)


@pytest.mark.parametrize(("ties", "firth"), [*MODELS, ("exact", False)])
@given(cohort=cohorts(), where=st.floats(0.05, 0.95))
def test_splitting_rows_inside_their_interval_changes_nothing(ties, firth, cohort, where):
    X, start, stop, event, strata = cohort
    begin = np.zeros(len(X)) if start is None else start
    cut = begin + where * (stop - begin)
    parts = prepare(
        np.concatenate([begin, cut]),
        np.concatenate([cut, stop]),
        np.concatenate([np.zeros(len(X), bool), event]),
        None if strata is None else np.tile(strata, 2),
    )
    whole = at(X, prepare(start, stop, event, strata), ties=ties, firth=firth)
    agree(at(np.vstack([X, X]), parts, ties=ties, firth=firth), whole)


@pytest.mark.parametrize("firth", [False, True])
@given(cohort=cohorts())
def test_all_rules_agree_without_ties(firth, cohort):
    X, start, _, event, strata = cohort
    stop = 1.0 + np.arange(len(X)) + (0.0 if start is None else start.max())
    sets = prepare(start, stop, event, strata)
    breslow = at(X, sets, ties="breslow", firth=firth)
    agree(at(X, sets, ties="efron", firth=firth), breslow)
    if not firth:
        agree(at(X, sets, ties="exact"), breslow)


@pytest.mark.slow
@pytest.mark.parametrize(("ties", "firth"), MODELS)
@given(cohort=cohorts())
def test_units_of_columns_and_offsets(ties, firth, cohort):
    X, start, stop, event, strata = cohort
    sets = prepare(start, stop, event, strata)
    fit = fit_cox(X, sets, ties=ties, firth=firth)
    if fit.status[0] != OK:
        return
    scale = np.array([1e5, 1e-4])
    other = fit_cox(X * scale + np.array([1e6, 3.0]), sets, ties=ties, firth=firth)
    assert_close(other.coef[0] * scale, fit.coef[0], rel=1e-8, floor=1e-9)
    assert_close(other.log_likelihood, fit.log_likelihood, rel=1e-9)
    # What is known of a coefficient may be an offset; a common offset has no effect.
    shift = 0.25 * X[:, 0] + 400.0
    moved = cox_likelihood(X, sets, offset=shift, ties=ties, firth=firth)
    beta = fit.coef + 0.1
    agree(
        moved(beta - np.array([0.25, 0.0]), ZERO),
        cox_likelihood(X, sets, ties=ties, firth=firth)(beta, ZERO),
        rel=1e-8,
    )


@given(cohort=cohorts())
def test_martingale_residuals_add_up_to_zero_in_each_stratum(cohort):
    X, start, stop, event, strata = cohort
    for ties in ("efron", "breslow"):
        likelihood = cox_likelihood(X, prepare(start, stop, event, strata), ties=ties)
        residuals = martingale_residuals(fitted_cox(likelihood, np.array([0.4, 0.1])))
        codes = np.zeros(len(X), int) if strata is None else strata
        assert_close(np.bincount(codes, residuals), np.zeros(codes.max() + 1), floor=1e-10)


def test_free_columns_keep_their_start_and_the_penalty_is_that_of_all():
    data = read("veteran.csv")
    X = data[["karno", "age", "trt"]].to_numpy(float)
    sets = prepare(None, data["time"], data["status"])
    start = np.array([0.0, 0.01, 0.0])
    fit = fit_cox(X, sets, firth=True, start=start, free=[True, False, True])
    assert_close(fit.coef[0, 1], 0.01, rel=1e-14)
    assert_close(fit.log_likelihood_null, fit_cox(X, sets).log_likelihood_null, rel=1e-14)
    value, score, _ = cox_likelihood(X, sets, firth=True)(fit.coef, ZERO)
    assert_close(value[0], fit.log_likelihood_penalized[0], rel=1e-13)
    assert_close(score[0, [0, 2]], [0.0, 0.0], floor=1e-6)
    assert fit.covariance[0, 1].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(("ties", "firth"), MODELS)
@pytest.mark.parametrize("level", [-40.0, 0.0, 3.0])
def test_the_null_likelihood_keeps_the_offset_wherever_the_fit_begins(ties, firth, level):
    data = read("veteran.csv")
    X, sets = data[["karno"]].to_numpy(float), prepare(None, data["time"], data["status"])
    options = {"ties": ties, "firth": firth, "offset": level + 0.01 * data["age"].to_numpy(float)}
    fit = fit_cox(X, sets, start=[-0.03], **options)
    null = cox_likelihood(X, sets, **{**options, "firth": False})(np.zeros((1, 1)), ZERO)[0]
    assert_close(fit.log_likelihood_null, null, rel=1e-12)
    assert_close(fit_cox(X, sets, **options).log_likelihood_null, null, rel=1e-12)


@pytest.mark.parametrize(("ties", "firth"), MODELS)
@pytest.mark.parametrize("tied", [False, True])
def test_many_replicates_at_once_are_what_each_is_alone(ties, firth, tied):
    """Of few event times, sums over rows are those of segments between them, for many at once."""
    rng = np.random.default_rng(3)
    X, event = rng.normal(size=(60, 2)), np.arange(60) < (30 if tied else 6)
    stop = np.where(event, 1.0 + np.arange(60) % 6, rng.uniform(0, 9, 60))
    sets = prepare(None, stop, event)
    assert sets.tied is tied
    freq = rng.integers(1, 4, size=(300, 60))
    if not tied:
        freq[:, event] = 1
    many = fit_cox(X, sets, freq=freq, ties=ties, firth=firth)
    for one in (0, 150, 299):
        alone = fit_cox(X, sets, freq=freq[one], ties=ties, firth=firth)
        assert alone.status[0] == many.status[one] == OK
        for name in ("coef", "log_likelihood", "log_likelihood_null", "information"):
            assert_close(getattr(many, name)[one], getattr(alone, name)[0], rel=1e-9)


@pytest.mark.parametrize(("ties", "firth"), MODELS)
@pytest.mark.parametrize("apart", [1.0, 0.01])
def test_replicates_may_hold_different_columns(ties, firth, apart):
    """Columns nearly alike are turned only where all replicates estimate the same ones."""
    rng = np.random.default_rng(8)
    base = rng.normal(size=80)
    X = np.column_stack([base, base + apart * rng.normal(size=80), rng.normal(size=80)])
    sets = prepare(None, np.ceil(rng.exponential(6.0, 80)), rng.random(80) < 0.5)
    free = np.array([[True, True, True], [True, False, True], [False, True, False]])
    for start in (None, np.array([0.2, -0.1, 0.3])):
        many = fit_cox(X, sets, ties=ties, firth=firth, free=free, start=start)
        for one in range(len(free)):
            alone = fit_cox(X, sets, ties=ties, firth=firth, free=free[one], start=start)
            assert alone.status[0] == many.status[one] == OK
            held = np.zeros(3) if start is None else start
            assert_close(many.coef[one, ~free[one]], held[~free[one]], rel=1e-12)
            assert_close(many.coef[one], alone.coef[0], rel=1e-5, floor=1e-7)
            assert_close(many.log_likelihood[one], alone.log_likelihood[0], rel=1e-10)


def test_monotone_likelihood_diverges_and_firth_does_not():
    rng = np.random.default_rng(5)
    n = 80
    exposed = np.arange(n) < 20
    X = np.column_stack([exposed, rng.normal(size=n)]).astype(float)
    event = ~exposed & (rng.random(n) < 0.3)
    sets = prepare(None, rng.exponential(10, n), event)
    assert fit_cox(X, sets).status[0] == DIVERGED
    firth = fit_cox(X, sets, firth=True)
    assert firth.status[0] == OK
    assert -10 < firth.coef[0, 0] < 0


def test_large_linear_predictors_do_not_overflow():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(40, 1))
    sets = prepare(None, rng.exponential(size=40), np.ones(40))
    value, score, information = at(X, sets, (150.0,), offset=np.full(40, 1e4))
    assert np.isfinite(value[0])
    assert np.isfinite(score).all()
    assert np.isfinite(information).all()
    far = 1e5 * X[sets.rows, 0]  # rows in the order in which they join, each with its event
    expected = sum(far[k] - far[: k + 1].max() for k in range(40))  # one risk is all there is
    assert_close(at(X, sets, (1e5,))[0][0], expected)


def test_scaled_schoenfeld_residuals_have_the_estimate_as_their_mean():
    data = read("veteran.csv")
    X = data[["karno", "trt"]].to_numpy(float)
    sets = prepare(None, data["time"], data["status"])
    fit = fit_cox(X, sets)
    residuals = schoenfeld(fitted_cox(cox_likelihood(X, sets), fit.coef[0]))
    scaled = scaled_schoenfeld(residuals, fit.covariance[0], fit.coef[0])
    assert_close(scaled.mean(axis=0), fit.coef[0], rel=1e-7)
    assert (np.diff(residuals.times) >= 0).all()


def test_what_cannot_be_fitted_is_refused():
    X = np.ones((3, 1))
    with pytest.raises(ValueError, match="no event"):
        fit_cox(X, prepare(None, [1, 2, 3], [0, 0, 0]))
    sets = prepare(None, [1, 2, 3], [1, 1, 0])
    with pytest.raises(ValueError, match="ties must be"):
        fit_cox(X, sets, ties="average")
    with pytest.raises(ValueError, match="neither Firth's penalty"):
        fit_cox(X, sets, ties="exact", firth=True)
    with pytest.raises(ValueError, match="one replicate"):
        fit_cox(X, sets, ties="exact", freq=np.ones((2, 3)))
    rng = np.random.default_rng(0)
    many = prepare(None, np.ones(8000), rng.random(8000) < 0.5)
    with pytest.raises(ValueError, match="too large"):
        fit_cox(rng.normal(size=(8000, 4)), many, ties="exact")


class _FarOut:
    """A likelihood so far from its maximum that nothing of it can be computed."""

    def scaled(self, gamma, index):
        size, p = gamma.shape
        return np.full(size, -np.inf), np.full((size, p), np.nan), np.full((size, p, p), np.nan)


def test_information_that_is_not_finite_is_handed_on():
    found = _with_observed_information(_FarOut(), np.zeros((2, 3)), np.arange(2))
    assert np.isnan(found[2]).all()
