"""Operating characteristics: many cohorts from one truth, each analysed by every method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.options import choice, draw_count, positive_int
from rnetstats._core.random import CHUNK, chunk_generators, resolve_seed
from rnetstats._core.result import Result
from rnetstats.errors import OptionError
from rnetstats.simulation.analyses import Key, analyse, target_values
from rnetstats.simulation.answers import Answer
from rnetstats.simulation.latent import draw_latent
from rnetstats.simulation.observed import observed_arrays
from rnetstats.simulation.population import Targets as Totals
from rnetstats.simulation.population import targets_of
from rnetstats.simulation.recipe_file import load_recipe
from rnetstats.simulation.summaries import (
    SUMMARY_COLUMNS,
    estimation_summary,
    inconsistent,
    test_summary,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MANY_EVENTS", "OperatingCharacteristics", "operating_characteristics"]

Answers = dict[Key, NDArray[np.float64]]

MANY_EVENTS = 200
"""From so many expected recurrences on, coverage must be nominal."""

_EXACT = ("bpcp", "permutation")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class OperatingCharacteristics(Result):
    """What each method does in repeated cohorts of one kind.

    Attributes
    ----------
    truth, totals : str
    patients, recurrences, replicates : int
        Size of a cohort, recurrences in each (or expected), number of cohorts.
    table : DataFrame
        ``analysis, estimand, method`` and the columns of
        :data:`rnetstats.simulation.summaries.SUMMARY_COLUMNS`, on the log scale for ratios.
    """

    truth: str
    totals: str
    patients: int
    recurrences: int
    replicates: int
    table: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the setting."""
        names = ("truth", "totals", "patients", "recurrences", "replicates")
        return pd.DataFrame({name: [getattr(self, name)] for name in names})

    def display(self) -> pd.DataFrame:
        """Return the table as text, shares in percent with their Monte Carlo errors."""
        from rnetstats.simulation.tables import operating_table

        return operating_table(self.table)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the coverage of every method, with three Monte Carlo errors."""
        from rnetstats.plots.simulated import coverage_of_methods
        from rnetstats.plots.style import marked

        rows = self.table[self.table["coverage"].notna()]
        axes = coverage_of_methods(
            (rows["analysis"] + ": " + rows["estimand"] + " | " + rows["method"]).tolist(),
            rows["coverage"].to_numpy(),
            rows["coverage_mcse"].to_numpy(),
            axis=f"Coverage of 95 % intervals\n(truth {self.truth}, totals {self.totals})",
            ax=ax,
        )
        return marked(axes, True)

    def check(self) -> pd.DataFrame:
        """Return the rows that break a requirement; empty if all is well.

        From :data:`MANY_EVENTS` recurrences on, coverage must be 95 % and the level of a test
        under a true hypothesis 5 %, within three Monte Carlo errors. Exact methods (``bpcp``,
        ``permutation``) must reach them at any number, and may exceed them. With fixed totals
        nothing is required.
        """
        if self.totals == "fixed":
            return self.table.iloc[:0]
        return self.table[[self._breaks(row) for _, row in self.table.iterrows()]]

    def _breaks(self, row: pd.Series) -> bool:
        exact = row["method"] in _EXACT
        if not exact and self.recurrences < MANY_EVENTS:
            return False
        n = int(row["replicates"])
        if not np.isnan(row["coverage"]):
            return inconsistent(row["coverage"], 0.95, n, at_least=exact)
        hypothesis_holds = bool(row["target"] == 0.0)
        return hypothesis_holds and inconsistent(1.0 - row["rejected"], 0.95, n, at_least=exact)


def _run_chunk(
    name: str, truth: str, totals: Totals, fixed: bool, seeds: list[int]
) -> list[dict[Key, Answer]]:
    """Draw and analyse one cohort a seed."""
    recipe = load_recipe(name)
    targets = target_values(recipe, truth, totals)
    out = []
    for seed in seeds:
        latent = draw_latent(recipe, truth, totals, seed, fixed=fixed)
        arrays = observed_arrays(recipe, latent)
        rng = np.random.default_rng([seed, CHUNK])
        out.append(dict(analyse(arrays, rng, targets, absolute=not fixed)))
    return out


def _chunks(seed: int, replicates: int) -> list[list[int]]:
    """Return a seed for each replicate, a shorter run being a prefix of a longer one."""
    return [
        rng.integers(2**62, size=CHUNK)[: rows.stop - rows.start].tolist()
        for rows, rng in chunk_generators(seed, replicates)
    ]


def _collect(
    name: str, truth: str, totals: Totals, *, fixed: bool, chunks: list[list[int]], jobs: int
) -> Answers:
    parts = [chunk[i : i + 32] for chunk in chunks for i in range(0, len(chunk), 32)]
    if jobs == 1:
        done = [_run_chunk(name, truth, totals, fixed, part) for part in parts]
    else:
        try:
            import joblib
        except ImportError as error:
            raise OptionError(
                "jobs > 1 needs joblib: install rnetstats[simulation], or leave jobs at 1."
            ) from error
        with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
            done = joblib.Parallel(n_jobs=jobs)(
                joblib.delayed(_run_chunk)(name, truth, totals, fixed, part) for part in parts
            )
    replicates = [answers for part in done for answers in part]
    return {key: np.array([answers[key] for answers in replicates]) for key in replicates[0]}


def operating_characteristics(
    name: str = "duan2024",
    *,
    truth: str = "as_published",
    totals: str = "free",
    patients: int | None = None,
    recurrences: int | None = None,
    replicates: int = 1000,
    seed: int | None = None,
    jobs: int = 1,
) -> OperatingCharacteristics:
    """Simulate cohorts, analyse each, and compare with the truth.

    Parameters
    ----------
    name, truth, totals, patients, recurrences
        As in :func:`rnetstats.simulation.draw.draw_cohort`; with fixed totals only relative
        effects are reported.
    replicates : int
        Cohorts to draw. A shorter run is a prefix of a longer one.
    seed : int, optional
    jobs : int
        Processes, each with one thread of linear algebra; more than one needs joblib.

    Returns
    -------
    OperatingCharacteristics
    """
    recipe = load_recipe(name)
    recipe.truth(truth)
    fixed = choice("totals", totals, ("fixed", "free")) == "fixed"
    replicates = draw_count("replicates", replicates, minimum=2)
    jobs = positive_int("jobs", jobs)
    targets = targets_of(recipe, patients, recurrences)
    drawn_seed = resolve_seed(seed)
    chunks = _chunks(drawn_seed, replicates)
    answers = _collect(name, truth, targets, fixed=fixed, chunks=chunks, jobs=jobs)
    truths = target_values(recipe, truth, targets)
    rows = [_summary(key, values, truths[key[:2]]) for key, values in answers.items()]
    return OperatingCharacteristics(
        truth=truth,
        totals=totals,
        patients=targets.patients,
        recurrences=targets.recurrences,
        replicates=replicates,
        table=pd.DataFrame(rows, columns=["analysis", "estimand", "method", *SUMMARY_COLUMNS]),
        seed=drawn_seed,
        options={"name": name, "jobs": jobs},
        notes=_notes(fixed),
    )


def _summary(key: Key, values: NDArray[np.float64], target: float) -> dict[str, Any]:
    named = dict(zip(("analysis", "estimand", "method"), key, strict=True))
    if "log-rank" in key[0]:
        return named | test_summary(values[:, 0], target)
    return named | estimation_summary(values, target, tested="Kaplan-Meier" not in key[0])


def _notes(fixed: bool) -> tuple[str, ...]:
    notes = ["An interval that a method does not give counts as not covering."]
    if fixed:
        notes.append(
            "Totals are fixed: conditioning on them changes coverage; targets are those of free "
            "totals."
        )
    return tuple(notes)
