"""The cut-offs searched again in the cohort: adjusted P, spread over resamples, resolution."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.errors import RnetError
from rnetstats.evidence.facts import FactSheet
from rnetstats.formatting import fmt_p, fmt_percent, listed
from rnetstats.prediction.cutpoint_resampling import CutpointDistribution
from rnetstats.prediction.cutpoints import CutpointResult, cutpoint
from rnetstats.prediction.resolution import cut_resolution
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.margin_models import MarginModels, Predictor
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.records import records

__all__ = ["CutoffSearch", "halfway", "search_cutoffs", "search_table"]

_METHODS = {"youden": "Youden’s index", "maxstat": "maximal rank statistic"}
_PERMUTATIONS = 1999
_RESAMPLES = 1000


@dataclass(frozen=True)
class CutoffSearch:
    """One variable's cut-off, searched in one way.

    Attributes
    ----------
    predictor : Predictor
    method : {"youden", "maxstat"}
    found : CutpointResult
    spread : CutpointDistribution or None
    """

    predictor: Predictor
    method: str
    found: CutpointResult
    spread: CutpointDistribution | None

    @property
    def name(self) -> str:
        """The variable's name without its cut-off."""
        return self.predictor.label.partition(" >")[0]

    def results(self) -> dict[str, Result]:
        """Return what is stored, by name."""
        key = f"cutoff_{self.predictor.column}_{self.method}"
        made: dict[str, Result] = {key: self.found}
        return made if self.spread is None else made | {f"{key}_spread": self.spread}


def search_cutoffs(
    models: MarginModels, four: tuple[Predictor, ...], attempts: Attempts, *, seed: int
) -> list[CutoffSearch]:
    """Search the best cut-off of each number by both methods, and again in resamples."""
    made = []
    for predictor in (p for p in four if p.cutoff is not None):
        for method, words in _METHODS.items():
            found = attempts.run(
                f"Search of a cut-off of {predictor.column} by {words}",
                lambda p=predictor, m=method: cutpoint(  # type: ignore[misc]
                    models.complete,
                    f"margin_positive ~ {p.column}",
                    method=m,
                    permutations=_PERMUTATIONS,
                    seed=seed,
                ),
            )
            if found is None:
                continue
            spread = attempts.run(
                f"Spread of the cut-off of {predictor.column} by {words}",
                lambda f=found: f.resampling(resamples=_RESAMPLES, seed=seed),  # type: ignore[misc]
            )
            made.append(CutoffSearch(predictor, method, found, spread))
    return made


def halfway(found: CutpointResult, cuts: Iterable[float]) -> list[float]:
    """Return cut-offs as the report writes them, halfway between two neighbouring values.

    Parameters
    ----------
    found : CutpointResult
        Whose :meth:`curve` has each value that was searched, with its midpoint.
    cuts : iterable of float
        Written as ``found`` writes its own. Between two values (a median of several cut-offs that
        are equally good) one divides as the next value does; beyond all of them it is kept.
    """
    curve = found.curve()
    values, middle = (curve[name].to_numpy(dtype=float) for name in ("cut", "midpoint"))
    above = ">=" in str(found.table["rule"].iloc[0])
    made = []
    for cut in cuts:
        place = int(values.searchsorted(cut, side="left" if above else "right")) - (not above)
        made.append(float(middle[place]) if 0 <= place < values.size else cut)
    return made


def search_table(
    searches: list[CutoffSearch], models: MarginModels, facts: FactSheet
) -> Exhibit | None:
    """Return each search with its adjusted P value and how far its cut-off moves."""
    if not searches:
        return None
    numbers = pd.DataFrame([_numbers(search) for search in searches])
    shown = pd.DataFrame([_shown(search) for search in searches])
    return Exhibit(
        name="cutoff_search",
        title="The cut-offs searched in this cohort, and searched again in resamples",
        caption=(
            "P is adjusted for the search over all cut-offs. The last columns show how "
            f"{_RESAMPLES:,} bootstrap samples of the same patients move the cut-off; they are no "
            "confidence limits, which the bootstrap cannot give for a cut-off."
        ),
        numbers=numbers,
        shown=shown,
        notes=(*_resolution(models, facts), *_equally_good(searches), _why(searches)),
    )


