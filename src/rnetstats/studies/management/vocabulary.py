"""The words of a rule sheet: what a condition may ask, what a rule may answer, on what it rests."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = [
    "ADVICE",
    "CANNOT",
    "HIGHER_RISK",
    "LEVELS",
    "NEEDS",
    "NO_RULE",
    "PROVISOS",
    "RISK_FACTORS",
    "SHORT",
    "SITUATIONS",
    "STANDINGS",
    "STEP",
    "STEPS",
]

ADVICE = "Decision support for research; not advice on a patient."

SITUATIONS = ("primary", "after resection", "1-2 cm")

# from the least to the most
STEPS = ("no follow-up", "surveillance", "local resection", "tumour board", "radical resection")

STEP, NO_RULE, CANNOT = "step", "no rule", "cannot be applied"

STANDINGS = ("printed", "second-hand", "inferred", "chosen")

# What a condition may ask, with the values that a patient may have.
LEVELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "margin": ("R0", "Rx", "R1", "R2"),
        "grade": ("G1", "lower G2", "higher G2", "G3"),
        "lvi": ("absent", "present"),
        "t_stage": ("T1a", "T1b", "T2", "T3", "T4"),
        "n_stage": ("N0", "N1"),
        "invasion": ("submucosa", "muscularis propria", "subserosa", "beyond"),
        "incidental": ("no", "yes"),
        "distant_metastases": ("M0", "M1"),
        "fit_for_surgery": ("unfit", "fit"),
    }
)

# One word for several values.
SHORT: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "grade": {"G2": ("lower G2", "higher G2")},
        "t_stage": {"T1": ("T1a", "T1b")},
    }
)

# What makes a patient one at higher risk, for rules that ask for a risk factor.
HIGHER_RISK: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "lvi": ("lvi", ("present",)),
        "invasion": ("invasion", ("muscularis propria", "subserosa", "beyond")),
        "grade": ("grade", ("lower G2", "higher G2", "G3")),
    }
)
RISK_FACTORS = tuple(HIGHER_RISK)

# What must be established beside a rule's conditions. It does not decide which rule holds; where
# it is not known, the step stands and it is listed as open. No column tells of a tumour board.
PROVISOS: Mapping[str, tuple[str, str] | None] = MappingProxyType(
    {
        "no distant metastases": ("distant_metastases", "M0"),
        "fit for surgery": ("fit_for_surgery", "fit"),
        "tumour board": None,
    }
)

NEEDS: Mapping[str, str] = MappingProxyType(
    {
        "size_mm": "size_mm",
        "margin": "margin",
        "grade": "grade",
        "lvi": "lvi",
        "t_stage": "t_stage or invasion",
        "n_stage": "n_stage",
        "invasion": "t_stage or invasion",
        "incidental": "incidental",
    }
)
