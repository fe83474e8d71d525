"""Write docs/cutpoints.md: cut-offs searched in cohorts whose truth is known.

python docs/build_cutpoint_study.py                  # the page, about two minutes
python docs/build_cutpoint_study.py --quick          # a smaller size, to a temporary file
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

import rnetstats as rn
from rnetstats.simulation.cutpoint_study import MARKERS, CutpointStudy, cutpoint_study

PAGE = Path(__file__).parent / "cutpoints.md"
SEED = 20241
FULL, QUICK = 1000, 60
NAMES = {"nlr": "NLR", "size_mm": "size (mm)", "youden": "Youden", "minimum-p": "smallest P"}
P_NAMES = {
    "unadjusted": "none (smallest P)",
    "lau92": "Lausen and Schumacher (1992)",
    "lau94": "Lausen et al. (1994)",
    "permutation": "permutation",
}
INTRO = """# Cut-offs found on data

The study cut the neutrophil-to-lymphocyte ratio (NLR) at 4.44 and the tumour's size at 14.89 mm.
What follows was found in {replicates} synthetic cohorts of its size for each of two truths, written
by `python docs/build_cutpoint_study.py` (seed {seed}). Under `smooth` the risk of a positive margin
rises steadily with both numbers and there is no threshold; under `null` it depends on neither.
Totals are right in expectation, not fixed. "True" is judged in a cohort of 50,000; figures in
parentheses are Monte Carlo standard errors.

## 14.89 is no cut-off of half millimetres

{resolution}

"""
OUTRO = """## How to do it

```python
import rnetstats as rn

cohort = rn.load_cohort("duan2024")
found = rn.cutpoint(cohort, "margin_positive ~ nlr", method="maxstat")  # P adjusted for the search
found.resampling(resamples=1000, seed=1).plot()  # how far the cut-off moves
found.resolution("4.44")  # can it come from the data?
rn.dichotomising_cost(cohort, "margin_positive ~ nlr + size_mm", cuts={"nlr": 4.44})
```

