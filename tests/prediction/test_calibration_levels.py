"""Levels of calibration: who is counted, and who is too few."""

from __future__ import annotations

import numpy as np
import pytest

import rnetstats as rn
from rnetstats.prediction.calibration_levels import levels_table, share_in_band
from rnetstats.prediction.calibration_spline import Curve


def test_patients_in_the_band_count_as_often_as_they_stand() -> None:
    at = np.array([0.1, 0.5, 0.9])
    curve = Curve(at, at, np.array([0.0, 0.4, 0.95]), np.array([0.2, 0.6, 1.0]), at)
    risk = np.array([0.1, 0.5, 0.9])  # inside, inside, below the band
    assert share_in_band(curve, risk, None) == pytest.approx(2 / 3)
    assert share_in_band(curve, risk, np.array([1.0, 0.0, 3.0])) == pytest.approx(1 / 4)


def test_few_patients_without_the_event_are_as_few_events() -> None:
    rng = np.random.default_rng(1)
    risk = rng.uniform(0.05, 0.95, 60)
    event = np.arange(60) < 4
    verdicts = []
    for outcome in (event, ~event):
        levels = rn.calibration({"y": outcome.astype(int), "p": risk}, "y ~ p").levels()
        verdicts.append(levels.set_index("level")["verdict"])
    for level in ("weak", "moderate"):
        assert verdicts[0][level] == verdicts[1][level] == "cannot be judged"


def test_a_falling_line_beside_risks_of_exactly_zero_is_said_to_be_none() -> None:
    risk = np.repeat([0.0, 0.1, 0.2, 0.5, 0.6], [22, 13, 17, 42, 4])
    y = np.zeros(98, dtype=int)
    y[[22, 23, 97, 96]] = 1  # two at a risk of 0.1, two at 0.6: the line falls
    found = rn.calibration({"y": y, "p": risk}, "y ~ p")
    assert np.isnan(found.to_frame()["slope"].iloc[0])
    assert any("only a rising line fits" in note for note in found.notes)
    inside = risk > 0.0
    alone = rn.calibration({"y": y[inside], "p": risk[inside]}, "y ~ p")
    assert alone.to_frame()["slope"].iloc[0] < 0.0
    no_events = rn.calibration(
        {"y": [0, 0, 0, 0, 1, 1], "p": [0.0, 0.2, 0.3, 0.4, 1.0, 1.0]}, "y ~ p"
    )
    assert any("(0, 1) all have one outcome" in note for note in no_events.notes)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_spline_that_separates_has_no_test_and_says_so(weighted: bool) -> None:
    """Eight risks, events at two of them: the spline's likelihood has no maximum."""
    risk = np.arange(1, 9) / 10.0
    count, events = np.array([13, 17, 6, 16, 20, 4, 3, 1]), np.array([2, 0, 0, 0, 0, 2, 0, 0])
    table = {
        "p": np.repeat(risk, 2),
        "y": np.tile([0, 1], 8),
        "n": np.column_stack([count - events, events]).ravel(),
    }
    weights: dict[str, str] = {"freq_weights": "n"}
    if not weighted:
        again = np.repeat(np.arange(16), table["n"])
        table, weights = {name: values[again] for name, values in table.items()}, {}
    table = {name: values[table["n"] > 0] for name, values in table.items()}
    found = rn.calibration(table, "y ~ p", smoother="rcs", **weights)
    row = found.tests().set_index("test").loc["a spline against the ideal line"]
    assert np.isnan(row["p_value"])
    assert found.levels().set_index("level").loc["moderate", "verdict"] == "cannot be judged"
    assert any("a spline of the risks has no estimate" in note for note in found.notes)
    assert found.curve()["observed"].isna().all()


MEASURED = {
    "oe": 1.0, "oe_low": 0.8, "oe_high": 1.2, "intercept": 0.1, "slope": 0.9, "slope_low": 0.7,
    "slope_high": 1.1, "weak_p": 0.3, "weak_test": "the likelihood ratio", "moderate_p": 0.3,
    "moderate_test": "the likelihood ratio", "ici": 0.02, "emax": 0.1, "n": 900.0,
    "n_events": 300.0,
}  # fmt: skip
NAN = float("nan")


