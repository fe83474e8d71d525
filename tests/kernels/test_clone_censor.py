from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.kernels.clone_censor import (
    Clones,
    clone_replicates,
    treated_weights,
    untreated_weights,
)
from rnetstats.kernels.clone_weights import staying_hazard, staying_shares
from rnetstats.kernels.weighted_curves import survival_many
from rnetstats.treatment.clone_censor import _counts
from treatment_cohorts import SIX, draw


def six(grace=5.0, ever=True):
    return Clones(
        stop=SIX["months"].to_numpy(),
        event=SIX["event"].to_numpy() == 1,
        treated_at=SIX["salvage"].fillna(np.inf).to_numpy(),
        X=np.empty((6, 0)),
        grace=grace,
        ever=ever,
    )


def drawn(seed=3, n=150, grace=18.0, ever=True, whole=True):
    """A cohort with ties among events, treatments and both."""
    d = draw(np.random.default_rng(seed), n, confounding=1.0, delay=(0.0, 30.0))
    stop, at = d["months"].to_numpy(), d["treated_at"].to_numpy()
    if whole:
        stop, at = np.ceil(stop), np.floor(at)
    z = np.random.default_rng(seed).normal(size=n)
    return Clones(
        stop=stop,
        event=d["event"].to_numpy() == 1,
        treated_at=np.where(np.isnan(at), np.inf, at),
        X=np.column_stack([d["x"], z]),
        grace=grace,
        ever=ever,
    )


def ones(clones):
    return np.ones((1, len(clones.stop)))


def test_an_event_at_the_end_of_the_grace_period_comes_before_leaving():
    # A dies untreated at 5, B is treated at 2 and dies at 8, C is never treated
    clones = Clones(
        stop=np.array([5.0, 8.0, 9.0]),
        event=np.array([True, True, False]),
        treated_at=np.array([np.inf, 2.0, np.inf]),
        X=np.empty((3, 0)),
        grace=5.0,
        ever=True,
    )
    found = clone_replicates(clones, ones(clones))
    assert found.times.tolist() == [5, 8]
    # treated arm: all three until 5; then B, who stands for C too
    np.testing.assert_allclose(found.treated.at_risk[0], [3, 2])
    np.testing.assert_allclose(found.treated.died[0], [1, 2])
    # untreated arm: A and C stand for three from 2 on
    np.testing.assert_allclose(found.untreated.at_risk[0], [3, 1.5])
    np.testing.assert_allclose(found.untreated.died[0], [1.5, 0])
    counts = _counts(clones, 10.0)
    assert (counts.n_treated, counts.n_untreated) == (2, 2)
    assert (counts.events_treated, counts.events_untreated, counts.shared) == (2, 1, 1)
    assert counts.own == (1, 0)
    assert _counts(clones, 6.0).own == (0, 0)


def test_six_patients_by_hand():
    found = clone_replicates(six(), ones(six()))
    assert found.times.tolist() == [4, 6, 10, 20]
    # treated arm: all six until month 5; then B and C, who stand for the five at risk then
    np.testing.assert_allclose(found.treated.at_risk[0], [6, 5, 5, 0])
    np.testing.assert_allclose(found.treated.died[0], [1, 0, 2.5, 0])
    # untreated: weights 6/5 after B's treatment, 8/5 after C's, 16/5 after F's
    np.testing.assert_allclose(found.untreated.at_risk[0], [6, 4.8, 3.2, 0])
    np.testing.assert_allclose(found.untreated.died[0], [1.2, 1.6, 0, 0])
    np.testing.assert_allclose(found.risk(1, 12.0), 7 / 12)
    np.testing.assert_allclose(found.risk(0, 12.0), 7 / 15)
    np.testing.assert_allclose(found.rmst(1, 12.0), 4 + 6 * 5 / 6 + 2 * 5 / 12)
    np.testing.assert_allclose(found.rmst(0, 12.0), 4 + 2 * 4 / 5 + 6 * 8 / 15)
    assert np.isnan(found.risk(1, 13.0)).all()  # C is the last of the treated arm
    assert np.isnan(found.rmst(0, 16.0)).all()
    # the score of log(HR) = b at month 4: 6, 6 at risk; 6: 5, 4.8; 10: 5, 3.2
    theta = np.exp(found.log_hazard_ratio(12.0)[0])
    score = 3.5 - (
        2.2 * 6 * theta / (6 * theta + 6)
        + 1.6 * 5 * theta / (5 * theta + 4.8)
        + 2.5 * 5 * theta / (5 * theta + 3.2)
    )
    assert abs(score) < 1e-12


