"""Separation: directions against R, binary outcomes and partial likelihoods, by brute force too."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from logistic_designs import logistic_case, small_data
from rnetstats import cox, logistic, separation
from rnetstats.errors import DataError, FormulaError, TooFewEventsError
from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.newton import DIVERGED, OK
from rnetstats.kernels.risksets import prepare
from rnetstats.regression.cone import Cone
from rnetstats.regression.separation import (
    SeparationResult,
    binary_separation,
    monotone_likelihood,
)
from support import case, case_ids, read

WORDS = {"finite": "finite", "Inf": "+inf", "-Inf": "-inf", "either": "either"}
FORMULAS = {
    "endometrial": "HG ~ NV + PI + EH",
    "sex2": "case ~ age + oc + vic + vicl + vis + dia",
    "birthwt_none": "low ~ age + lwt + smoke + ht",
    "toy_complete": "y ~ x",
    "toy_quasi": "y ~ x + z",
    "toy_zero_cell": "y ~ x",
    "rnet_b_method": 'recurrence ~ C(method, ref="ESD") + size_mm + margin_positive',
    "rnet_b_method_ref_cEMR": 'recurrence ~ C(method, ref="cEMR") + size_mm',
    "rnet_a_method": 'recurrence ~ C(method, ref="ESD") + margin_positive',
}


@pytest.mark.parametrize("name", case_ids("separation"))
def test_directions_agree_with_r(name: str) -> None:
    X, y, _, values = logistic_case(case("separation", name))
    found = binary_separation(X, y)
    assert list(found.direction) == [WORDS[word] for word in values["direction"].values()]
    assert (found.kind == "complete") == values["complete"]
    assert found.found == (len(values["infinite_terms"]) > 0)


@pytest.mark.parametrize("name", FORMULAS)
def test_the_verb_agrees_with_r(name: str) -> None:
    reference = case("separation", name)
    result = separation(read(reference["data"]), FORMULAS[name])
    frame = result.to_frame()
    expected = [WORDS[word] for word in reference["values"]["direction"].values()]
    assert list(frame["direction"]) == expected
    assert list(frame.columns) == ["term", "level", "direction"]
    kind = result.glance().loc[0, "separation"]
    if reference["values"]["complete"]:
        assert kind == "complete"
    else:
        assert kind == ("quasi" if set(expected) - {"finite"} else "none")


def test_no_event_at_all_is_complete_separation() -> None:
    frame = read("rnet_zero_events.csv")
    result = separation(frame, "recurrence ~ margin_positive + size_mm")
    assert result.glance().loc[0, "separation"] == "complete"
    assert set(result.to_frame()["direction"]) == {"either"}


def test_a_separation_is_told_in_words_and_survives_json() -> None:
    frame = read("rnet_like_b.csv")
    result = separation(frame, 'recurrence ~ C(method, ref="cEMR") + size_mm')
    note = result.notes[-1]
    assert "ESD (−∞)" in note
    assert "(quasi-complete)" in note
    assert result.glance().loc[0, "n_infinite"] == 1
    whole = separation({"y": [0, 0, 1, 1], "x": [1, 2, 3, 4]}, "y ~ x")
    assert "(complete)" in whole.notes[-1]
    assert whole.glance().loc[0, "n_infinite"] == 2
    assert "Firth" in note
    again = SeparationResult.from_dict(json.loads(json.dumps(result.to_dict())))
    pd.testing.assert_frame_equal(again.to_frame(), result.to_frame())
    assert again.notes == result.notes
    assert "−∞" in set(result.display().iloc[:, 2])
    axes = result.plot()
    assert [text.get_text() for text in axes.get_yticklabels()][-1] == "size_mm"


def by_rows(signed: np.ndarray) -> list[str]:
    """Directions of recession by one condition a row: signed @ b >= 0, |b| <= 1."""
    scaled = signed / np.abs(signed).max(axis=0)
    p = scaled.shape[1]
    words = []
    for j in range(p):
        reach = []
        for sign in (-1.0, 1.0):
            found = linprog(
                sign * np.eye(p)[j], A_ub=-scaled, b_ub=np.zeros(len(scaled)), bounds=(-1, 1)
            )
            reach.append(found.fun < -1e-7)
        up, down = reach
        words.append("either" if up and down else "+inf" if up else "-inf" if down else "finite")
    return words


@pytest.mark.slow
@given(seed=st.integers(0, 999), n=st.integers(8, 25))
def test_binary_directions_equal_those_of_one_condition_a_row(seed: int, n: int) -> None:
    X, y = small_data(seed, n=n, p=3)
    if np.linalg.matrix_rank(X) < 3:
        return
    found = binary_separation(X, y)
    assert list(found.direction) == by_rows(np.where(y == 1, 1, -1)[:, None] * X)
    fitted = fit_logistic(X, y).status[0]
    assert (fitted == DIVERGED) == found.found


def small_survival(seed: int, n: int):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.random(n) < 0.4, rng.normal(size=n).round(1)]).astype(float)
    start = rng.integers(0, 4, n).astype(float)
    stop = start + rng.integers(1, 6, n)
    event = rng.random(n) < 0.35
    strata = rng.integers(0, 2, n)
    return X, start, stop, event, strata


def pairs_at_risk(X, start, stop, event, strata) -> np.ndarray:
    """Differences between each event and each row of its risk set."""
    differences = [
        X[i] - X[j]
        for i in np.flatnonzero(event)
        for j in range(len(stop))
        if strata[j] == strata[i] and start[j] < stop[i] <= stop[j]
    ]
    return np.array(differences)


@pytest.mark.slow
@given(
    seed=st.integers(0, 9999),
    n=st.integers(6, 22),
    late=st.booleans(),
    stratified=st.booleans(),
)
def test_monotone_likelihood_equals_comparing_all_pairs(
    seed: int, n: int, late: bool, stratified: bool
) -> None:
    X, start, stop, event, strata = small_survival(seed, n)
    start = start if late else np.full(n, -1.0)
    strata = strata if stratified else np.zeros(n, dtype=int)
    if not event.any():
        return
    differences = pairs_at_risk(X, start, stop, event, strata)
    if np.linalg.matrix_rank(differences) < X.shape[1]:
        return  # a flat direction: the likelihood does not depend on some coefficient
    found = monotone_likelihood(X, start if late else None, stop, event, strata)
    differences = differences[np.abs(differences).sum(axis=1) > 0]
    assert list(found.direction) == by_rows(differences)
    sets = prepare(start, stop, event, strata)
    fitted = fit_cox(X, sets, ties="breslow").status[0]
    assert fitted == (DIVERGED if found.found else OK)


@pytest.mark.slow
@given(seed=st.integers(0, 999))
def test_an_arm_without_events_goes_to_minus_infinity(seed: int) -> None:
    X, _, stop, event, _ = small_survival(seed, 40)
    X[:4, 0], stop[:4], event[:4] = [0, 0, 1, 1], 9.0, [True, True, False, False]
    event[X[:, 0] == 1] = False
    found = monotone_likelihood(X, None, stop, event)
    assert found.direction[0] == "-inf"
    assert found.kind in {"quasi", "complete"}


def test_complete_and_quasi_by_hand() -> None:
    stop, event = np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, True, True, False])
    # Each event has the largest x of those at risk: strictly, then with one tie.
    falling = np.array([[4.0], [3.0], [2.0], [1.0]])
    assert monotone_likelihood(falling, None, stop, event).kind == "complete"
    tied = np.array([[3.0], [3.0], [2.0], [1.0]])
    found = monotone_likelihood(tied, None, stop, event)
    assert (found.direction, found.kind) == (("+inf",), "quasi")
    crossed = np.array([[1.0], [3.0], [2.0], [1.0]])
    assert monotone_likelihood(crossed, None, stop, event).kind == "none"


def test_columns_without_information_are_called_finite() -> None:
    X, _, stop, event, strata = small_survival(5, 30)
    event[X[:, 0] == 1] = False
    wide = np.column_stack([X, strata, X[:, 0] + X[:, 1]])
    found = monotone_likelihood(wide, None, stop, event, strata)
    assert found.direction == ("-inf", "finite", "finite", "finite")
    binary = np.column_stack([np.ones(30), X[:, 0], 1 - X[:, 0]])
    y = (X[:, 0] == 1).astype(float)
    assert binary_separation(binary, y).direction == ("-inf", "+inf", "finite")


def test_rows_of_weight_zero_are_not_there() -> None:
    X, y = small_data(3, n=50)
    y[X[:, 2] == 1] = 0
    y[np.flatnonzero(X[:, 2] == 1)[0]] = 1
    weights = np.ones(50)
    assert not binary_separation(X, y, weights).found
    weights[np.flatnonzero(X[:, 2] == 1)[0]] = 0
    assert binary_separation(X, y, weights).direction == ("finite", "finite", "-inf")
    frame = pd.DataFrame(X[:, 1:], columns=["a", "b"]).assign(y=y, w=weights)
    result = separation(frame, "y ~ a + b", freq_weights="w")
    assert list(result.to_frame()["direction"]) == ["finite", "finite", "-inf"]
    assert result.glance().loc[0, "n"] == 49


@given(seed=st.integers(0, 999))
def test_scale_and_order_do_not_matter(seed: int) -> None:
    X, y = small_data(seed, n=15)
    order = np.random.default_rng(seed).permutation(15)
    plain = binary_separation(X, y)
    turned = binary_separation((X * np.array([1.0, 1e6, 1e-5]))[order], y[order])
    assert plain == turned
    flipped = binary_separation(X, 1 - y)
    swap = {"+inf": "-inf", "-inf": "+inf", "finite": "finite", "either": "either"}
    assert flipped.direction == tuple(swap[word] for word in plain.direction)


def test_calendar_years_that_overlap_a_little_are_not_separated() -> None:
    year = np.repeat(np.arange(2012.0, 2023.0), 5)
    y = (year > 2017).astype(float)
    X = np.column_stack([np.ones(55), year])
    assert binary_separation(X, y).direction == ("-inf", "+inf")
    y[year == 2017], y[year == 2018] = [0, 0, 0, 0, 1], [0, 1, 1, 1, 1]
    assert not binary_separation(X, y).found


def test_an_outcome_whose_name_begins_like_a_survival_time() -> None:
    frame = pd.DataFrame({"Survived": [0, 0, 1, 0, 1, 1], "x": [1, 2, 3, 4, 5, 6]})
    result = separation(frame, "Survived ~ x")
    assert list(result.to_frame()["term"]) == ["(Intercept)", "x"]
    assert result.glance().loc[0, "separation"] == "none"


def test_the_verb_reads_times_strata_and_refuses_no_events() -> None:
    frame = read("rnet_like_b.csv")
    formula = 'Surv(dfs_months, recurrence) ~ C(method, ref="cEMR") + size_mm + strata(grade)'
    result = separation(frame, formula)
    rows = result.to_frame().set_index("level")["direction"]
    assert rows["ESD"] == "-inf"
    assert "(Intercept)" not in set(result.to_frame()["term"])
    assert result.glance().loc[0, "n_events"] == frame["recurrence"].sum()
    with pytest.raises(TooFewEventsError, match="no event"):
        separation(frame.assign(recurrence=0), formula)


@pytest.mark.parametrize("right", ["1", "strata(a)", "cluster(a)"])
def test_hazards_without_a_term_are_refused(right: str) -> None:
    data = {"t": [1, 2, 3, 4], "e": [1, 0, 1, 1], "a": [0, 1, 0, 1]}
    with pytest.raises(FormulaError, match="no terms: there is no coefficient"):
        separation(data, f"Surv(t, e) ~ {right}")


def test_a_column_that_the_partial_likelihood_does_not_know_is_no_finite_one() -> None:
    # z varies, but the one patient who has it left before the first event
    data = {"t": [1, 2, 3, 4, 5], "e": [0, 1, 0, 1, 1], "z": [1, 0, 0, 0, 0], "x": [2, 1, 3, 2, 1]}
    for verb in (cox, separation):
        with pytest.raises(DataError, match=r"column 'z' .* never varies where it could matter"):
            verb(data, "Surv(t, e) ~ x + z")


def test_strata_part_the_risk_sets() -> None:
    # within either stratum the highest x left has the event, across them it has not
    data = {"t": [3, 4, 1, 2], "e": [1] * 4, "x": [11, 10, 2, 1], "s": list("aabb")}
    assert separation(data, "Surv(t, e) ~ x").kind == "none"
    result = separation(data, "Surv(t, e) ~ x + strata(s)")
    assert result.to_frame()["direction"].tolist() == ["+inf"]


def test_finite_coefficients_are_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    programs = []
    furthest = Cone.furthest

    def counted(cone: Cone, *of: Any) -> np.ndarray:
        programs.append(of)
        return furthest(cone, *of)

    monkeypatch.setattr(Cone, "furthest", counted)
    rng = np.random.default_rng(1)
    X = np.column_stack([np.ones(400), rng.normal(size=(400, 20))])
    y = rng.integers(0, 2, 400)
    X[y == 1, 7] = 0.0
    X[y == 0, 7] = rng.integers(0, 2, int((y == 0).sum()))
    found = binary_separation(X, y)
    assert [j for j, word in enumerate(found.direction) if word != "finite"] == [7]
    assert found.direction[7] == "-inf"
    # two rounds of two for all of them, the other side of the infinite one, and the margin
    assert len(programs) <= 6


@pytest.mark.parametrize("seed", [5128, 5143])
def test_no_limit_is_lost_where_the_fits_between_are_flat(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, levels, columns = (int(rng.integers(*ends)) for ends in ((150, 400), (4, 8), (1, 3)))
    data = pd.DataFrame({f"x{j}": rng.normal(size=n).round(2) for j in range(columns)})
    few = ["few"] * int(rng.integers(2, 4))
    data["arm"] = np.r_[few, rng.choice([f"arm {i}" for i in range(1, levels)], size=n)][:n]
    data["z"] = rng.random(n).round(3)
    predictor = data.x0 * 0.3 + data.z * 0.4 + (data.arm == "few") * 1.5 - 0.3
    data["y"] = (rng.random(n) < 1 / (1 + np.exp(-predictor))).astype(int)
    model = logistic(data, "y ~ arm + z + arm:z" + " + x0" * (seed == 5143), penalty=None)
    assert not [note for note in model.notes if "not found" in note]
    engine = model.engine
    assert engine is not None
    lower, upper, lost = engine.limits(0.95)
    assert not lost
    for j, low, high in zip(range(len(lower)), lower, upper, strict=True):
        others = np.delete(engine.X, j, axis=1)
        for limit in (end for end in (low, high) if np.isfinite(end)):
            fit = fit_logistic(others, data.y, offset=limit * engine.X[:, j])
            fall = 2 * (engine.value - fit.log_likelihood[0])
            assert fall == pytest.approx(3.841458820694124, abs=1e-6)


def test_rows_of_sampling_weight_0_are_told_of() -> None:
    data = {
        "t": [1, 2, 3, 4, 5, 6],
        "e": [1, 0, 1, 0, 0, 0],
        "y": [1, 0, 1, 0, 1, 0],
        "x": [0, 1, 1, 0, 1, 0],
        "w": [0, 1, 0, 1, 2, 1],
    }
    found = separation(data, "y ~ x", sampling_weights="w")
    assert any("2 of 6 rows have a sampling weight of 0" in note for note in found.notes)
    with pytest.raises(TooFewEventsError, match="no event in a row with a weight above 0"):
        separation(data, "Surv(t, e) ~ x", sampling_weights="w")
