"""Models of which one is a case of the other, tested by likelihood where a paired AUC cannot.

Two nested models fitted on the rows tested have, when the added terms are worthless, the same
true AUC; the difference of their estimates is then not normal and DeLong's test is far too
conservative. The likelihood ratio tests the same hypothesis.

References
----------
Demler OV, Pencina MJ, D'Agostino RB (2012). Misuse of DeLong test to compare AUCs for nested
models. Statistics in Medicine 31, 2577-2587.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.distributions import chi_square_p
from rnetstats.formula.parser import parse_formula
from rnetstats.kernels.rank import dependent_columns
from rnetstats.prediction.judged import Judged

__all__ = ["NestedTest", "nested_notes", "nested_test"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NestedTest:
    """The test that stands in for a paired one.

    Attributes
    ----------
    larger : str
        Label of the larger model; "" if both span the same columns.
    statistic, p_value : float
        Missing where the larger fit cannot make the test.
    method : str
    pair : str
        Which of them lies in which.
    """

    larger: str
    statistic: float
    p_value: float
    method: str
    pair: str

    @property
    def cells(self) -> dict[str, float | str]:
        """What stands in a table of pairs for it."""
        return {"statistic": self.statistic, "p_value": self.p_value, "method": self.method}


def nested_test(judged: Judged, first: str, second: str) -> NestedTest | None:
    """Test two models by likelihood if they are nested and were fitted on exactly these rows.

    Parameters
    ----------
    judged : Judged
    first, second : str
        Labels.

    Returns
    -------
    NestedTest or None
        None for any other pair, which a paired comparison may serve.
    """
    if not (judged.apparent[first] and judged.apparent[second]):
        return None
    if _frame_of(judged.fits[first]) != _frame_of(judged.fits[second]):
        return None
    spans = {label: _columns(judged, label) for label in (first, second)}
    inside = _spans(spans[second], spans[first]), _spans(spans[first], spans[second])
    if not any(inside):
        return None
    if all(inside):
        return NestedTest("", float("nan"), float("nan"), "same model", f"{first} and {second}")
    smaller, larger = (first, second) if inside[0] else (second, first)
    return _likelihood_ratio(judged, smaller, larger)


def _likelihood_ratio(judged: Judged, smaller: str, larger: str) -> NestedTest:
    pair = f"{smaller} in {larger}"
    engine = getattr(judged.fits[larger], "engine", None)
    if engine is None:
        nothing = float("nan")
        return NestedTest(larger, nothing, nothing, "refused: nested models", pair)
    turn, added = _turn(judged.designs[smaller], judged.designs[larger], engine.spec.intercept)
    statistic = float(engine.test([added], turn)[0])
    p_value = float(chi_square_p(statistic, len(added)))
    method = f"{engine.test_method}, {len(added)} df; nested models"
    return NestedTest(larger, statistic, p_value, method, pair)


def nested_notes(
    tests: Sequence[NestedTest], why: str = "their AUC or C is not valid (Demler 2012)"
) -> list[str]:
    """Say once for all pairs why there is no paired test, and what stands in its place."""
    notes = []
    same = [test.pair for test in tests if not test.larger]
    if same:
        notes.append(f"The same terms in two models, nothing to test: {', '.join(same)}.")
    nested = [test for test in tests if test.larger]
    if nested:
        said = (
            f"Nested models fitted on the rows tested ({', '.join(t.pair for t in nested)}): a "
            f"paired test of {why}; the P is that of the added "
            "terms by likelihood, as method says."
        )
        if any("penalized" in test.method for test in nested):
            said += " Under Firth's penalty both models are seen with that of the larger."
        notes.append(said)
    if any(np.isnan(test.p_value) for test in nested):
        notes.append("A RiskModel makes no likelihood ratio test: give the fits themselves.")
    return notes


def _turn(small: Floats, large: Floats, intercept: bool) -> tuple[Floats, list[int]]:
    """Turn the larger design so that its first columns span the smaller one's.

    Returns
    -------
    turn : array of shape (p, p)
    added : list of int
        The columns of ``large @ turn`` that the smaller model lacks.
    """
    constant = np.ones((len(large), 0 if intercept else 1))
    whole = np.column_stack([large, constant])
    solved = np.linalg.lstsq(whole, small, rcond=None)[0]
    inside = np.asarray(solved[: large.shape[1]], dtype=np.float64)
    inside = inside[:, ~dependent_columns(inside)]
    size = large.shape[1]
    # What is left of the unit vectors completes the basis.
    every = np.column_stack([inside, np.eye(size)])
    turn = every[:, ~dependent_columns(every)]
    return turn, list(range(inside.shape[1], size))


def _columns(judged: Judged, label: str) -> Floats:
    """Design of a model, with the constant that a Cox model's baseline takes up."""
    design = judged.designs[label]
    if judged.fits[label].design.intercept:
        return design
    return np.column_stack([np.ones(len(design)), design])


def _spans(outer: Floats, inner: Floats) -> bool:
    """Whether every column of one design is a combination of the other's."""
    both = np.column_stack([outer, inner])
    return bool(dependent_columns(both)[outer.shape[1] :].all())


def _frame_of(model: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What must agree for a likelihood ratio besides rows and outcome: strata and offsets."""
    formula = parse_formula(model.design.formula)
    return tuple(formula.strata), tuple(str(source) for source in formula.offsets)
