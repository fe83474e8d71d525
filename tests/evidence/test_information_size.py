"""The information size of a meta-analysis: by hand, by inversion, by simulation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import OptionError
from rnetstats.kernels.information_size import (
    detectable_risks,
    effect_of,
    required_patients,
    treated_risk,
)
from support import assert_close

Z80, Z90 = 1.959963984540054 + 0.8416212335729143, 1.959963984540054 + 1.2815515655446004


def size(**options: Any) -> Any:
    return rn.information_size(**({"measure": "RR", "effect": 0.8, "control_risk": 0.1} | options))


def test_size_by_hand() -> None:
    """10 % against 8 %: 4 (1.96 + 0.84)^2 0.09 0.91 / 0.02^2 patients, 9 % of them events."""
    exact = 4.0 * Z80**2 * 0.09 * 0.91 / 0.02**2
    row = size(patients=3000, events=300).to_frame().iloc[0]
    assert row["patients"] == math.ceil(exact) == 6429
    assert row["events"] == math.ceil(exact * 0.09) == 579
    assert_close(row["share_patients"], 3000 / exact)
    assert_close(row["share_events"], 300 / (exact * 0.09))
    assert_close(row["treated_risk"], 0.08)


def test_diversity_power_and_allocation_by_hand() -> None:
    """D2 divides by 1 - D2; a third treated, of 3 patients 2 controls."""
    assert size(diversity=0.25).table["patients"].item() == math.ceil(
        4.0 * Z80**2 * 0.09 * 0.91 / 0.02**2 / 0.75
    )
    assert size(power=0.9).table["patients"].item() == math.ceil(
        4.0 * Z90**2 * 0.09 * 0.91 / 0.02**2
    )
    mean = (2 * 0.1 + 0.08) / 3
    expected = Z80**2 * mean * (1 - mean) / (2 / 9 * 0.02**2)
    assert size(allocation=1 / 3).table["patients"].item() == math.ceil(expected)


def test_diversity_from_two_standard_errors() -> None:
    """D2 = 1 - v_common / v_random = 1 - 0.09 / 0.16."""
    found = size(std_errors=(0.3, 0.4))
    assert_close(found.table["diversity"], 1 - 9 / 16)
    assert found.table["patients"].item() == size(diversity=1 - 9 / 16).table["patients"].item()
    assert any("0.438" in note for note in found.notes)


@pytest.mark.parametrize(
    ("measure", "effect", "treated"), [("OR", 0.5, 0.25), ("RR", 0.5, 0.2), ("RD", -0.1, 0.3)]
)
def test_measures_by_hand(measure: str, effect: float, treated: float) -> None:
    """Of a control risk of 0.4, odds 2 to 3: half the odds are 1 to 3."""
    row = size(measure=measure, effect=effect, control_risk=0.4).to_frame().iloc[0]
    assert_close(row["treated_risk"], treated)
    mean = (0.4 + treated) / 2
    assert row["patients"] == math.ceil(4 * Z80**2 * mean * (1 - mean) / (0.4 - treated) ** 2)


risks = st.floats(0.01, 0.99)


@given(risks, st.integers(50, 100_000), st.floats(0.0, 0.9), st.floats(0.1, 0.9))
def test_detectable_effects_need_just_the_patients_there(
    control: float, patients: int, diversity: float, share: float
) -> None:
    p, d = np.array([control]), np.array([diversity])
    for treated in detectable_risks(p, patients, z=Z80, share=share, diversity=d):
        if not np.isnan(treated[0]):
            again = required_patients(p, treated, z=Z80, share=share, diversity=d)
            assert_close(again, patients, rel=1e-6)


@given(risks, st.sampled_from(["OR", "RR", "RD"]), st.floats(0.1, 0.9))
def test_effects_and_risks_are_inverse(control: float, measure: str, treated: float) -> None:
    p, q = np.array([control]), np.array([treated])
    effect = effect_of(p, q, measure)
    assert_close(treated_risk(p, effect.item(), measure), q)


def test_detectable_effect_of_what_is_there_is_the_stated_one_when_it_is_enough() -> None:
    exact = 4.0 * Z80**2 * 0.09 * 0.91 / 0.02**2
    row = size(patients=6429).to_frame().iloc[0]
    assert_close(row["detectable_low"], 0.8, rel=1e-4)
    assert row["detectable_low"] > 0.8  # 6,429 is a little more than the exact size
    assert exact < 6429
    assert row["detectable_high"] > 1.2


def test_events_alone_stand_for_the_patients_expected_to_have_them() -> None:
    with_events = size(events=270).to_frame().iloc[0]
    with_patients = size(patients=3000).to_frame().iloc[0]
    for name in ("detectable_low", "detectable_high"):
        assert_close(with_events[name], with_patients[name])
    assert np.isnan(with_events["share_patients"])
    assert any("patients= that are there" in note for note in size(events=270).notes)


def test_every_control_risk_meets_every_diversity() -> None:
    found = size(control_risk=[0.05, 0.1, 0.2], diversity=[0, 0.3], patients=100)
    rows = found.to_frame()
    pairs = list(zip(rows["control_risk"], rows["diversity"], strict=True))
    assert pairs == [(r, d) for r in (0.05, 0.1, 0.2) for d in (0, 0.3)]
    for pair, n in zip(pairs, rows["patients"], strict=True):
        alone = size(control_risk=pair[0], diversity=pair[1])
        assert alone.table["patients"].item() == n
    row = found.glance().iloc[0]
    assert row["patients_low"] == rows["patients"].min()
    assert row["events_high"] == rows["events"].max()
    assert row["patients_there"] == 100


def test_too_few_patients_show_no_effect_at_all() -> None:
    found = size(control_risk=0.02, patients=100)
    assert found.to_frame()["detectable_low"].isna().all()
    assert any("it is missing" in note for note in found.notes)
    assert found.display()["Detectable RR"].item().startswith("none; ")


def test_the_size_has_the_power() -> None:
    """The test of two proportions with pooled variance, in draws of trials of this size."""
    n = size(control_risk=0.3, power=0.9).table["patients"].item() // 2
    rng = np.random.default_rng(3)
    a, b = rng.binomial(n, 0.3, 40_000) / n, rng.binomial(n, 0.24, 40_000) / n
    mean = (a + b) / 2
    z = (a - b) / np.sqrt(2 * mean * (1 - mean) / n)
    assert abs(np.mean(np.abs(z) > 1.959964) - 0.9) < 0.006


def test_figure_shows_lines_points_and_what_is_there() -> None:
    axes = size(control_risk=[0.1, 0.2], diversity=[0, 0.3], patients=900).plot()
    assert [t.get_text() for t in axes.get_legend().get_texts()] == [
        "No heterogeneity",
        "Diversity 30 %",
        "In the studies: 900",
    ]
    assert size(measure="RD", effect=-0.09).plot().has_data()


BAD: list[tuple[dict[str, Any], str]] = [
    ({"measure": "HR"}, "measure"),
    ({"effect": 1.0}, "no effect"),
    ({"effect": -0.5}, "effect"),
    ({"effect": "half"}, "effect"),
    ({"measure": "RD", "effect": 0.0}, "no effect"),
    ({"measure": "RD", "effect": -0.2}, "no risk between 0 and 1"),
    ({"effect": 1.0 - 1e-9, "control_risk": 1e-6}, "more patients than there are"),
    ({"effect": 20.0}, "no risk between 0 and 1"),
    ({"control_risk": 0.0}, "strictly between"),
    ({"control_risk": 1.0}, "strictly between"),
    ({"control_risk": 10}, "control_risk"),
    ({"control_risk": []}, "empty"),
    ({"control_risk": "0.1"}, "control_risk"),
    ({"control_risk": [0.1, None]}, "control_risk"),
    ({"diversity": 1.0}, "below 1"),
    ({"diversity": -0.1}, "diversity"),
    ({"diversity": 40}, "diversity"),
    ({"diversity": 0.2, "std_errors": (1.0, 2.0)}, "not both"),
    ({"std_errors": (0.4, 0.3)}, "comes first"),
    ({"std_errors": (0.4,)}, "two"),
    ({"std_errors": 0.4}, "two"),
    ({"alpha": 5}, "alpha"),
    ({"power": 80}, "power"),
    ({"power": 0.01}, "any effect"),
    ({"allocation": 1.0}, "allocation"),
    ({"patients": 0}, "patients"),
    ({"patients": 10.5}, "patients"),
    ({"patients": 10, "events": 11}, "more than the 10"),
    ({"events": -1}, "events"),
]


@pytest.mark.parametrize(("options", "words"), BAD)
def test_bad_input_is_refused_in_words(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        size(**options)


def test_an_effect_next_to_none_is_named_in_full_and_a_tiny_level_has_a_size() -> None:
    with pytest.raises(OptionError, match=r"An OR of 1\.0000001 at"):
        size(measure="OR", effect=1.0000001)
    patients = [
        size(alpha=alpha).glance()["patients_low"].item() for alpha in (1e-300, 1e-16, 0.05)
    ]
    assert patients[0] > patients[1] > patients[2]


def test_there_is_no_default_effect() -> None:
    with pytest.raises(TypeError, match="effect"):
        rn.information_size(measure="OR", control_risk=0.1)  # type: ignore[call-arg]


def test_a_size_that_can_be_is_not_refused_for_the_figure_around_it() -> None:
    found = rn.information_size(measure="OR", effect=0.5, control_risk=0.1, diversity=1 - 1.5e-9)
    assert found.table["patients"][0] < 1e12
    assert found.curve["patients"].max() <= 1e12


@pytest.mark.parametrize(("measure", "effect", "null"), [("RD", -0.02, 0), ("OR", 0.5, 1)])
def test_an_effect_that_cannot_be_shown_is_missing_and_said(
    measure: str, effect: float, null: int
) -> None:
    found = rn.information_size(measure=measure, effect=effect, control_risk=0.03, patients=20)
    row = found.to_frame().iloc[0]
    assert np.isnan(row["detectable_low"])
    assert row["detectable_high"] > null
    words = f"Where no {measure} below {null}, however extreme, can be shown"
    assert [words in note for note in found.notes].count(True) == 1
    assert not any(f"above {null}" in note for note in found.notes)
