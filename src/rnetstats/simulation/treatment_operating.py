"""Operating characteristics of the methods for a treatment: many cohorts, every method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.options import choice, positive_int
from rnetstats._core.random import CHUNK, chunk_generators, resolve_seed
from rnetstats._core.result import Result
from rnetstats.errors import OptionError
from rnetstats.simulation.operating import MANY_EVENTS
from rnetstats.simulation.treatment_answers import (
    Answers,
    Limits,
    Question,
    at_start,
    at_start_resampled,
    during,
    during_resampled,
    incidence_ratio,
)
from rnetstats.simulation.treatment_cohort import (
    Arrays,
    Delay,
    Scene,
    draw_patients,
    draw_subdistribution,
)
from rnetstats.simulation.treatment_summary import COLUMNS, broken, summary
from rnetstats.simulation.treatment_truth import subdistribution_share, world_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["TRUTHS", "Cohorts", "TreatmentCharacteristics", "treatment_characteristics"]

TRUTHS = {
    "effect": (float(np.log(0.5)), Delay(median=4.0, spread=0.5, share=0.6)),
    "null": (0.0, Delay(median=17.0, spread=0.18, share=0.6)),
}
"""Log hazard ratio of the treatment, and its delays: mostly 2 to 9 months, or 12 to 24."""


@dataclass(frozen=True)
class Family:
    """Methods that are run on the same cohorts.

    Attributes
    ----------
    during : bool
        The treatment comes during follow-up, else at the start.
    resampled : bool
        Limits by the bootstrap.
    """

    analyse: Callable[[Scene, Arrays, int, int], Answers]
    during: bool
    resampled: bool
    subdistribution: bool = False

    def draw(self, scene: Scene, seed: int) -> Arrays:
        """Draw one cohort."""
        rng = np.random.default_rng(seed)
        if self.subdistribution:
            return draw_subdistribution(scene, subdistribution_share(scene), rng)
        return draw_patients(scene, world_of(scene).log_rate, rng)


FAMILIES = {
    "treatment during follow-up": Family(during, during=True, resampled=False),
    "treatment during follow-up, resampled": Family(during_resampled, during=True, resampled=True),
    "treatment at the start": Family(at_start, during=False, resampled=False),
    "treatment at the start, resampled": Family(at_start_resampled, during=False, resampled=True),
    "treatment at the start, subdistribution": Family(
        incidence_ratio, during=False, resampled=False, subdistribution=True
    ),
}


@dataclass(frozen=True)
class Cohorts:
    """Cohorts for limits in closed form and for resampled ones, and resamples of each."""

    closed: int
    resampled: int
    resamples: int

    def of(self, family: Family) -> int:
        """Return the cohorts of a family."""
        return self.resampled if family.resampled else self.closed


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TreatmentCharacteristics(Result):
    """What each method for a treatment does in repeated cohorts of one kind.

    Attributes
    ----------
    truth : str
    patients, recurrences : int
        Size of a cohort, expected recurrences.
    resamples : int
        Of each bootstrap.
    table : DataFrame
        The columns of :data:`rnetstats.simulation.treatment_summary.COLUMNS`, on the log scale
        for ratios.
    """

    truth: str
    patients: int
    recurrences: int
    resamples: int
    table: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the setting."""
        names = ("truth", "patients", "recurrences", "resamples")
        return pd.DataFrame({name: [getattr(self, name)] for name in names})

    def display(self) -> pd.DataFrame:
        """Return the table as text, shares in percent with their Monte Carlo errors."""
        from rnetstats.simulation.treatment_page import shown

        return shown(self.table)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the coverage of every method, with three Monte Carlo errors."""
        from rnetstats.plots.simulated import coverage_of_methods
        from rnetstats.plots.style import marked

        rows = self.table[self.table["coverage_given"].notna()]
        axes = coverage_of_methods(
            (rows["method"] + ": " + rows["estimand"] + " | " + rows["limits"]).tolist(),
            rows["coverage_given"].to_numpy(),
            rows["coverage_given_mcse"].to_numpy(),
            axis=f"Coverage of the 95 % intervals given\n(truth {self.truth})",
            ax=ax,
        )
        return marked(axes, True)

    def check(self) -> pd.DataFrame:
        """Return the rows that break a requirement; empty if all is well.

        From :data:`rnetstats.simulation.operating.MANY_EVENTS` recurrences on, coverage must be
        95 % within three Monte Carlo errors, a cohort without an interval counting as not
        covered; below, nothing is required.
        """
        return self.table.iloc[:0] if self.recurrences < MANY_EVENTS else broken(self.table)


def treatment_characteristics(
    *,
    truth: str,
    patients: int,
    recurrences: int,
    cohorts: Cohorts,
    seed: int | None = None,
    jobs: int = 1,
) -> TreatmentCharacteristics:
    """Simulate cohorts, analyse each by every method, and compare with the truth.

    Methods that miss a requirement are run again on twice as many cohorts, which hold the first
    ones, and judged by their smaller errors.

    Parameters
    ----------
    truth : {"effect", "null"}
    patients, recurrences : int
        Of a cohort; recurrences are expected ones.
    cohorts : Cohorts
    seed : int, optional
        The same patients are drawn for methods of the same kind.
    jobs : int
        Processes, each with one thread of linear algebra; more than one needs joblib.
    """
    choice("truth", truth, tuple(TRUTHS))
    patients = positive_int("patients", patients, minimum=20)
    recurrences = positive_int("recurrences", recurrences)
    jobs = positive_int("jobs", jobs)
    drawn_seed = resolve_seed(seed)
    ratio, delay = TRUTHS[truth]
    tables = []
    for name, family in FAMILIES.items():
        scene = Scene(truth, patients, recurrences, ratio, delay if family.during else None)
        n = cohorts.of(family)
        table = _run(name, scene, n, cohorts.resamples, drawn_seed, jobs)
        if recurrences >= MANY_EVENTS and len(broken(table)):
            table = _run(name, scene, 2 * n, cohorts.resamples, drawn_seed, jobs)
        tables.append(table)
    return TreatmentCharacteristics(
        truth=truth,
        patients=patients,
        recurrences=recurrences,
        resamples=cohorts.resamples,
        table=pd.concat(tables, ignore_index=True),
        seed=drawn_seed,
        options={
            "cohorts": [cohorts.closed, cohorts.resampled, cohorts.resamples],
            "jobs": jobs,
        },
    )


def _seeds(seed: int, cohorts: int) -> list[int]:
    """Return a seed for each cohort, a shorter run being a prefix of a longer one."""
    found: list[int] = []
    for rows, rng in chunk_generators(seed, cohorts):
        found += rng.integers(2**62, size=CHUNK)[: rows.stop - rows.start].tolist()
    return found


def _analysed(
    name: str, scene: Scene, seeds: list[int], resamples: int
) -> list[dict[Question, Limits]]:
    family = FAMILIES[name]
    return [dict(family.analyse(scene, family.draw(scene, s), s, resamples)) for s in seeds]


def _run(
    name: str, scene: Scene, cohorts: int, resamples: int, seed: int, jobs: int
) -> pd.DataFrame:
    """Run one family, in processes on request."""
    seeds = _seeds(seed, cohorts)
    if jobs == 1:
        done = _analysed(name, scene, seeds, resamples)
    else:
        try:
            import joblib
        except ImportError as error:
            raise OptionError(
                "jobs > 1 needs joblib: install rnetstats[simulation], or leave jobs at 1."
            ) from error
        with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
            parts = joblib.Parallel(n_jobs=jobs)(
                joblib.delayed(_analysed)(name, scene, seeds[i : i + 16], resamples)
                for i in range(0, len(seeds), 16)
            )
        done = [answers for part in parts for answers in part]
    rows = [
        {"family": name, **summary(question, np.array([answers[question] for answers in done]))}
        for question in done[0]
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
