"""Few events: each row is its method's, and what is undefined is missing with a note."""

from __future__ import annotations

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

import rnetstats as rn
from rnetstats.errors import DataError, FormulaError, OptionError
from support import assert_close, data_path

NUMBERS = ["estimate", "conf_low", "conf_high", "p_value"]


def counts(a: int, n: int, c: int, m: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"y": [1] * a + [0] * (n - a) + [1] * c + [0] * (m - c), "arm": [1] * n + [0] * m}
    )


def rows(seed: int, n: int = 24, rate: float = 0.02) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    event, censor = rng.exponential(1 / rate, n), rng.uniform(5, 60, n)
    return pd.DataFrame(
        {
            "t": np.round(np.minimum(event, censor) + 0.1, 1),
            "e": (event <= censor).astype(int),
            "arm": np.repeat([0, 1], n // 2),
        }
    )


def test_eight_of_twelve_by_hand() -> None:
    """8 of 181 against 4 of 346: Fisher's P is 0.0274, the odds ratio by cross product 3.95."""
    found = rn.few_events(counts(8, 181, 4, 346), "y ~ arm")
    assert round(float(found.method("Fisher")["p_value"]), 4) == 0.0274
    difference = found.method("Newcombe")["estimate"]
    assert_close(difference, 8 / 181 - 4 / 346)
    for name in ("Firth, profile", "log-F(1, 1), profile"):
        assert 1 < found.method(name)["estimate"] < 8 * 342 / (4 * 173)
    assert found.counts["n_events"].tolist() == [8, 4]
    assert found.glance()["endpoint"].item() == "y"
    seven = rn.few_events(counts(7, 181, 5, 346), "y ~ arm")
    assert seven.method("Fisher")["p_value"] > 0.1


def test_methods_that_fall_on_both_sides_of_five_per_cent_are_told() -> None:
    split = rn.few_events(counts(8, 181, 5, 346), "y ~ arm")
    p = split.to_frame()["p_value"].dropna()
    assert p.min() < 0.05 < p.max()
    words = f"P runs from {p.min():.3f} to {p.max():.3f} by method"
    assert any(note.startswith(words) for note in split.notes)
    tiny = rn.few_events(counts(1, 5, 0, 200), "y ~ arm")
    assert any(note.startswith("P runs from below 0.001 to 0.053 by") for note in tiny.notes)
    for table in ((20, 181, 3, 346), (7, 181, 5, 346)):  # all below, all above
        assert not any("P runs from" in n for n in rn.few_events(counts(*table), "y ~ arm").notes)


def test_follow_up_and_the_range_of_p_by_hand() -> None:
    data = {"t": [10.0, 20, 30, 40, 6, 12], "e": [1, 0, 0, 0, 1, 0], "arm": [1, 1, 1, 1, 0, 0]}
    found = rn.few_events(data, "Surv(t, e) ~ arm", seed=4, resamples=99)
    counts = found.counts
    assert counts["person_time"].tolist() == [100.0, 18.0]
    assert_close(counts["rate"], [1 / 100, 1 / 18])
    assert counts["median_follow_up"].tolist() == [30.0, 12.0]
    row, p = found.glance().iloc[0], found.to_frame()["p_value"].dropna()
    assert row["p_smallest"] == p.min() < p.max() == row["p_largest"]
    assert found.seed == 4
    bare = rn.few_events(data, "e ~ arm", seed=4)  # nothing is drawn
    assert bare.seed is None
    assert bare.counts[["person_time", "rate", "median_follow_up"]].isna().all(axis=None)


def test_each_row_is_its_methods() -> None:
    data = rows(3, 40)
    found = rn.few_events(data, "Surv(t, e) ~ arm", seed=7, resamples=199, m=2)
    formula = "Surv(t, e) ~ arm"
    for kind, name in (
        ("exact", "log-rank, exact"),
        ("permutation", "log-rank, permutation"),
        ("permutation-unequal", "log-rank, permutation for unequal follow-up"),
    ):
        test = rn.logrank(data, formula, method=kind, resamples=199, seed=7)
        assert_close(found.method(name)["p_value"], test.p_value)
    assert_close(found.censoring_p_value, rn.logrank(data, formula).censoring_p_value)
    firth = rn.cox(data, formula).to_frame().iloc[0]
    assert_close(
        found.method("Firth, profile")[NUMBERS].astype(float), firth[NUMBERS].astype(float)
    )
    prior = rn.cox(data, formula, penalty="log-f", m=2).to_frame().iloc[0]
    row = found.method("log-F(2, 2), profile")
    assert_close(row[NUMBERS].astype(float), prior[NUMBERS].astype(float))
    events, times = data.groupby("arm")["e"].sum(), data.groupby("arm")["t"].sum()
    ratio = rn.exact_rate_ratio(int(events[1]), times[1], int(events[0]), times[0])
    for key, name in (("central", "exact conditional"), ("mid-p", "mid-P")):
        row = found.method(name, "rate ratio")
        assert_close(row[NUMBERS].astype(float), ratio.method(key)[NUMBERS].astype(float))
    table = rn.exact_table(data, "e ~ arm")
    for key, name, measure in (
        ("minlike", "Fisher", "odds ratio"),
        ("mid-p", "mid-P", "odds ratio"),
        ("blaker", "Blaker", "odds ratio"),
        ("newcombe", "Newcombe", "risk difference"),
        ("miettinen-nurminen", "Miettinen-Nurminen", "risk difference"),
    ):
        row = found.method(name, measure)
        expected = table.method(key, measure)[NUMBERS].astype(float)
        assert_close(row[NUMBERS].astype(float), expected)
    assert (found.to_frame()["assumes"] != "").all()


@pytest.mark.slow
@settings(max_examples=10)
@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 20))
def test_scale_and_labels(seed: int, scale: float) -> None:
    data = rows(seed)
    if data["e"].sum() == 0:
        return
    one = rn.few_events(data, "Surv(t, e) ~ arm", seed=1, resamples=99)
    two = rn.few_events(
        data.assign(t=data["t"] * scale, arm=data["arm"].map({0: "b", 1: "a"})),
        "Surv(t, e) ~ arm",
        new="a",
        seed=1,
        resamples=99,
    )
    exact = ~one.to_frame()["method"].str.contains("permutation")
    assert_close(one.to_frame()[exact][NUMBERS], two.to_frame()[exact][NUMBERS], rel=1e-6)
    swapped = rn.few_events(data, "Surv(t, e) ~ arm", new=0, seed=1, resamples=99)
    ratios = one.to_frame()["measure"].str.endswith("ratio")
    with np.errstate(divide="ignore"):
        inverse = 1 / swapped.to_frame()[ratios][["estimate", "conf_high", "conf_low"]].to_numpy()
    own = one.to_frame()[ratios]
    known = np.isfinite(own["estimate"]) & (own["estimate"] > 0)
    columns = ["estimate", "conf_low", "conf_high"]
    assert_close(own[columns][known], inverse[known.to_numpy()], rel=1e-6)


