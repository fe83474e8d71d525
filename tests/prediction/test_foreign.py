"""Risk models of other people's estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import rnetstats as rn
from rnetstats.errors import DataError, OptionError, OutputError
from rnetstats.prediction.model import RiskModel


class Linear:
    """A logistic regression as scikit-learn's looks from outside."""

    classes_ = np.array(["clear", "positive"])
    coef_ = np.array([[0.1, 0.05]])
    intercept_ = np.array([-1.5])

    def predict_proba(self, X: Any) -> np.ndarray:
        p = expit(np.asarray(X, dtype=float) @ self.coef_[0] + self.intercept_[0])
        return np.column_stack([1 - p, p])


class Stump:
    """Not linear: a cut-off."""

    classes_ = np.array([0, 1])
    seen: list[Any]

    def __init__(self) -> None:
        self.seen = []

    def predict_proba(self, X: Any) -> np.ndarray:
        self.seen.append(X)
        p = np.where(np.asarray(X)[:, 0].astype(float) > 4.44, 0.6, 0.2)
        return np.column_stack([1 - p, p])


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return rn.load_cohort("duan2024")


FORMULA = "margin_positive ~ nlr + size_mm"


def test_a_linear_estimator_becomes_coefficients(cohort: pd.DataFrame) -> None:
    model = RiskModel.from_estimator(Linear(), cohort, FORMULA)
    np.testing.assert_array_equal(model.coef, [-1.5, 0.1, 0.05])
    found = model.predict(cohort)
    expected = expit(-1.5 + 0.1 * cohort["nlr"] + 0.05 * cohort["size_mm"])
    np.testing.assert_allclose(found["risk"], expected, rtol=1e-12)
    assert found["conf_low"].isna().all()
    assert any("no limits" in note for note in model.notes)
    again = RiskModel.from_dict(model.to_dict())
    pd.testing.assert_frame_equal(again.predict(cohort), found)
    other = RiskModel.from_estimator(Linear(), cohort, FORMULA, event="clear")
    np.testing.assert_allclose(other.predict(cohort)["risk"], 1 - expected, rtol=1e-12)


def test_one_that_is_not_linear_predicts_but_is_not_written(cohort: pd.DataFrame) -> None:
    stump = Stump()
    model = RiskModel.from_estimator(stump, cohort, FORMULA)
    found = model.predict(cohort.head(10))
    expected = np.where(cohort["nlr"].head(10) > 4.44, 0.6, 0.2)
    np.testing.assert_array_equal(found["risk"], expected)
    assert list(stump.seen[-1].columns) == ["nlr", "size_mm"]
    with pytest.raises(OutputError, match="Stump, which is not linear"):
        model.to_dict()
    with pytest.raises(OptionError, match="no equation"):
        model.equation()
    with pytest.raises(OptionError, match="no nomogram"):
        model.nomogram()
    assert len(model.display()) == 2
    assert "nan" not in repr(model)
    with pytest.raises(DataError, match="size_mm is 60"):
        model.predict(cohort.head(1).assign(size_mm=60.0))


def test_an_estimator_whose_coefficients_are_not_its_risks_is_not_linear(
    cohort: pd.DataFrame,
) -> None:
    class Calibrated(Linear):
        def predict_proba(self, X: Any) -> np.ndarray:
            return super().predict_proba(X) ** 2 / (super().predict_proba(X) ** 2).sum(
                axis=1, keepdims=True
            )

    model = RiskModel.from_estimator(Calibrated(), cohort, FORMULA)
    with pytest.raises(OutputError):
        model.to_dict()


def test_an_estimator_may_take_the_design_matrix(cohort: pd.DataFrame) -> None:
    class Design(Linear):
        coef_ = np.array([[0.4, 0.9, -0.1, 0.02]])

    formula = "margin_positive ~ location + rcs(size_mm, 3)"
    model = RiskModel.from_estimator(Design(), cohort, formula, features="design")
    X = model.design.matrix(cohort)
    np.testing.assert_allclose(
        model.predict(cohort)["risk"], expit(X @ [-1.5, 0.4, 0.9, -0.1, 0.02]), rtol=1e-12
    )
    with pytest.raises(OptionError, match="features='design'"):
        RiskModel.from_estimator(Design(), cohort, formula)


def test_what_is_refused(cohort: pd.DataFrame) -> None:
    class Three(Stump):
        classes_ = np.array([0, 1, 2])

    class Wrong(Stump):
        def predict_proba(self, X: Any) -> np.ndarray:
            return np.full((len(X), 2), 1.5)

    class Short(Stump):
        def predict_proba(self, X: Any) -> np.ndarray:
            return np.full((3, 2), 0.5)

    for estimator, options, kind, message in [
        (object(), {}, OptionError, "no predict_proba"),
        (Three(), {}, OptionError, "name the event"),
        (Stump(), {"event": "x"}, OptionError, "is no class"),
        (Wrong(), {}, DataError, "no probability"),
        (Short(), {}, DataError, "shape"),
        (Stump(), {"features": "all"}, OptionError, "features='all'"),
    ]:
        with pytest.raises(kind, match=message):
            RiskModel.from_estimator(estimator, cohort, FORMULA, **options)


def test_the_event_of_the_formula_is_the_class_of_that_name(cohort: pd.DataFrame) -> None:
    named = cohort.assign(margin=np.where(cohort["margin_positive"] == 1, "positive", "clear"))
    positive = expit(-1.5 + 0.1 * named["nlr"] + 0.05 * named["size_mm"])
    for left, expected in (
        ("margin == 'positive'", positive),
        ("margin == 'clear'", 1 - positive),
    ):
        model = RiskModel.from_estimator(Linear(), named, f"{left} ~ nlr + size_mm")
        np.testing.assert_allclose(model.predict(named)["risk"], expected, rtol=1e-12)
        share = (named["margin"] == ("positive" if expected is positive else "clear")).mean()
        assert model.summary["event_share"] == pytest.approx(share)
    with pytest.raises(OptionError, match="is the class 'clear'; event='positive' names another"):
        RiskModel.from_estimator(
            Linear(), named, "margin == 'clear' ~ nlr + size_mm", event="positive"
        )
