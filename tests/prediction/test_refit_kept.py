"""Models of resamples that are kept: the same answers, made once."""

from __future__ import annotations

import numpy as np

import rnetstats as rn
from rnetstats.kernels.newton import IntArray
from rnetstats.prediction.recipe import Recipe
from rnetstats.prediction.recipe_refit import RecipeRefit
from rnetstats.prediction.refit import Refit, Refitted
from rnetstats.prediction.refit_kept import KeptRefit
from support import read


def _recipe() -> Recipe:
    return rn.recipe("margin_positive ~ nlr + lvi", cut={"nlr": "youden"}, select="univariable")


def test_same_numbers_as_without(monkeypatch) -> None:
    data, plain = read("rnet_like_a.csv"), _recipe()
    alone = rn.stability(plain, data, resamples=12, seed=3)
    validated = rn.validate(plain, data, resamples=30, seed=3)
    shared = KeptRefit(plain.refit(data))
    again = rn.validate(shared, data, resamples=30, seed=3)
    monkeypatch.setattr(RecipeRefit, "make", None)  # from here on nothing can be made
    found = rn.stability(shared, data, resamples=12, seed=3)
    for mine, theirs in ((again, validated), (found, alone)):
        a, b = mine.to_frame(), theirs.to_frame()
        np.testing.assert_allclose(a.select_dtypes("number"), b.select_dtypes("number"), rtol=1e-9)
    np.testing.assert_allclose(found.patients(), alone.patients(), rtol=1e-9)
    np.testing.assert_allclose(
        found.glance().astype(float), alone.glance().astype(float), rtol=1e-9
    )


def test_other_seed_is_made() -> None:
    data = read("rnet_like_a.csv")
    shared = KeptRefit(_recipe().refit(data))
    one = rn.stability(shared, data, resamples=5, seed=1).patients()
    two = rn.stability(shared, data, resamples=5, seed=2).patients()
    assert not np.allclose(one["mape"], two["mape"])
    other = rn.stability(_recipe(), data, resamples=5, seed=2).patients()
    np.testing.assert_allclose(two, other, rtol=1e-12)


def test_says_of_itself_what_the_refit_says() -> None:
    plain = _recipe().refit(read("rnet_like_a.csv"))
    shared = KeptRefit(plain)
    names = [name for name in Refit.__annotations__ if name != "positions"]
    assert {name: getattr(shared, name) for name in names} == {
        name: getattr(plain, name) for name in names
    }
    np.testing.assert_array_equal(shared.positions, plain.positions)
    assert shared.searched
    mine, theirs = shared.global_model(), plain.global_model()
    assert mine is not None
    assert theirs is not None
    np.testing.assert_array_equal(mine.coef, theirs.coef)


class _Counting(Refit):
    """Gives back the counts, and remembers how many models were asked for."""

    def __init__(self, plain: Refit) -> None:
        self.outcome, self.positions = plain.outcome, plain.positions
        self.asked: list[int] = []

    def again(self, counts: np.ndarray, seeds: IntArray) -> Refitted:
        self.asked.append(len(seeds))
        usable = np.ones(len(seeds), dtype=bool)
        cut = {"cut": counts[:, 0]}
        return Refitted(counts, 2.0 * counts, usable, ~usable, choices=cut, slopes=counts)


def test_only_a_prefix_is_taken() -> None:
    counting = _Counting(_recipe().refit(read("rnet_like_a.csv")))
    kept, asked = KeptRefit(counting), counting.asked
    counts, seeds = np.arange(12.0).reshape(4, 3), np.arange(4)
    kept.again(counts, seeds)
    part = kept.again(counts[:2], seeds[:2])
    assert asked == [4]
    np.testing.assert_array_equal(part.risk, counts[:2])
    np.testing.assert_array_equal(part.predictor, 2.0 * counts[:2])
    np.testing.assert_array_equal(part.choices["cut"], counts[:2, 0])
    np.testing.assert_array_equal(part.slopes, counts[:2])
    assert part.usable.shape == part.lost.shape == (2,)
    assert part.training_risk is None
    kept.again(counts[1:], seeds[1:])  # not the first ones
    kept.again(counts[:2], seeds[:2] + 1)  # the same patients, other draws within
    kept.again(2.0 * counts[:2], seeds[:2])
    assert asked == [4, 3, 2, 2]
