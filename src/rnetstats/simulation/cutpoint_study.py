"""Cut-offs searched in many drawn cohorts: how far they move, and how they flatter.

References
----------
Altman DG, Lausen B, Sauerbrei W, Schumacher M (1994). Dangers of using "optimal" cutpoints in the
evaluation of prognostic factors. J Natl Cancer Inst 86, 829-835.
Hilsenbeck SG, Clark GM (1996). Practical p-value adjustment for optimally selected cutpoints.
Statistics in Medicine 15, 103-112.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from rnetstats._core.options import choice, draw_count
from rnetstats._core.random import resolve_seed
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.roc import auc
from rnetstats.prediction.cutpoint_pvalues import lau92_p
from rnetstats.prediction.cutpoint_rows import CutpointRows
from rnetstats.prediction.cutpoint_search import Plan, adjusted_p, search
from rnetstats.simulation.draw import draw_cohort

__all__ = ["MARKERS", "CutpointStudy", "cutpoint_study"]

Array = NDArray[np.float64]

MARKERS = {"nlr": 4.44, "size_mm": 14.89}
"""The two numbers that were cut, and the published cut-offs."""

_OUTCOME = "margin_positive"
_LARGE = 50_000  # patients of the cohort that stands for the population
_PERMUTATIONS = 199
_LEVEL = 0.05


@dataclass(frozen=True, eq=False)
class CutpointStudy:
    """What was found in the cohorts.

    Attributes
    ----------
    cuts : DataFrame
        ``cohort, marker, method, cut, apparent, true`` (AUC of the number cut in two, in the
        cohort and in a large one) ``p_unadjusted, p_lau92, p_lau94, p_permutation`` (the last
        four for "minimum-p").
    models : DataFrame
        ``cohort, model, apparent, true``: AUC of logistic models of both numbers.
    truth : str
    seed : int
    """

    cuts: pd.DataFrame
    models: pd.DataFrame
    truth: str
    seed: int

    def cut_summary(self) -> pd.DataFrame:
        """Quantiles of the chosen cut-offs, and apparent less true AUC with its error."""
        rows = []
        for (marker, method), part in self.cuts.groupby(["marker", "method"], sort=False):
            low, q25, middle, q75, high = part["cut"].quantile([0.05, 0.25, 0.5, 0.75, 0.95])
            rows.append(
                {
                    "marker": marker,
                    "method": method,
                    "q05": low,
                    "q25": q25,
                    "median": middle,
                    "q75": q75,
                    "q95": high,
                    **_optimism(part),
                }
            )
        return pd.DataFrame(rows)

    def rejections(self) -> pd.DataFrame:
        """Share of cohorts with P below 0.05, by each P value, with its Monte Carlo error."""
        searched = self.cuts[self.cuts["method"] == "minimum-p"]
        rows = []
        for marker, part in searched.groupby("marker", sort=False):
            for name in ("p_unadjusted", "p_lau92", "p_lau94", "p_permutation"):
                share = float((part[name] <= _LEVEL).mean())
                error = float(np.sqrt(share * (1.0 - share) / len(part)))
                rows.append(
                    {"marker": marker, "p": name.removeprefix("p_"), "share": share, "mcse": error}
                )
        return pd.DataFrame(rows)

    def model_summary(self) -> pd.DataFrame:
        """Apparent and true AUC of each model of both numbers, with errors."""
        return pd.DataFrame(
            {"model": model, **_optimism(part)}
            for model, part in self.models.groupby("model", sort=False)
        )


def _optimism(part: pd.DataFrame) -> dict[str, float]:
    gap = part["apparent"] - part["true"]
    return {
        "apparent": float(part["apparent"].mean()),
        "true": float(part["true"].mean()),
        "optimism": float(gap.mean()),
        "mcse": float(gap.std(ddof=1) / np.sqrt(len(gap))),
    }


def cutpoint_study(
    truth: str, *, replicates: int = 500, seed: int | None = None, name: str = "duan2024"
) -> CutpointStudy:
    """Search cut-offs of NLR and size for a positive margin in drawn cohorts.

    Parameters
    ----------
    truth : {"smooth", "null", "as_published"}
    replicates : int
        Cohorts, of the study's size with totals right in expectation.
    seed : int, optional
    name : str
        The study whose recipe is drawn from.

    Raises
    ------
    OptionError
        If an option is not allowed.
    """
    choice("truth", truth, ("smooth", "null", "as_published"))
    total = draw_count("replicates", replicates, minimum=2)
    drawn = resolve_seed(seed)
    seeds = np.random.SeedSequence(drawn).generate_state(total + 1, np.uint32)
    large = _draw(name, truth, int(seeds[-1]), patients=_LARGE)
    cuts: list[dict[str, Any]] = []
    models: list[dict[str, Any]] = []
    for k in range(total):
        cohort = _draw(name, truth, int(seeds[k]))
        chosen = {
            method: {
                marker: _searched(cohort, large, marker, method, k, cuts) for marker in MARKERS
            }
            for method in ("youden", "minimum-p")
        }
        for label, values in (
            ("cut by Youden's index", chosen["youden"]),
            ("cut by the smallest P", chosen["minimum-p"]),
            ("cut at 4.44 and 14.89", MARKERS),
            ("linear", None),
        ):
            apparent, true = _model(cohort, large, values)
            models.append({"cohort": k, "model": label, "apparent": apparent, "true": true})
    return CutpointStudy(pd.DataFrame(cuts), pd.DataFrame(models), truth, drawn)


def _draw(name: str, truth: str, seed: int, patients: int | None = None) -> dict[str, Array]:
    data = draw_cohort(name, truth=truth, totals="free", seed=seed, patients=patients).data
    return {column: data[column].to_numpy(dtype=float) for column in (*MARKERS, _OUTCOME)}


def _searched(
    cohort: dict[str, Array],
    large: dict[str, Array],
    marker: str,
    method: str,
    k: int,
    into: list[dict[str, Any]],
) -> float:
    """Search one cut-off, record it, and return it such that x > cut forms the upper group."""
    y = cohort[_OUTCOME]
    rows = CutpointRows(cohort[marker], y, None, None, np.ones(y.size))
    plan = Plan.of(method, None, None, None, None)
    found = search(rows, plan)
    row: dict[str, Any] = {"cohort": k, "marker": marker, "method": method, "cut": found.midpoint}
    for label, data in (("apparent", cohort), ("true", large)):
        high = found.sign * (data[marker] > found.midpoint)
        row[label] = float(auc(data[_OUTCOME], high)[0])
    if method == "minimum-p":
        options: dict[str, Any] = {"permutations": _PERMUTATIONS, "seed": k, "alpha": _LEVEL}
        row["p_unadjusted"] = float(2.0 * ndtr(-found.statistic))
        row["p_lau92"] = lau92_p(found.statistic, plan.minprop, plan.maxprop)
        row["p_lau94"] = adjusted_p(rows, plan, found, "lau94", **options)["p_value"]
        row["p_permutation"] = adjusted_p(rows, plan, found, "permutation", **options)["p_value"]
    into.append(row)
    return found.midpoint


def _model(
    cohort: dict[str, Array], large: dict[str, Array], cuts: dict[str, float] | None
) -> tuple[float, float]:
    """AUC in the cohort that a model was fitted to, and in the large one."""

    def design(data: dict[str, Array]) -> Array:
        columns = [data[m] if cuts is None else data[m] > cuts[m] for m in MARKERS]
        return np.column_stack([np.ones(data[_OUTCOME].size), *columns])

    coef = fit_logistic(design(cohort), cohort[_OUTCOME], firth=True).coef[0]
    apparent, true = (
        float(auc(data[_OUTCOME], design(data) @ coef)[0]) for data in (cohort, large)
    )
    return apparent, true