def test_six_patients_untreated_within_the_grace_period_only():
    clones = six(ever=False)
    found = clone_replicates(clones, ones(clones))
    # F, treated after the grace period, stays: D, E, F with weight 8/5, and E, F after D
    np.testing.assert_allclose(found.untreated.at_risk[0], [6, 4.8, 3.2, 1.6])
    np.testing.assert_allclose(found.untreated.died[0], [1.2, 1.6, 0, 1.6])


def expanded(clones, arm):
    """Start-stop rows of the clones of an arm, with the weight of each from the public models."""
    n = len(clones.stop)
    data = {f"x{j}": clones.X[:, j] for j in range(clones.X.shape[1])}
    formula = " + ".join(data)
    if arm:
        beyond = clones.stop > clones.grace
        chosen = pd.DataFrame({**data, "y": clones.in_grace.astype(int)})
        model = rn.logistic(chosen[beyond], f"y ~ {formula}")
        weight = 1.0 / np.asarray(model.predict(chosen))
        cuts, values = np.array([clones.grace]), np.column_stack([np.ones(n), weight])
    else:
        left = clones.leaves_untreated
        stop = np.where(left, clones.treated_at, clones.stop - 1e-6)  # who leaves is at risk before
        stop = stop if clones.ever else np.minimum(stop, clones.grace)
        frame = pd.DataFrame({**data, "t": stop, "e": left.astype(int)})
        model = rn.cox(frame, f"Surv(t, e) ~ {formula}")
        cuts = np.unique(stop[left])
        survival = model.survival(frame[list(data)], cuts)["survival"].to_numpy().reshape(n, -1)
        values = np.column_stack([np.ones(n), 1.0 / survival])
    end, seen = clones.end(arm), clones.seen(arm)
    edges = np.concatenate([[0.0], cuts[cuts > 0.0], [np.inf]])
    values = values[:, -(len(edges) - 1) :]
    rows = []
    for k, (a, b) in enumerate(pairwise(edges)):
        here = np.flatnonzero(end > a)
        rows.append(
            pd.DataFrame(
                {
                    "start": a,
                    "stop": np.minimum(end[here], b),
                    "event": seen[here] & (end[here] <= b),
                    "weight": values[here, k],
                    "arm": arm,
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


@pytest.mark.parametrize("ever", [True, False])
def test_sums_are_those_of_expanded_rows_with_weights_of_the_public_models(ever):
    clones = drawn(ever=ever)
    found = clone_replicates(clones, ones(clones))
    parts = {arm: expanded(clones, arm) for arm in (0, 1)}
    for arm, rows in parts.items():
        args = (rows["stop"], rows["event"], rows["weight"].to_numpy())
        start = rows["start"].to_numpy()
        want = survival_many(*args, [30.0, 60.0], start=start)[0]
        got = [1.0 - found.risk(arm, time)[0] for time in (30.0, 60.0)]
        np.testing.assert_allclose(got, want, rtol=1e-9)
        steps = np.unique(np.clip([0.0, *rows["stop"], 60.0], 0.0, 60.0))
        curve = survival_many(*args, steps[:-1], start=start)
        np.testing.assert_allclose(found.rmst(arm, 60.0), curve @ np.diff(steps), rtol=1e-9)
    both = pd.concat(parts.values(), ignore_index=True)
    both["event"] = (both["event"] & (both["stop"] <= 60.0)).astype(int)
    fit = rn.cox(
        both,
        "Surv(start, stop, event) ~ arm",
        penalty=None,
        ties="breslow",
        sampling_weights="weight",
    )
    np.testing.assert_allclose(found.log_hazard_ratio(60.0)[0], fit.coef.iloc[0], rtol=1e-9)


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1))
def test_frequencies_are_replicated_rows(seed):
    clones = drawn(n=60)
    freq = np.random.default_rng(seed).integers(0, 4, 60)
    rows = np.repeat(np.arange(60), freq)
    again = Clones(
        stop=clones.stop[rows],
        event=clones.event[rows],
        treated_at=clones.treated_at[rows],
        X=clones.X[rows],
        grace=clones.grace,
        ever=True,
    )
    one = clone_replicates(clones, freq[None].astype(float))
    two = clone_replicates(again, np.ones((1, len(rows))))
    for arm in (0, 1):
        np.testing.assert_allclose(one.risk(arm, 36.0), two.risk(arm, 36.0), rtol=1e-8)
        np.testing.assert_allclose(one.rmst(arm, 36.0), two.rmst(arm, 36.0), rtol=1e-8)
    np.testing.assert_allclose(
        one.log_hazard_ratio(36.0), two.log_hazard_ratio(36.0), rtol=1e-7, atol=1e-9
    )


def test_a_batch_is_its_replicates_one_by_one():
    clones = drawn(n=80)
    freq = np.random.default_rng(4).integers(0, 3, (7, 80)).astype(float)
    batch = clone_replicates(clones, freq)
    for k in range(7):
        alone = clone_replicates(clones, freq[k : k + 1])
        for arm in (0, 1):
            np.testing.assert_allclose(
                batch.risk(arm, 40.0)[k], alone.risk(arm, 40.0)[0], rtol=1e-10
            )


def test_nobody_departs_and_all_weights_are_1():
    clones = drawn(whole=False)
    everybody = Clones(
        stop=clones.stop,
        event=clones.event,
        treated_at=np.minimum(clones.stop / 2.0, clones.grace),
        X=clones.X,
        grace=clones.grace,
        ever=True,
    )
    assert (treated_weights(everybody, ones(clones)) == 1.0).all()
    nobody = Clones(
        stop=clones.stop,
        event=clones.event,
        treated_at=np.full(len(clones.stop), np.inf),
        X=clones.X,
        grace=clones.grace,
        ever=True,
    )
    hazard, risk = staying_hazard(nobody, ones(clones), nobody.times)
    assert (untreated_weights(hazard, risk, int(hazard.places[-1])) == 1.0).all()
    assert (staying_shares(nobody, ones(clones)) == 0.0).all()
    assert (treated_weights(nobody, ones(clones)) == 0.0).all()
    found = clone_replicates(nobody, ones(clones))
    want = survival_many(nobody.stop, nobody.event, ones(clones), [60.0])
    np.testing.assert_allclose(1.0 - found.risk(0, 60.0), want[0])
    assert np.isnan(found.risk(1, 60.0)).all()
    assert np.isnan(found.log_hazard_ratio(clones.grace)).sum() == 0


def test_a_cap_bounds_the_weights():
    clones = drawn()
    plain, capped = (
        treated_weights(clones, ones(clones)),
        treated_weights(clones, ones(clones), 2.0),
    )
    assert plain.max() > 2.0
    np.testing.assert_array_equal(capped, np.minimum(plain, 2.0))
    assert clone_replicates(clones, ones(clones), cap=1.0).untreated.at_risk.max() <= 150


def test_an_arm_without_events_has_an_infinite_log_hazard_ratio():
    clones = six()
    # B and A, treated, have no event; then D and F, untreated; then nobody
    freq = np.array([[0.0, 0, 1, 1, 1, 1], [0.0, 1, 1, 0, 1, 0], [0.0, 0, 1, 0, 1, 0]])
    found = clone_replicates(clones, freq)
    logs = found.log_hazard_ratio(12.0)
    assert logs[0] == -np.inf
    assert found.risk(1, 12.0)[0] == 0.0
    assert logs[1] == np.inf
    assert np.isnan(logs[2])
