"""Models of resamples that are kept: the same answers, made once."""

from __future__ import annotations

import numpy as np

import rnetstats as rn
from rnetstats.kernels.newton import IntArray
from rnetstats.prediction.recipe import Recipe
from rnetstats.prediction.recipe_refit import RecipeRefit
from rnetstats.prediction.refit import Refitted
from rnetstats.prediction.stability_shared import KeepingRecipe, keeping
from support import read


def _recipe() -> Recipe:
    return rn.recipe("margin_positive ~ nlr + lvi", cut={"nlr": "youden"}, select="univariable")


def test_same_numbers_as_without(monkeypatch) -> None:
    data, plain = read("rnet_like_a.csv"), _recipe()
    alone = rn.stability(plain, data, resamples=12, seed=3)
    validated = rn.validate(plain, data, resamples=30, seed=3)
    shared = KeepingRecipe(**vars(plain))
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


def test_other_table_or_seed_is_made() -> None:
    data, shared = read("rnet_like_a.csv"), KeepingRecipe(**vars(_recipe()))
    first = shared.refit(data)
    assert shared.refit(data) is first
    assert shared.refit(data.copy()) is not first
    one = rn.stability(shared, data, resamples=5, seed=1).patients()
    two = rn.stability(shared, data, resamples=5, seed=2).patients()
    assert not np.allclose(one["mape"], two["mape"])


def test_only_a_prefix_is_taken() -> None:
    asked = []

    def again(counts: np.ndarray, seeds: IntArray) -> Refitted:
        asked.append(len(seeds))
        usable = np.ones(len(seeds), dtype=bool)
        cut = {"cut": counts[:, 0]}
        return Refitted(counts, 2.0 * counts, usable, ~usable, choices=cut, slopes=counts)

    kept = keeping(again)
    counts, seeds = np.arange(12.0).reshape(4, 3), np.arange(4)
    kept(counts, seeds)
    part = kept(counts[:2], seeds[:2])
    assert asked == [4]
    np.testing.assert_array_equal(part.risk, counts[:2])
    np.testing.assert_array_equal(part.predictor, 2.0 * counts[:2])
    np.testing.assert_array_equal(part.choices["cut"], counts[:2, 0])
    np.testing.assert_array_equal(part.slopes, counts[:2])
    assert part.usable.shape == part.lost.shape == (2,)
    assert part.training_risk is None
    kept(counts[1:], seeds[1:])  # not the first ones
    kept(counts[:2], seeds[:2] + 1)  # the same patients, other draws within
    kept(2.0 * counts[:2], seeds[:2])
    assert asked == [4, 3, 2, 2]
