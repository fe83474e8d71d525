"""How close a drawn cohort comes to what is printed, inferred or derived; and in many draws."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.simulation.enrolment import reverse_median
from rnetstats.simulation.latent import Latent, draw_latent
from rnetstats.simulation.observed import observed_arrays
from rnetstats.simulation.population import Targets
from rnetstats.simulation.recipe import Recipe

__all__ = ["FIDELITY_COLUMNS", "fidelity", "split_distribution"]

FIDELITY_COLUMNS = ("quantity", "published", "standing", "drawn", "tolerance", "met")


def _rows(
    recipe: Recipe, targets: Targets, drawn: dict[str, NDArray[np.float64]]
) -> Iterator[tuple[str, float, str, float, float]]:
    totals = recipe.totals
    median = reverse_median(drawn["os_months"], drawn["death"] > 0)
    n = drawn["age"].size
    yield ("patients", targets.patients, _standing(targets.patients, totals.patients), n, 0.0)
    positive = float(drawn["margin_positive"].sum())
    standing = _standing(targets.margin_positive, totals.margin_positive)
    yield ("positive margins", targets.margin_positive, standing, positive, 0.0)
    share = 100.0 * targets.margin_positive / targets.patients
    yield ("positive margins (%)", round(share, 1), "printed", round(100 * positive / n, 1), 0.0)
    recurrences = float(drawn["recurrence"].sum())
    standing = _standing(targets.recurrences, totals.recurrences)
    yield ("recurrences", targets.recurrences, standing, recurrences, 0.0)
    yield ("largest size (mm), at most", 20.0, "printed", float(drawn["size_mm"].max()), 0.0)
    yield (
        "median follow-up (months)",
        totals.median_follow_up,
        "printed",
        round(median, 1),
        totals.tolerance,
    )
    scale = targets.patients / totals.patients
    for code, (level, count) in enumerate(totals.method):
        found = float((drawn["method"] == code).sum())
        yield (
            f"method {level}",
            round(count * scale, 1),
            "inferred" if scale == 1.0 else "chosen",
            found,
            abs(scale - round(scale)),
        )


def _standing(target: float, printed: float) -> str:
    """Say whether a total is the printed one, or follows from a size that the caller chose."""
    return "printed" if target == printed else "chosen"


def fidelity(
    recipe: Recipe, targets: Targets, drawn: dict[str, NDArray[np.float64]]
) -> pd.DataFrame:
    """Compare a cohort with the published figures.

    Parameters
    ----------
    recipe : Recipe
    targets : Targets
    drawn : dict of (n,) arrays
        From :func:`rnetstats.simulation.observed.observed_arrays`.

    Returns
    -------
    DataFrame
        ``quantity, published, standing, drawn, tolerance, met``. Of a cohort of another size the
        published totals are scaled to it, and their standing is "chosen".
    """
    rows = []
    for quantity, published, standing, value, tolerance in _rows(recipe, targets, drawn):
        if "at most" in quantity:
            met = value <= published
        else:
            met = abs(value - published) <= tolerance + 1e-9
        rows.append((quantity, float(published), standing, float(value), tolerance, bool(met)))
    return pd.DataFrame(rows, columns=list(FIDELITY_COLUMNS))


def split_distribution(
    recipe: Recipe, truth: str, targets: Targets, seeds: range
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw one fixed cohort a seed, and say how its recurrences fall over the margin groups.

    Returns
    -------
    splits : DataFrame
        ``truth, positive, negative, cohorts, share``.
    failures : DataFrame
        ``seed, quantity, published, drawn`` for every total that was not met (should be empty).
    """
    counts = np.zeros(targets.recurrences + 1, dtype=np.int64)
    missed: list[tuple[int, str, float, float]] = []
    for seed in seeds:
        latent = draw_latent(recipe, truth, targets, seed, fixed=True)
        counts[_positive(latent)] += 1
        table = fidelity(recipe, targets, observed_arrays(recipe, latent))
        bad = table[~table["met"]]
        found = zip(bad["quantity"], bad["published"], bad["drawn"], strict=True)
        missed += [(seed, *row) for row in found]
    positive = np.arange(counts.size)
    splits = pd.DataFrame(
        {
            "truth": truth,
            "positive": positive,
            "negative": targets.recurrences - positive,
            "cohorts": counts,
            "share": counts / len(seeds),
        }
    )
    return splits, pd.DataFrame(missed, columns=["seed", "quantity", "published", "drawn"])


def _positive(latent: Latent) -> int:
    return int((latent.seen & latent.margin).sum())
