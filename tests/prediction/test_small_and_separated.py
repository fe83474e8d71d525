"""Very few patients, perfect prediction: a clear error, or missing values that a note explains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import RnetError

HORIZON = 4.0


def patients(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    t, e = rng.exponential(5, 40), (rng.random(40) < 0.7).astype(int)
    return pd.DataFrame({"t": t, "e": e, "x": rng.normal(size=40)}).head(n)


def checked(call: Any) -> None:
    """Every missing number of a result has a note, every error says what is wrong."""
    try:
        found = call()
    except RnetError as error:
        assert len(str(error)) > 30
        return
    numbers = found.to_frame().select_dtypes("number")
    assert found.notes or numbers.notna().all(axis=None)
    assert "nan" not in " ".join(map(str, found.display().to_numpy().ravel())).split()


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 5, 8, 12, 19, 40])
@pytest.mark.parametrize("method", ["boot", "632", "cv"])
@pytest.mark.parametrize("perfect", [False, True])
def test_validation_at_a_horizon(n: int, method: str, perfect: bool) -> None:
    data = patients(n)
    if perfect:
        data["x"] = data["t"]
    for penalty in ("firth", None):
        checked(
            lambda penalty=penalty: rn.validate(
                rn.cox(data, "Surv(t, e) ~ x", penalty=penalty),
                time=HORIZON,
                method=method,
                folds=2,
                resamples=8,
                seed=1,
            )
        )


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 8, 19])
@pytest.mark.parametrize("smoother", ["loess", "lowess", "rcs", "cloglog"])
@pytest.mark.parametrize("risk", ["same", "perfect", "other"])
def test_calibration_and_net_benefit_at_a_horizon(n: int, smoother: str, risk: str) -> None:
    data = patients(n)
    dead = (data["t"] <= HORIZON) & (data["e"] == 1)
    by = {"same": 0.3, "perfect": np.where(dead, 0.999, 0.001), "other": 1.0 / (1.0 + data["t"])}
    data["r"] = by[risk]
    for resamples in (0, 10):
        options: dict[str, Any] = {"time": HORIZON, "resamples": resamples, "seed": 1}
        checked(
            lambda options=options: rn.calibration(
                data, "Surv(t, e) ~ r", smoother=smoother, **options
            )
        )
    checked(lambda: rn.decision_curve(data, "Surv(t, e) ~ r", time=HORIZON, thresholds=[0.1, 0.4]))


def test_predictors_too_far_apart_for_a_number_have_no_hazard() -> None:
    from rnetstats.kernels.cox_horizon import hazard_until
    from rnetstats.kernels.risksets import prepare

    stop = np.arange(1.0, 5.0)
    sets = prepare(None, stop, np.ones(4, dtype=bool))
    eta = np.array([[0.0, 0.0, 0.0, 0.0], [900.0, 0.0, 0.0, -900.0]])
    found = hazard_until(sets, eta, 4.0)
    np.testing.assert_allclose(found[0], 1 / 4 + 1 / 3 + 1 / 2 + 1)
    assert np.isnan(found[1])
