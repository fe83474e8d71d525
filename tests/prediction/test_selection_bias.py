"""Selection bias over resamples, by hand from single fits (Heinze, Wallisch & Dunkler 2018)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats._core.random import CHUNK, chunk_generators
from rnetstats.kernels.resampling import bootstrap_counts


@pytest.fixture(scope="module")
def patients() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    data = pd.DataFrame(rng.normal(size=(150, 3)), columns=["a", "b", "c"])
    data["kind"] = rng.choice(["p", "q", "r"], 150)
    risk = 1 / (1 + np.exp(0.6 - data["a"] - 0.3 * data["b"]))
    return data.assign(y=(rng.uniform(size=150) < risk).astype(int), t=rng.exponential(size=150))


def test_each_number_by_hand(patients: pd.DataFrame) -> None:
    made_by = rn.recipe("y ~ a + b + c", select={"method": "backward", "alpha": 0.157})
    found = rn.validate(made_by, patients, resamples=30, seed=2, indices="auc")
    frame = found.selection().set_index("term")
    names = ["a", "b", "c"]
    everything = rn.logistic(patients, "y ~ a + b + c").to_frame().set_index("term")
    np.testing.assert_allclose(frame["global_coef"], everything.loc[names, "coef"], rtol=1e-8)
    np.testing.assert_allclose(frame["std_error"], everything.loc[names, "std_error"], rtol=1e-8)
    _, rng = next(iter(chunk_generators(2, 30)))
    coefs = np.zeros((30, 3))
    for b, counts in enumerate(bootstrap_counts(rng, len(patients), CHUNK)[:30]):
        sample = patients.loc[np.repeat(patients.index, counts)].reset_index(drop=True)
        model = made_by.fit(sample, seed=1)
        for column, value in zip(model.design.columns[1:], model.coef[1:], strict=True):
            coefs[b, names.index(column.term)] = value
    chosen = coefs != 0.0
    np.testing.assert_allclose(frame["frequency"], chosen.mean(axis=0))
    for j, name in enumerate(names):
        row = frame.loc[name]
        bias = 100 * (coefs[chosen[:, j], j].mean() / row["global_coef"] - 1)
        np.testing.assert_allclose(row["conditional_bias"], bias, rtol=1e-6)
        rmsd = np.sqrt(np.mean((coefs[:, j] - row["global_coef"]) ** 2)) / row["std_error"]
        np.testing.assert_allclose(row["rmsd_ratio"], rmsd, rtol=1e-6)
        np.testing.assert_allclose(
            row[["median", "low", "high"]].astype(float),
            np.quantile(coefs[:, j], [0.5, 0.025, 0.975]),
            rtol=1e-6,
            atol=1e-9,
        )
    final = made_by.fit(patients, seed=1)
    kept = {c.term: v for c, v in zip(final.design.columns[1:], final.coef[1:], strict=True)}
    np.testing.assert_allclose(frame["coef"], [kept.get(name, 0.0) for name in names], rtol=1e-8)


def test_levels_cut_offs_and_survival_have_rows(patients: pd.DataFrame) -> None:
    made_by = rn.recipe(
        "Surv(t, y) ~ a + kind + rcs(b, 3)", cut={"a": "maxstat"}, select="backward"
    )
    found = rn.validate(made_by, patients, resamples=20, seed=1, indices="c")
    frame = found.selection()
    assert list(zip(frame["term"], frame["level"], strict=True)) == [
        ("a", ""),
        ("kind", "q"),
        ("kind", "r"),
    ]
    assert any("leaves out rcs(b, 3)" in note for note in found.notes)


def test_a_term_that_is_never_selected_has_no_bias(patients: pd.DataFrame) -> None:
    made_by = rn.recipe("y ~ a + c", select={"method": "univariable", "alpha": 1e-4})
    found = rn.validate(made_by, patients, resamples=5, seed=1, indices="auc")
    row = found.selection().set_index("term").loc["c"]
    assert row["frequency"] == 0.0
    assert np.isnan(row["conditional_bias"])
    assert row["rmsd_ratio"] > 0.0
    assert any("Never selected" in note and "c" in note for note in found.notes)


def test_without_selection_there_is_nothing(patients: pd.DataFrame) -> None:
    found = rn.validate(rn.recipe("y ~ a"), patients, resamples=5, seed=1, indices="auc")
    assert found.selection().empty


def test_separated_candidates_are_said(patients: pd.DataFrame) -> None:
    data = patients.assign(b=patients["y"] * 2.0 + np.linspace(0, 1, 150))
    made_by = rn.recipe("y ~ a + b", select="univariable", penalty=None)
    with pytest.raises(rn.errors.TooFewEventsError):
        rn.validate(made_by, data, resamples=5, seed=1)


def test_selection_survives_json(patients: pd.DataFrame) -> None:
    made_by = rn.recipe("y ~ a + kind", select="backward")
    found = rn.validate(made_by, patients, resamples=10, seed=1, indices="auc")
    again = type(found).from_dict(found.to_dict())
    pd.testing.assert_frame_equal(found.selection(), again.selection())
