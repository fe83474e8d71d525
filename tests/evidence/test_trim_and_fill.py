from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnetstats.errors import ColumnError, DataError, OptionError
from rnetstats.evidence.trim_and_fill import trim_and_fill
from support import assert_close, case, numbers

TABLES = ["bcg_OR", "bcg_RR", "bcg_RD", "nielweise_OR", "nielweise_RD", "yusuf_OR"]
TABLES += ["double_zero_OR", "double_zero_RD"]
FIELDS = {
    "estimate": "coef",
    "se": "std_error",
    "tau2": "tau2",
    "Q": "q",
}


def effects(name):
    known = case("meta", name)["values"]
    return pd.DataFrame({"coef": numbers(known["yi"]), "std_error": np.sqrt(numbers(known["vi"]))})


def lopsided(k=12, seed=1):
    """Small studies on the right only."""
    rng = np.random.default_rng(seed)
    error = np.linspace(0.1, 0.8, k)
    return pd.DataFrame({"coef": 0.2 + error * np.abs(rng.normal(size=k)), "std_error": error})


@pytest.mark.parametrize("estimator", ["L0", "R0"])
@pytest.mark.parametrize("name", TABLES)
def test_every_field_of_the_reference(name, estimator):
    known = case("meta", name)["values"][f"trimfill_DL_{estimator}"]
    found = trim_and_fill(effects(name), estimator=estimator, tau2="DL", ci="wald")
    row = found.pooled.iloc[1]
    assert found.filled == known["k0"]
    assert found.side == known["side"]
    for field, column in FIELDS.items():
        assert_close(row[column], known[field])
    assert_close([row["conf_low"], row["conf_high"]], [known["ci_lower"], known["ci_upper"]])
    assert row["k"] == len(found.studies) == len(effects(name)) + known["k0"]


# metafor 3.8-1: trimfill(rma(yi, vi, method = "DL"), estimator =, side =): k0, se.k0, b, tau2
OTHERS = [
    ("bcg_RR", "L0", "right", 1, 2.45279864318293, -0.656073212988602, 0.308132153286984),
    ("bcg_RR", "Q0", "right", 1, 2.77862574085483, -0.656073212988602, 0.308132153286984),
    ("bcg_RD", "L0", "right", 4, 2.41324303624811, -0.00492834091559206, 2.60100996231329e-05),
    ("bcg_RD", "R0", "right", 7, 4.0, -0.000666660623604353, 3.53067516665855e-05),
    ("bcg_RD", "Q0", "right", 5, 3.79823973422126, -0.003333356283826, 2.76209554543658e-05),
    ("nielweise_OR", "L0", "right", 7, 2.53452999093428, -0.524610558863406, 0.516576553700887),
    ("nielweise_OR", "Q0", "right", 10, 5.48497220100872, -0.42326870798018, 0.506798536671098),
    ("nielweise_RD", "Q0", "right", 10, 5.25610755851387, -0.00413925901543055, 0.000468027870696),
    ("yusuf_OR", "L0", "right", 1, 2.75761157276434, -0.0499597511504397, 0.0),
    ("yusuf_OR", "Q0", "right", 1, 2.92796904949846, -0.0499597511504397, 0.0),
    ("bcg_OR", "R0", "left", 0, 1.4142135623731, -0.747392349732137, 0.366343406725598),
]


@pytest.mark.parametrize("known", OTHERS, ids=lambda known: "-".join(map(str, known[:3])))
def test_sides_and_errors_of_the_count(known):
    name, estimator, side, count, error, coef, tau2 = known
    found = trim_and_fill(effects(name), estimator=estimator, side=side, tau2="DL", ci="wald")
    assert found.filled == count
    assert_close(found.filled_std_error, error)
    assert_close(found.pooled[["coef", "tau2"]].iloc[1], [coef, tau2])


def test_trimming_by_hand():
    """Equal variances, side given: centre 2.6 over 0, 1, 2, 4, 6; ranks and counts by hand.

    Distances -2.6, -1.6, -0.6, 1.4, 3.4 rank 4, 3, 1, 2, 5: S = 7, L0 = (28 - 30) / 9 < 0. R0: the
    largest rank below the centre is 4, so 5 - 4 - 1 = 0. With 9 in place of 6 the centre is 3.2,
    distances -3.2, -2.2, -1.2, 0.8, 5.8: still a run of one. With 0, 1, 1.5, 8, 9 it is 3.9:
    -3.9, -2.9, -2.4, 4.1, 5.1 rank 3, 2, 1, 4, 5, R0 = 5 - 3 - 1 = 1; without 9 the centre is
    2.625, ranks below it reach 3 again, and one study is filled in at 2 * 2.625 - 9 = -3.75.
    """
    for coef, missing in (([0, 1, 2, 4, 6], 0), ([0, 1, 2, 4, 9], 0), ([0, 1, 1.5, 8, 9], 1)):
        frame = pd.DataFrame({"coef": np.array(coef, dtype=float), "std_error": 1.0})
        found = trim_and_fill(frame, estimator="R0", side="left", tau2=0.0)
        assert found.filled == missing
    assert_close(found.studies["coef"].iloc[-1], -3.75)
    assert found.studies["study"].iloc[-1] == "Filled: 5"
    assert_close(found.pooled["coef"], [19.5 / 5.0, 15.75 / 6.0])


