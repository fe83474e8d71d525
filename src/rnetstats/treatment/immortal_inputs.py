"""What the simulated biases assume: every number by name, with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.options import real
from rnetstats.errors import OptionError, closest

__all__ = ["BiasInputs", "bias_inputs"]

_CHOSEN = "chosen; no such figure is published for the 527 patients"
_OF_TREATED, _OF_UNTREATED = "among the treated", "among the untreated"


@dataclass(frozen=True)
class BiasInputs:
    """Assumptions behind the biases; shares from 0 to 1, times in the unit of the data.

    Attributes
    ----------
    large_treated, large_untreated : float
        Share with a large tumour (10 mm or more) in either arm.
    large_hazard_ratio : float
        Of the event, large against small.
    lvi_treated, lvi_untreated : float
        Share with lymphovascular invasion in either arm.
    lvi_hazard_ratio : float
    visits_treated, visits_untreated : float
        Time between scheduled visits in either arm.
    visit_sensitivity : float
        Chance that a visit finds a recurrence that is there.
    missed_treated, missed_untreated : float
        Share of recurrences that never come to light in either arm.
    residual : float
        Share of patients with residual tumour after the first resection: in the treated arm it is
        found in the salvage specimen and not counted as a recurrence.
    residual_counted : float
        Share of residual tumours that would be found and counted as a recurrence if left.
    residual_found_by : float
        They are found at any time up to then.
    """

    large_treated: float = 0.35
    large_untreated: float = 0.20
    large_hazard_ratio: float = 2.0
    lvi_treated: float = 0.25
    lvi_untreated: float = 0.07
    lvi_hazard_ratio: float = 2.5
    visits_treated: float = 12.0
    visits_untreated: float = 6.0
    visit_sensitivity: float = 0.8
    missed_treated: float = 0.2
    missed_untreated: float = 0.0
    residual: float = 0.25
    residual_counted: float = 0.08
    residual_found_by: float = 12.0

    def table(self) -> pd.DataFrame:
        """Return ``input, value, meaning, source``: which bias needs what, and on what ground."""
        changed = {f.name for f in fields(self) if getattr(self, f.name) != f.default}
        return pd.DataFrame(
            [
                {
                    "input": name,
                    "value": value,
                    "meaning": _TEXTS[name][0],
                    "source": "given by the caller" if name in changed else _TEXTS[name][1],
                }
                for name, value in asdict(self).items()
            ]
        )


_TEXTS = {
    "large_treated": (f"share with a tumour of 10 mm or more {_OF_TREATED}", _CHOSEN),
    "large_untreated": (f"share with a tumour of 10 mm or more {_OF_UNTREATED}", _CHOSEN),
    "large_hazard_ratio": ("hazard ratio of recurrence, 10 mm or more against less", _CHOSEN),
    "lvi_treated": (
        f"share with lymphovascular invasion {_OF_TREATED}",
        "chosen; Cha et al. 2019 print an odds ratio of 62 of invasion for additional treatment",
    ),
    "lvi_untreated": (f"share with lymphovascular invasion {_OF_UNTREATED}", _CHOSEN),
    "lvi_hazard_ratio": ("hazard ratio of recurrence, invasion against none", _CHOSEN),
    "visits_treated": (f"time between visits {_OF_TREATED}", _CHOSEN),
    "visits_untreated": (f"time between visits {_OF_UNTREATED}", _CHOSEN),
    "visit_sensitivity": ("chance that a visit finds a recurrence", _CHOSEN),
    "missed_treated": (f"share of recurrences that never come to light {_OF_TREATED}", _CHOSEN),
    "missed_untreated": (f"share of recurrences that never come to light {_OF_UNTREATED}", _CHOSEN),
    "residual": (
        "share with residual tumour after the first resection",
        "meta-analysis 2026, printed: residual tumour at salvage 25.0 % (12.0 to 40.0)",
    ),
    "residual_counted": (
        "share of residual tumours that would be counted as a recurrence if left",
        "chosen: the printed crude recurrences, 2.96 % without and 0.96 % with salvage, differ by "
        "8 % of 25 %",
    ),
    "residual_found_by": ("time by which these are found", _CHOSEN),
}

_POSITIVE = {
    "large_hazard_ratio",
    "lvi_hazard_ratio",
    "visits_treated",
    "visits_untreated",
    "visit_sensitivity",
    "residual_found_by",
}
_UNBOUNDED = _POSITIVE - {"visit_sensitivity"}


def bias_inputs(changes: Mapping[str, Any] | None) -> BiasInputs:
    """Return the assumptions with these changes.

    Raises
    ------
    OptionError
        For an unknown name, a share outside 0 to 1, or a ratio or time that is not above 0, or
        if the changes are no mapping.
    """
    if changes is not None and not isinstance(changes, Mapping):
        raise OptionError(
            f"inputs must be a mapping, such as {{'lvi_treated': 0.4}}, not {changes!r}."
        )
    given = {} if changes is None else dict(changes)
    known = [f.name for f in fields(BiasInputs)]
    for name, value in given.items():
        if name not in known:
            raise OptionError(
                f"inputs has no {name!r}.{closest(str(name), known)} They are {', '.join(known)}."
            )
        high = np.inf if name in _UNBOUNDED else 1.0
        given[name] = real(f"inputs[{name!r}]", value, low=0.0, high=high)
        if name in _POSITIVE and given[name] == 0.0:
            raise OptionError(f"inputs[{name!r}] must be above 0.")
        if name.startswith("missed") and given[name] == 1.0:
            raise OptionError(f"inputs[{name!r}] must be below 1: else the arm has no event.")
    return replace(BiasInputs(), **given)
