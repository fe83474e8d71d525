"""What each model for rare events estimates, what it does with double zeros, where it fails."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["METHODS", "MethodWords", "estimand_of", "methods_for"]

_SILENT = "weigh nothing"
_COUNTED = "counted"


@dataclass(frozen=True)
class MethodWords:
    """A method in words.

    Attributes
    ----------
    label : str
    kind : {"crude", "common", "random", "marginal"}
        One effect in all studies, effects that vary about a mean, or the ratio or difference of
        mean risks.
    measures : tuple of str
    double_zeros : dict
        What is done with studies without an event in either arm, by measure.
    assumptions, fails : str
    """

    label: str
    kind: str
    measures: tuple[str, ...]
    double_zeros: dict[str, str]
    assumptions: str
    fails: str


METHODS = {
    "crude": MethodWords(
        label="Crude sums",
        kind="crude",
        measures=("OR", "RR", "RD"),
        double_zeros=dict.fromkeys(("OR", "RR", "RD"), _COUNTED),
        assumptions="All patients come from one study.",
        fails="Not a comparison within studies: where arms are unequal it mixes the effect with "
        "differences between studies (Simpson's paradox).",
    ),
    "mantel-haenszel": MethodWords(
        label="Mantel-Haenszel, no correction",
        kind="common",
        measures=("OR", "RR", "RD"),
        double_zeros={"OR": _SILENT, "RR": _SILENT, "RD": _COUNTED},
        assumptions="One effect in all studies. The variance holds for few large and for many "
        "small studies.",
        fails="Limits leave variation between studies out. No finite ratio if an arm has no event "
        "in any study.",
    ),
    "peto": MethodWords(
        label="Peto, one step",
        kind="common",
        measures=("OR",),
        double_zeros={"OR": _SILENT},
        assumptions="One odds ratio near 1 in all studies, arms of about equal size, rare events.",
        fails="Peto is biased when arms are unequal or effects large.",
    ),
    "exact": MethodWords(
        label="Exact, conditional",
        kind="common",
        measures=("OR", "RR"),
        double_zeros={"OR": _SILENT, "RR": _SILENT},
        assumptions="One effect in all studies; each study's number of events is taken as given. "
        "Of the risk ratio: events rare enough for a Poisson law.",
        fails="Conservative, as counts are discrete. Limits leave variation between studies out.",
    ),
    "UM.FS": MethodWords(
        label="Binomial-normal, fixed study effects (UM.FS)",
        kind="random",
        measures=("OR",),
        double_zeros={"OR": _SILENT},
        assumptions="Log odds ratios are normal between studies; each study has a level of its "
        "own; treatment is coded 1/2 and -1/2.",
        fails="As many levels as studies: with many small studies the odds ratio is biased away "
        "from 1 and the variance between studies too small.",
    ),
    "UM.RS": MethodWords(
        label="Binomial-normal, random study effects (UM.RS)",
        kind="random",
        measures=("OR",),
        double_zeros={"OR": _COUNTED},
        assumptions="Log odds ratios and study levels are normal and independent of each other.",
        fails="Compares levels between studies too: biased where the share treated goes with the "
        "risk, or levels are not normal.",
    ),
    "CM.EL": MethodWords(
        label="Hypergeometric-normal, exact (CM.EL)",
        kind="random",
        measures=("OR",),
        double_zeros={"OR": _SILENT},
        assumptions="Log odds ratios are normal between studies; each study's number of events is "
        "taken as given, so that nothing is assumed of study levels.",
        fails="With few events the variance between studies is hardly known, and Wald limits are "
        "too narrow where it is estimated as 0.",
    ),
    "CM.AL": MethodWords(
        label="Binomial-normal, conditional (CM.AL)",
        kind="random",
        measures=("OR", "RR"),
        double_zeros={"OR": _SILENT, "RR": _SILENT},
        assumptions="Log ratios are normal between studies; given a study's number of events, "
        "those of arm 1 are binomial, as they are where events are rare (Poisson).",
        fails="With common events it is near the risk ratio, not the odds ratio, and its limits "
        "are too wide.",
    ),
    "beta-binomial": MethodWords(
        label="Beta-binomial, common dispersion",
        kind="marginal",
        measures=("OR", "RR", "RD"),
        double_zeros=dict.fromkeys(("OR", "RR", "RD"), _COUNTED),
        assumptions="Risks of each arm are drawn from a beta law with a mean of its own and one "
        "intraclass correlation for both; arms of a study are independent.",
        fails="Does not use that arms belong to a study: imprecise where levels differ much, "
        "biased where the share treated goes with the risk.",
    ),
    "inverse-variance": MethodWords(
        label="Inverse variance (REML, Hartung-Knapp with floor)",
        kind="random",
        measures=("OR", "RR", "RD"),
        double_zeros={"OR": "left out", "RR": "left out", "RD": "counted, with 0.5 in each cell"},
        assumptions="Effects are normal within studies with known variances, and normal between "
        "them; 0.5 is added to studies with a zero cell.",
        fails="With zero cells the 0.5 pulls towards no effect and, with unequal arms, to either "
        "side; variances from few events are not known.",
    ),
}

_EFFECTS = {"OR": "odds ratio", "RR": "risk ratio", "RD": "risk difference"}


def methods_for(measure: str) -> list[str]:
    """Return the methods that give a measure, in the order of a table."""
    return [name for name, words in METHODS.items() if measure in words.measures]


def estimand_of(method: str, measure: str) -> str:
    """Return what a method estimates, in a few words."""
    effect = _EFFECTS[measure]
    if measure == "OR" and method not in ("crude", "beta-binomial"):
        effect = f"conditional {effect}"
    kind = METHODS[method].kind
    if kind == "crude":
        return f"{effect} of all patients together"
    if kind == "marginal":
        return f"marginal {effect}, of mean risks"
    return f"common {effect}" if kind == "common" else f"mean {effect} of studies"
