"""Options that several verbs share."""

from __future__ import annotations

import pytest

from rnetstats._core.options import effect_measure
from rnetstats.errors import OptionError


@pytest.mark.parametrize("word", ["OR", "or", "Odds ratio"])
def test_a_measure_is_one_however_it_is_written(word: str) -> None:
    assert effect_measure(word, ("rr", "or")) == "or"
    assert effect_measure(word, ("RR", "OR")) == "OR"
    with pytest.raises(OptionError, match="choose one of 'rr', 'hr'"):
        effect_measure(word, ("rr", "hr"))
    with pytest.raises(OptionError, match="not allowed"):
        effect_measure(1, ("rr", "hr"))