def test_l0_and_q0_by_hand():
    """Of 0, 1, 1.5, 8, 9 above: S = 9, L0 = (36 - 30) / 9 rounds to 1; without 9 the centre is
    2.625, distances -2.625, -1.625, -1.125, 5.375, 6.375, S = 9 again: 1. Q0 = 4.5 - sqrt(14.25)
    rounds to 1 as well.
    """
    frame = pd.DataFrame({"coef": [0.0, 1.0, 1.5, 8.0, 9.0], "std_error": 1.0})
    for estimator in ("L0", "Q0"):
        found = trim_and_fill(frame, estimator=estimator, side="left", tau2=0.0)
        assert found.filled == 1
        assert_close(found.studies["coef"].iloc[-1], -3.75)


def test_the_side_is_mirrored_with_the_effects():
    frame = lopsided()
    left = trim_and_fill(frame)
    right = trim_and_fill(frame.assign(coef=-frame["coef"]))
    assert (left.side, right.side) == ("left", "right")
    assert left.filled == right.filled > 0
    assert_close(np.sort(left.studies["coef"]), np.sort(-right.studies["coef"]))
    assert_close(left.pooled["coef"], -right.pooled["coef"])


def test_ratios_are_shown_as_ratios():
    frame = lopsided()
    found = trim_and_fill(frame, measure="OR")
    plain = trim_and_fill(frame)
    assert_close(found.pooled["estimate"], np.exp(plain.pooled["estimate"]))
    assert_close(found.studies["conf_low"], np.exp(plain.studies["conf_low"]))
    axes = found.plot()
    assert axes.get_xscale() == "log"
    labels = axes.get_legend_handles_labels()[1]
    assert {"filled study", "with filled studies"} <= set(labels)


def test_it_says_what_it_is():
    found = trim_and_fill(lopsided())
    assert found.notes[0].startswith("A sensitivity analysis, not an estimate")
    assert any("too narrow" in note for note in found.notes)
    few = trim_and_fill(lopsided(5), side="left")
    assert any("With 5 studies" in note for note in few.notes)
    assert not any("chosen on the data" in note for note in few.notes)


def test_nothing_to_fill_gives_the_same_line_twice():
    frame = pd.DataFrame({"coef": [-1.0, 0.0, 1.0, 0.0], "std_error": [1.0, 0.5, 1.0, 0.4]})
    found = trim_and_fill(frame, side="right")
    assert found.filled == 0
    first, second = found.pooled.drop(columns="model").to_numpy()
    assert_close(first, second)
    assert any("No study is filled in" in note for note in found.notes)


def test_rounds_in_a_circle_stop_at_the_larger_count():
    coef = [0.4, 1.3, -3.1, 4.5, -0.2, 0.0, 0.0, 0.0, 0.1, -0.7, -1.2]
    error = [1.6, 1.4, 1.2, 1.9, 1.3, 1.2, 0.8, 1.9, 0.2, 1.6, 1.3]
    frame = pd.DataFrame({"coef": coef, "std_error": error})
    found = trim_and_fill(frame, estimator="Q0", tau2="DL")
    assert any("in a circle" in note for note in found.notes)
    assert found.filled > 0


def test_an_undefined_error_of_the_count_is_named():
    frame = pd.DataFrame({"coef": [0.2, 0.0, 0.1, 0.3], "std_error": [0.2, 0.9, 0.6, 0.5]})
    found = trim_and_fill(frame, estimator="Q0", tau2="DL")
    assert np.isnan(found.filled_std_error)
    assert any("no standard error" in note for note in found.notes)


def test_figures_of_synthetic_studies_say_so():
    axes = trim_and_fill(lopsided(), synthetic=True).plot()
    assert "Synthetic data" in [text.get_text() for text in axes.texts]


BAD = {
    "two studies": (lambda f: f.iloc[:2], {}, DataError, "at least 3"),
    "equal errors": (lambda f: f.assign(std_error=1.0), {}, DataError, "Give side="),
    "no column": (lambda f: f.drop(columns="std_error"), {}, ColumnError, "std_error"),
    "negative": (lambda f: f.assign(std_error=-1.0), {}, DataError, "above 0"),
    "estimator": (lambda f: f, {"estimator": "L1"}, OptionError, "L0"),
    "side": (lambda f: f, {"side": "up"}, OptionError, "left"),
    "tau2": (lambda f: f, {"tau2": "DLL"}, OptionError, "DL"),
    "fixed tau2": (lambda f: f, {"tau2": -1.0}, OptionError, "tau2"),
    "ci": (lambda f: f, {"ci": "exact"}, OptionError, "wald"),
    "level": (lambda f: f, {"conf_level": 1.0}, OptionError, "conf_level"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(name):
    change, options, error, words = BAD[name]
    with pytest.raises(error, match=words):
        trim_and_fill(change(lopsided()), **options)


@pytest.mark.slow
@settings(max_examples=12)
@given(st.integers(3, 15), st.integers(0, 10_000), st.sampled_from(["L0", "R0", "Q0"]))
def test_filling_is_symmetric_and_never_beyond_the_studies(k, seed, estimator):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"coef": rng.normal(size=k), "std_error": rng.uniform(0.2, 1.0, k)})
    found = trim_and_fill(frame, estimator=estimator, tau2="DL")
    assert 0 <= found.filled < k
    again = trim_and_fill(frame.sample(frac=1.0, random_state=seed), estimator=estimator, tau2="DL")
    assert_close(again.pooled["coef"], found.pooled["coef"], rel=1e-7)
    moved = trim_and_fill(frame.assign(coef=frame["coef"] + 3.0), estimator=estimator, tau2="DL")
    assert_close(moved.pooled["coef"], found.pooled["coef"] + 3.0, rel=1e-7)
    added = found.studies[found.studies["filled"]]
    towards = -1.0 if found.side == "left" else 1.0
    shift = (found.pooled["coef"].iloc[1] - found.pooled["coef"].iloc[0]) * towards
    assert len(added) == 0 or shift > -1e-9