def _numbers(search: CutoffSearch) -> dict[str, Any]:
    row = records(search.found.table)[0]
    kept = ("marker", "method", "rule", "estimate", "midpoint", "statistic", "p_value", "p_method")
    counts = ("n", "n_events", "n_below", "n_above", "events_below", "events_above")
    made = {name: row[name] for name in (*kept, *counts)}
    (made["midpoint"],) = halfway(search.found, [search.found.estimate])
    made["printed"] = search.predictor.cutoff
    spread = {} if search.spread is None else search.spread.summary
    names = ("resamples", "share_at_estimate", "q025", "q25", "median", "q75", "q975")
    return made | {name: spread.get(name) for name in names}


def _shown(search: CutoffSearch) -> dict[str, str]:
    row = search.found.table.iloc[0]
    spread = None if search.spread is None else search.spread.summary
    sign = "≤" if "<" in str(row["rule"]) else ">"
    (best,) = halfway(search.found, [search.found.estimate])
    return {
        "Search": f"{search.name}, {_METHODS[search.method]}",
        "Best cut-off": f"{sign} {best:.4g}",
        "Above: positive": f"{int(row['events_above'])} of {int(row['n_above'])}",
        "Below: positive": f"{int(row['events_below'])} of {int(row['n_below'])}",
        "P, adjusted": fmt_p(min(float(row["p_value"]), 1.0)),
        "Same cut-off again": "–" if spread is None else fmt_percent(spread["share_at_estimate"]),
        "Middle 95 % of resamples": "–"
        if spread is None
        else " to ".join(
            f"{cut:.4g}" for cut in halfway(search.found, (spread["q025"], spread["q975"]))
        ),
    }


def _resolution(models: MarginModels, facts: FactSheet) -> list[str]:
    """Say whether the printed cut-offs can come from values recorded like these."""
    notes = []
    for column, key, name in (
        ("size_mm", "size_cutoff", "Size"),
        ("nlr", "nlr_cutoff", "NLR"),
    ):
        values = models.complete[column].dropna().to_numpy(dtype=float)
        try:
            notes.append(f"{name}: {cut_resolution(values, facts[key].value).sentence}")
        except RnetError:  # no values
            continue
    half = cut_resolution(None, facts["size_cutoff"].value, step=0.5)
    notes.append(
        f"Whatever this cohort is: sizes in half millimetres have the values {half.below:g} and "
        f"{half.above:g} next to {half.cut} and the midpoint {(half.below + half.above) / 2:g}, so "
        f"that {half.cut} cannot be an observed size, a midpoint of two, or the mean of two "
        "midpoints. It needs sizes measured more finely, a model, or a mean of several cut-offs."
    )
    return notes


def _equally_good(searches: list[CutoffSearch]) -> list[str]:
    """Name cut-offs with the same index, of which the search takes the median."""
    notes = []
    for search in searches:
        cuts = [f"{cut:.4g}" for cut in search.found.optimal["midpoint"]]
        if search.method == "youden" and len(cuts) > 1:
            notes.append(
                f"{search.name}: cut-offs at {listed(cuts)} have the same Youden index, the "
                "largest. Searched for, their median is taken, which need not be one of them; "
                "in the table of cut-offs the lowest stands."
            )
    return notes


def _why(searches: list[CutoffSearch]) -> str:
    events, n = (int(searches[0].found.table[name].iloc[0]) for name in ("n_events", "n"))
    return (
        f"{events} positive margins among {n} patients. Youden’s index: P by "
        f"{_PERMUTATIONS:,} permutations; maximal rank statistic: a bound by Lausen and others "
        "(1994). Cut-offs lie halfway between two neighbouring values."
    )
