"""Levels of calibration: who is counted, and who is too few."""

from __future__ import annotations

import numpy as np
import pytest

import rnetstats as rn
from rnetstats.prediction.calibration_levels import share_in_band
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