def test_frequency_weights_are_replicated_rows() -> None:
    data = rows(5)
    data["w"] = np.arange(len(data)) % 3
    again = data.loc[np.repeat(data.index, data["w"])]
    one = rn.few_events(data, "Surv(t, e) ~ arm", freq_weights="w", seed=2, resamples=99)
    two = rn.few_events(again, "Surv(t, e) ~ arm", seed=2, resamples=99)
    assert_close(one.to_frame()[NUMBERS], two.to_frame()[NUMBERS])
    assert_close(one.counts.iloc[:, 1:], two.counts.iloc[:, 1:])


def test_an_arm_without_events() -> None:
    data = rows(1)
    data.loc[data["arm"] == 1, "e"] = 0
    data.loc[[0, 3], "e"] = 1
    found = rn.few_events(data, "Surv(t, e) ~ arm", seed=1, resamples=99)
    for name in ("Firth, profile", "log-F(1, 1), profile"):
        row = found.method(name)
        assert 0 < row["conf_low"] < row["estimate"] < row["conf_high"] < np.inf
        assert row["estimate"] < 1
    rate = found.method("exact conditional")
    assert (rate["estimate"], rate["conf_low"]) == (0.0, 0.0)
    assert np.isfinite(rate["conf_high"])
    other = rn.few_events(data, "Surv(t, e) ~ arm", new=0, seed=1, resamples=99)
    assert other.method("exact conditional")["conf_high"] == np.inf
    found.plot()
    plt.close("all")


@pytest.mark.parametrize("all_events", [0, 1])
def test_nothing_to_compare(all_events: int) -> None:
    data = counts(0, 44, 0, 98)
    data["y"] = all_events
    found = rn.few_events(data, "y ~ arm")
    table = found.to_frame()
    assert table["p_value"].isna().all()
    ratios = table[table["method"].isin(["Fisher", "mid-P", "Blaker"])]
    assert (ratios["conf_low"] == 0).all()
    assert np.isinf(ratios["conf_high"]).all()
    differences = table[table["measure"] == "risk difference"]
    assert np.isfinite(differences[["conf_low", "conf_high"]].to_numpy()).all()
    assert any("every P is missing" in note for note in found.notes)
    assert any("The odds ratio (Firth, profile; log-F(1, 1), profile)" in n for n in found.notes)
    assert (found.display().to_numpy() != "nan").all()
    found.plot()
    plt.close("all")