@pytest.mark.parametrize(
    ("level", "change", "verdict"),
    [
        ("mean", {}, "no departure shown"),
        ("mean", {"oe_low": 1.0}, "no departure shown"),
        ("mean", {"oe_high": 1.0}, "no departure shown"),
        ("mean", {"oe_low": 1.01}, "departs: risks are too low on average"),
        ("mean", {"oe_high": 0.99}, "departs: risks are too high on average"),
        ("mean", {"oe_low": NAN}, "cannot be judged"),
        ("mean", {"oe_high": np.inf}, "cannot be judged"),
        ("weak", {}, "no departure shown"),
        ("weak", {"weak_p": 0.051}, "no departure shown"),
        ("weak", {"weak_p": 0.049}, "departs"),
        ("weak", {"weak_p": 0.01, "slope_high": 0.99}, "departs: risks are too extreme (slope "
         "below 1)"),
        ("weak", {"weak_p": 0.01, "slope_low": 1.01}, "departs: risks are too moderate (slope "
         "above 1)"),
        ("weak", {"weak_p": 0.01, "slope_high": 1.0}, "departs"),
        ("weak", {"weak_p": 0.01, "slope_low": 1.0}, "departs"),
        ("weak", {"weak_p": 0.01, "n_events": 5.0}, "departs"),
        ("weak", {"weak_p": 0.01, "n_events": 4.0}, "cannot be judged"),
        ("weak", {"weak_p": 0.01, "n_events": 896.0}, "cannot be judged"),
        ("weak", {"weak_p": NAN}, "cannot be judged"),
        ("moderate", {}, "no departure shown"),
        ("moderate", {"n_events": 200.0}, "no departure shown"),
        ("moderate", {"n_events": 199.0}, "no departure shown, but too few events to show much"),
        ("moderate", {"n_events": 701.0}, "no departure shown, but too few events to show much"),
        ("moderate", {"moderate_p": 0.049}, "departs"),
        ("moderate", {"moderate_p": 0.049, "n_events": 5.0}, "departs"),
        ("moderate", {"moderate_p": 0.051}, "no departure shown"),
        ("moderate", {"moderate_p": 0.049, "n_events": 4.0}, "cannot be judged"),
        ("moderate", {"moderate_p": NAN}, "cannot be judged"),
        ("strong", {}, "cannot be judged"),
    ],
)  # fmt: skip
def test_each_level_is_judged_by_its_rule(
    level: str, change: dict[str, float], verdict: str
) -> None:
    table = levels_table({**MEASURED, **change}, 0.75, 0.95).set_index("level")
    assert table.loc[level, "verdict"] == verdict


def test_what_was_found_is_said_beside_its_rule() -> None:
    table = levels_table(MEASURED, 0.75, 0.9).set_index("level")
    assert table.loc["mean", "rule"] == "departs if the 90 % limits of O/E exclude 1"
    assert "P < 0.1; judged with at least 5 events" in table.loc["weak", "rule"]
    assert "for 75.0 % of patients" in table.loc["moderate", "finding"]


def test_numbers_near_their_bound_are_written_on_their_side_of_it() -> None:
    near = {**MEASURED, "oe_low": 0.87, "oe_high": 0.998, "weak_p": 0.0498, "moderate_p": 0.05004}
    table = levels_table(near, 0.75, 0.95).set_index("level")
    assert table.loc["mean", "verdict"].startswith("departs")
    assert "(0.870 to 0.998)" in table.loc["mean", "finding"]
    assert table.loc["weak", "verdict"].startswith("departs")
    assert "P 0.0498 of" in table.loc["weak", "finding"]
    assert not table.loc["moderate", "verdict"].startswith("departs")
    assert "P 0.05004 of" in table.loc["moderate", "finding"]
    plain = levels_table({**MEASURED, "oe_low": 0.87, "oe_high": 1.1}, 0.75, 0.95)
    assert "(0.87 to 1.10)" in plain["finding"][0]
