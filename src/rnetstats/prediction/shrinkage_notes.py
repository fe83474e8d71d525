"""What a reader must know beside a shrunken model."""

from __future__ import annotations

import numpy as np

from rnetstats.formula.variables import Floats
from rnetstats.kernels.percentiles import percentile_limits
from rnetstats.prediction.tuning import Tuned

__all__ = ["shrinkage_notes"]


def shrinkage_notes(
    method: str, amount: float, amounts: Floats, usable: np.ndarray, whole: Tuned
) -> list[str]:
    """Say how sure the amount of shrinkage is, and what became of the resamples."""
    name = "penalty" if method.startswith("ridge") else "factor"
    known = amounts[np.isfinite(amounts)]
    told = ""
    if known.size:
        low, high = percentile_limits(known, 0.95)
        told = f" over {known.size} resamples it runs from {low:.3g} to {high:.3g} (middle 95 %);"
    notes = [
        f"The {name} ({amount:.3g}) is itself estimated, and unstable:{told} shrinkage is least "
        "certain where it is needed most, in small samples, and no remedy for too few events "
        "(Van Calster et al. 2020, Riley et al. 2021)."
    ]
    failed = len(usable) - int(usable.sum())
    if failed:
        notes.append(f"{failed} of {len(usable)} resamples have no estimate and are left out.")
    if whole.at_edge[0]:
        notes.append(
            "The penalty is the largest one tried: the data support hardly more than the overall "
            "risk."
        )
    if method in {"heuristic", "bootstrap"} and amount == 0.0:
        notes.append(
            "The factor is 0: the model predicts no better than the overall risk (its chi-square "
            "is below its degrees of freedom)."
        )
    return notes