@pytest.mark.slow
def test_notes_name_levels_and_the_unit_of_time() -> None:
    cohort = rn.load_cohort("duan2024")
    found = rn.few_events(
        cohort, "Surv(dfs_months, recurrence) ~ margin_positive", seed=1, resamples=99
    )
    label = cohort.attrs["rnetstats"]["labels"]["margin_positive"]
    text = " ".join(found.notes)
    assert f"11 of 181 ({label}: yes) in " in text
    assert "months of follow-up against 1 of 346" in text
    assert f"Fewer than 5 events in the arm {label}: no." in text
    assert found.plot().get_xlabel().startswith(f"Ratio, {label}: yes against no")
    plt.close("all")
    plain = rn.few_events(counts(1, 9, 2, 9).assign(t=1.0), "Surv(t, y) ~ arm", resamples=99)
    assert "units of time of follow-up" in plain.notes[0]


def test_no_event_in_time() -> None:
    found = rn.few_events(
        pd.read_csv(data_path("rnet_zero_events.csv")),
        "Surv(dfs_months, recurrence) ~ margin_positive",
        seed=1,
        resamples=99,
    )
    table = found.to_frame().set_index(["measure", "method"])
    assert table["p_value"].isna().all()
    assert (
        table.loc["rate ratio", ["conf_low", "conf_high"]].to_numpy().tolist() == [[0, np.inf]] * 2
    )
    assert any("Surv(dfs_months, recurrence): no hazard ratio" in note for note in found.notes)
    json.dumps(found.to_dict())


def test_unequal_follow_up_is_named() -> None:
    data = rows(9, 60)
    data.loc[data["arm"] == 1, "t"] = np.minimum(data["t"], 9.0)
    data.loc[(data["arm"] == 1) & (data["t"] == 9.0), "e"] = 0
    found = rn.few_events(data, "Surv(t, e) ~ arm", seed=1, resamples=99)
    assert found.censoring_p_value < 0.1
    assert any("Follow-up differs between the arms" in note for note in found.notes)
    assert "reverse Kaplan-Meier P" in found.method("log-rank, exact")["assumes"]


@pytest.mark.slow
def test_the_level_of_penalised_tests_by_enumeration() -> None:
    """12 events in 181 : 346 with no effect: the splits are hypergeometric, totals fixed."""
    law = hypergeom(527, 12, 181).pmf(np.arange(13))
    p = [rn.few_events(counts(a, 181, 12 - a, 346), "y ~ arm") for a in range(13)]
    for name in ("Fisher", "Blaker", "Firth, profile", "log-F(1, 1), profile"):
        values = np.array([float(found.method(name)["p_value"]) for found in p])
        regions = np.flatnonzero(values < 0.05).tolist()
        # log-F(1, 1) calls 1 : 11 significant too, for which its level is 0.066
        assert regions == [0, *([1] if name.startswith("log-F") else []), 8, 9, 10, 11, 12], name
        assert law[regions].sum() < (0.067 if name.startswith("log-F") else 0.05)


def test_refusals() -> None:
    data = rows(1).assign(s=0.0, g=["a", "b", "c"] * 8)
    with pytest.raises(FormulaError, match="from time 0"):
        rn.few_events(data, "Surv(s, t, e) ~ arm")
    with pytest.raises(DataError, match="two are compared"):
        rn.few_events(data, "Surv(t, e) ~ g")
    with pytest.raises(FormulaError):
        rn.few_events(data, "Surv(t, e) ~ arm + strata(g)")
    for options in ({"m": 0}, {"resamples": 0}, {"conf_level": 95}, {"new": "x"}, {"seed": -1}):
        with pytest.raises(OptionError):
            rn.few_events(data, "Surv(t, e) ~ arm", **options)


def test_no_person_time() -> None:
    data = {"t": [0.0, 0.0, 3.0, 4.0], "e": [0, 0, 1, 0], "arm": [1, 1, 0, 0]}
    found = rn.few_events(data, "Surv(t, e) ~ arm", seed=1, resamples=9)
    assert any("has no person-time" in note for note in found.notes)
    assert found.to_frame().query("measure == 'rate ratio'")["estimate"].isna().all()
