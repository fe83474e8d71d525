"""Designs that cannot be fitted are refused; hard ones that can be are not."""

from __future__ import annotations

import numpy as np
import pytest

from rnetstats.errors import ColumnError, DataError
from rnetstats.formula.design import model_frame

RNG = np.random.default_rng(20)
N = 60
BASE = {
    "y": np.arange(N) % 2,
    "a": RNG.normal(size=N),
    "b": RNG.normal(size=N),
    "g": RNG.choice(list("uvw"), N),
    "f": RNG.integers(0, 2, N),
}


@pytest.mark.parametrize(
    ("formula", "changes", "error", "message"),
    [
        ("y ~ a + c", {"c": 3 * BASE["a"] - 7}, ColumnError, "'c' is a linear combination of 'a'"),
        ("y ~ a + b + c", {"c": BASE["a"] + BASE["b"]}, ColumnError, "of 'a', 'b'; leave one"),
        ("y ~ g + h", {"h": (BASE["g"] == "w") * 1}, ColumnError, r"'h' is .* of 'g\[w\]'"),
        ("y ~ f*h", {"h": 1 - BASE["f"]}, ColumnError, "'f:h', so that this interaction"),
        ("y ~ a + c", {"c": 1e12 + 0 * BASE["a"]}, ColumnError, "in all 60 rows used"),
    ],
)
def test_designs_that_are_refused(
    formula: str, changes: dict[str, np.ndarray], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        model_frame({**BASE, **changes}, formula)
    assert model_frame({**BASE, **changes}, formula, check=False).n == N


def test_more_columns_than_rows() -> None:
    data = {"y": [0, 1, 1], "g": list("abb"), "x": [1, 2, 3], "z": [3, 1, 2]}
    with pytest.raises(DataError, match="design has 4 columns for 3 rows; 'g' alone has 1"):
        model_frame(data, "y ~ g + x + z")


def test_hard_designs_pass() -> None:
    data = {
        **BASE,
        "huge": 1e9 + 1e3 * BASE["a"],
        "tiny": 1e-9 * BASE["b"],
        "year": 2012 + RNG.uniform(0, 11, N),
        "near": BASE["a"] + 1e-5 * RNG.normal(size=N),
    }
    frame = model_frame(data, "y ~ huge + tiny + rcs(year, 5) + near")
    assert frame.design.X.shape == (N, 8)
