"""Words as readers expect them."""

from __future__ import annotations

from rnetstats.formatting import listed


def test_words_are_listed_as_in_a_sentence() -> None:
    assert [listed(words) for words in ([], ["a"], ["a", "b"])] == ["", "a", "a and b"]
    assert listed("abc", "or") == "a, b or c"
