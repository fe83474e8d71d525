"""Options that several verbs share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnetstats._core.options import effect_measure, items_of, real
from rnetstats.errors import OptionError


@pytest.mark.parametrize("word", ["OR", "or", "Odds ratio"])
def test_a_measure_is_one_however_it_is_written(word: str) -> None:
    assert effect_measure(word, ("rr", "or")) == "or"
    assert effect_measure(word, ("RR", "OR")) == "OR"
    with pytest.raises(OptionError, match="choose one of 'rr', 'hr'"):
        effect_measure(word, ("rr", "hr"))
    with pytest.raises(OptionError, match="not allowed"):
        effect_measure(1, ("rr", "hr"))


@pytest.mark.parametrize(
    ("value", "limits", "words"),
    [
        (-1, {"low": 0.0}, "must be at least 0, not -1."),
        (0, {"low": 0.0, "closed": False}, "must be above 0, not 0."),
        (3, {"high": 2.0}, "must be at most 2, not 3."),
        (2, {"high": 2.0, "closed": False}, "must be below 2, not 2."),
        (3, {"low": 0.0, "high": 2.0}, "must lie between 0 and 2, not 3."),
        (0, {"low": 0.0, "high": 2.0, "closed": False}, "between 0 and 2, both left out, not 0."),
    ],
)
def test_a_number_out_of_bounds_is_told_its_bounds(
    value: float, limits: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError) as caught:
        real("harm", value, **limits)
    assert str(caught.value).endswith(words)
    assert "inf" not in str(caught.value)


def test_one_thing_is_a_list_of_one() -> None:
    for one in (0.3, np.float64(0.3), np.array(0.3), "a", np.array("a")):
        assert items_of(one) == (one,)
    assert items_of(np.array([1, 2])) == (1, 2)