`method="minimum-p"` exists to show the error of the smallest P value and always says so. Limits of
a cut-off come from subsampling or not at all: it converges at the rate n^(1/3), where the bootstrap
is inconsistent. A model that needs no cut-off needs none of this.
"""


def _table(frame: pd.DataFrame) -> str:
    lines = ["| " + " | ".join(frame.columns) + " |", "|" + " --- |" * len(frame.columns)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in frame.itertuples(index=False)]
    return "\n".join(lines) + "\n"


def _cuts(study: CutpointStudy) -> pd.DataFrame:
    rows = []
    for row in study.cut_summary().to_dict("records"):
        chosen = study.cuts[
            (study.cuts["marker"] == row["marker"]) & (study.cuts["method"] == row["method"])
        ]["cut"]
        printed = MARKERS[row["marker"]]
        rows.append(
            {
                "Number": NAMES[row["marker"]],
                "Search": NAMES[row["method"]],
                "Median cut-off": f"{row['median']:.2f}",
                "Middle half": f"{row['q25']:.2f} to {row['q75']:.2f}",
                "Middle 90 %": f"{row['q05']:.2f} to {row['q95']:.2f}",
                "At or beyond the printed one": f"{100 * (chosen >= printed).mean():.1f} %",
                "AUC, apparent": f"{row['apparent']:.3f}",
                "AUC, true": f"{row['true']:.3f}",
                "Optimism": f"{row['optimism']:.3f} ({row['mcse']:.3f})",
            }
        )
    return pd.DataFrame(rows)


def _rejections(studies: dict[str, CutpointStudy]) -> pd.DataFrame:
    found = {truth: study.rejections() for truth, study in studies.items()}
    first = next(iter(found.values()))
    table = pd.DataFrame(
        {
            "Number": [NAMES[marker] for marker in first["marker"]],
            "Adjustment of P": [P_NAMES[name] for name in first["p"]],
        }
    )
    for truth, frame in found.items():
        table[f"P <= 0.05 under `{truth}`"] = [
            f"{100 * share:.1f} % ({100 * mcse:.1f})"
            for share, mcse in zip(frame["share"], frame["mcse"], strict=True)
        ]
    return table


def _models(studies: dict[str, CutpointStudy]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Truth": f"`{truth}`",
            "Model of NLR and size": row["model"],
            "AUC, apparent": f"{row['apparent']:.3f}",
            "AUC, true": f"{row['true']:.3f}",
            "Optimism": f"{row['optimism']:.3f} ({row['mcse']:.3f})",
        }
        for truth, study in studies.items()
        for row in study.model_summary().to_dict("records")
    )


def _cost(studies: dict[str, CutpointStudy]) -> str:
    """What the printed cut-offs cost in a large cohort without a threshold."""
    large = rn.draw_cohort("duan2024", truth="smooth", totals="free", seed=SEED, patients=50_000)
    cost = rn.dichotomising_cost(
        large.data, "margin_positive ~ nlr + size_mm", cuts=MARKERS, thresholds=[0.3, 0.4]
    )
    shown = cost.display()
    kept = float(cost.glance()["efficiency"].iloc[0])
    models = studies["smooth"].model_summary().set_index("model")["true"]
    return (
        "In one large cohort of the `smooth` truth (50,000 patients), so that nothing here is "
        f"chance:\n\n{_table(shown)}\n"
        f"The printed cut-offs keep {100 * kept:.0f} % of the information of the two numbers: 527 "
        f"patients then tell as much as {527 * kept:.0f} would with the numbers themselves. "
        "Models fitted to cohorts of the study's own size reach a true AUC of "
        f"{models['linear']:.3f} with the numbers linear, {models[_CUT]:.3f} with the printed "
        f"cut-offs and {models[_YOUDEN]:.3f} with cut-offs searched anew.\n"
    )


_CUT, _YOUDEN = "cut at 4.44 and 14.89", "cut by Youden's index"


def _levels(null: pd.DataFrame) -> str:
    """Say whether the adjusted P values keep their level, as found."""
    adjusted = null[null["p"] != "unadjusted"]
    over = adjusted[adjusted["share"] > 0.05 + 3.0 * adjusted["mcse"]]
    if over.empty:
        return "No adjusted P value exceeds its level of 5 % by more than three Monte Carlo errors."
    named = ", ".join(f"{P_NAMES[r.p]} for {NAMES[r.marker]}" for r in over.itertuples())
    return f"More than three Monte Carlo errors above 5 %: {named}."


def page(studies: dict[str, CutpointStudy], replicates: int) -> str:
    """Return the page's text."""
    sentence = rn.cut_resolution(None, "14.89", step=0.5).sentence
    null = studies["null"].rejections()
    wrong = null[null["p"] == "unadjusted"]["share"]
    parts = [INTRO.format(replicates=f"{replicates:,}", seed=SEED, resolution=sentence)]
    parts.append("## Where the cut-off falls, and how it flatters\n\n")
    parts.append(
        "Each number alone, cut where Youden's index is largest (no limit on the groups) or where "
        "the P value is smallest (at least a tenth of the patients on either side; the printed "
        "cut-offs leave fewer above them). AUC is that of the number cut in two.\n\n"
    )
    for truth, study in studies.items():
        parts.append(f"Truth `{truth}`:\n\n{_table(_cuts(study))}\n")
    parts.append("## The P value of a searched cut-off\n\n" + _table(_rejections(studies)) + "\n")
    parts.append(
        "Where there is nothing to find, the smallest P value is below 0.05 in "
        f"{100 * wrong.min():.0f} to {100 * wrong.max():.0f} % of cohorts. {_levels(null)}\n\n"
    )
    parts.append("## Models with both numbers\n\n" + _table(_models(studies)) + "\n")
    parts.append(
        "The printed cut-offs are fixed before any of these cohorts is seen, so that their only "
        "optimism is that of two coefficients. Where cut-offs are searched on the data, that "
        "search is the larger part.\n\n"
    )
    parts.append("## What cutting costs\n\n" + _cost(studies) + "\n")
    return "".join([*parts, OUTRO])


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smaller size, to a temporary file")
    parser.add_argument("--replicates", type=int, help="cohorts a truth")
    parser.add_argument("--output", type=Path, help=f"the page (default {PAGE.name})")
    options = parser.parse_args(arguments)
    replicates = options.replicates or (QUICK if options.quick else FULL)
    output = options.output or PAGE
    if options.quick and options.output is None:
        output = Path(tempfile.mkdtemp(prefix="cutpoints-")) / PAGE.name
    studies = {
        truth: cutpoint_study(truth, replicates=replicates, seed=SEED)
        for truth in ("smooth", "null")
    }
    output.write_text(page(studies, replicates), encoding="utf-8", newline="")
    print(f"written: {output}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
