"""Write docs/meta_validation.md: limits of pooled odds ratios where the truth is known.

python docs/build_meta_validation.py                  # the page, about an hour
python docs/build_meta_validation.py --quick          # a smaller size, to a temporary file
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pandas as pd

from rnetstats.evidence.meta_operating import (
    LIKELIHOODS,
    LIMITS,
    PREDICTIONS,
    meta_operating,
)
from rnetstats.evidence.meta_scene import MetaScene
from rnetstats.formatting import MISSING, fmt_number
from rnetstats.simulation.tables import markdown

PAGE = Path(__file__).parent / "meta_validation.md"
SEED = 20245
FULL, QUICK = (2000, 250), (120, 10)
STUDIES, RISKS, VARIANCES, RATIOS = (5, 9, 34), (0.01, 0.2), (0.0, 0.1, 0.5), (1.0, 0.5)
METHODS = LIMITS | LIKELIHOODS
KEYS = ["risk", "odds_ratio", "k", "tau2"]
NOMINAL = 0.95
FEW = 9  # studies that the last part is about

INTRO = """# Limits of pooled odds ratios

A pooled odds ratio comes with 95 % limits. Do they hold the truth in 95 % of meta-analyses? What
follows was found in drawn meta-analyses of 5, 9 and 34 studies, with rare events (a typical risk of
1 % in arm 2) and common ones (20 %), without variation of the effect between studies (tau² = 0),
with some (0.1) and with much (0.5: the odds ratios of 95 % of studies lie between a quarter and
four times the typical one), and a typical odds ratio of 1 and of 0.5. All of that is chosen, not
taken from any study: sizes are log-normal around {patients:.0f} patients, a quarter to three
quarters of them in arm 1; risks in arm 2 vary between studies (standard deviation of the log odds
{baseline:g}). {replicates:,} meta-analyses a setting, the first {fits:,} of them for the models by
likelihood; seed {seed}; written by `python docs/build_meta_validation.py`.

The target is the typical (median) odds ratio. **Coverage** is the share of intervals that hold it,
in per cent; intervals that a method could not give are not counted, and named apart. A minus marks
coverage below 95 % by more than three Monte Carlo errors, a plus coverage above it by as much:
limits that are wider than they need be. The Monte Carlo error of a coverage of 95 % is
{error:.1f} points, for the models by likelihood {error_fits:.1f}.

Inverse variance adds 0.5 in studies with a zero cell and leaves those without any event out, with
tau² by REML; Mantel-Haenszel and Peto need no correction. The binomial-normal model is conditional
on each study's number of events. Mantel-Haenszel, Peto and the beta-binomial model aim at an odds
ratio over all patients, which with tau² above 0 is not quite the typical one.

"""
OUTRO = """## How to do it

```python
import rnetstats as rn

studies = {
    "study": ["A", "B", "C", "D"],
    "events_1": [0, 1, 0, 3],
    "n_1": [45, 60, 32, 120],
    "events_2": [2, 4, 0, 7],
    "n_2": [43, 62, 30, 118],
}
pooled = rn.meta_analysis(studies, measure="OR", ci="hartung-knapp-adhoc")
pooled.rare_events()  # Mantel-Haenszel, Peto, binomial-normal and beta-binomial beside it
```

With a zero cell, or rates below 5 %, `display()` shows both.
"""


def simulate(replicates: int, fits: int, settings: Sequence[MetaScene]) -> pd.DataFrame:
    """Return the operating characteristics of all settings."""
    tables = []
    for number, scene in enumerate(settings):
        tables.append(meta_operating(scene, replicates=replicates, fits=fits, seed=SEED + number))
        print(f"{number + 1} of {len(settings)}: {scene}", flush=True)
    return pd.concat(tables, ignore_index=True)


def scenes() -> list[MetaScene]:
    """All settings."""
    return [
        MetaScene(k=k, risk=risk, odds_ratio=ratio, tau2=tau2)
        for risk, ratio, k, tau2 in product(RISKS, RATIOS, STUDIES, VARIANCES)
    ]


def _percent(value: float, digits: int = 1) -> str:
    return MISSING if pd.isna(value) else f"{100.0 * value:.{digits}f}"


def _error(intervals: float) -> float:
    """Monte Carlo error of a coverage of 95 %."""
    return float((NOMINAL * (1.0 - NOMINAL) / intervals) ** 0.5)


def _cell(row: pd.Series) -> str:
    """Coverage, marked where it is not 95 %."""
    if pd.isna(row["coverage"]):
        return MISSING
    off, error = row["coverage"] - NOMINAL, 3.0 * _error(row["replicates"] * (1.0 - row["none"]))
    mark = " −" if off < -error else " +" if off > error else ""
    return _percent(row["coverage"]) + mark


def _setting(k: int, tau2: float) -> str:
    return f"{k} studies, tau² {tau2:g}"


def coverage_table(table: pd.DataFrame, labels: dict[str, str]) -> pd.DataFrame:
    """One row a method, one column a setting."""
    rows = []
    for method, label in labels.items():
        own = table[table["method"] == method]
        cells = {_setting(row["k"], row["tau2"]): _cell(row) for _, row in own.iterrows()}
        rows.append({"method": label} | cells)
    return pd.DataFrame(rows)


def _where(row: pd.Series) -> str:
    return (
        f"{row['k']} studies, risk {100 * row['risk']:g} %, tau² {row['tau2']:g}, "
        f"odds ratio {row['odds_ratio']:g}"
    )


def _holds(table: pd.DataFrame) -> pd.Series:
    error = (table["replicates"] * (1.0 - table["none"])).map(_error)
    return table["coverage"] >= NOMINAL - 3.0 * error


def summary(table: pd.DataFrame, labels: dict[str, str]) -> pd.DataFrame:
    """How often each method holds its level, rare and common events apart, and its worst."""
    rows = []
    for method, label in labels.items():
        own = table[(table["method"] == method) & table["coverage"].notna()]
        worst = own.loc[own["coverage"].idxmin()]
        kept = {
            f"holds 95 %, {name}": f"{int(_holds(part).sum())} of {len(part)}"
            for name, part in (
                ("rare events", own[own["risk"] < 0.05]),
                ("common events", own[own["risk"] >= 0.05]),
            )
        }
        rows.append(
            {
                "method": label,
                **kept,
                "lowest coverage": f"{_percent(worst['coverage'])} ({_where(worst)})",
                "highest": _percent(own["coverage"].max()),
                "most without an interval": _percent(own["none"].max()),
            }
        )
    return pd.DataFrame(rows)


def verdict_words(limits: pd.DataFrame) -> str:
    """Say in words which limits can be relied on, from the numbers."""
    by_method = limits.groupby("method", sort=False)
    rare, common = limits[limits["risk"] < 0.05], limits[limits["risk"] >= 0.05]
    parts = []
    for name, part in (("rare", rare), ("common", common)):
        sure = [m for m, own in part.groupby("method", sort=False) if _holds(own).all()]
        told = _listed(sure) if sure else "none"
        parts.append(f"With {name} events these hold 95 % in every setting: {told}. ")
    wide = [m for m, own in by_method if (own["coverage"] > 0.99).sum() > len(own) / 4]
    if wide:
        parts.append(f"Far wider than need be (above 99 % in over a quarter): {_listed(wide)}. ")
    one = limits[limits["method"].isin(("mantel-haenszel", "peto"))]
    even, uneven = one[one["tau2"] == 0.0], one[one["tau2"] == max(VARIANCES)]
    parts.append(
        "Mantel-Haenszel and Peto have limits of a common effect: where effects do not vary they "
        f"hold {_percent(even['coverage'].min())} to {_percent(even['coverage'].max())} %, with "
        f"tau² {max(VARIANCES):g} only {_percent(uneven['coverage'].min())} to "
        f"{_percent(uneven['coverage'].max())} %, the less the more events there are. The models "
        "by likelihood were judged in fewer meta-analyses, so that a smaller failure of theirs "
        "goes unseen."
    )
    return "".join(parts) + "\n\n"


def few_table(table: pd.DataFrame) -> pd.DataFrame:
    """Nine studies with rare events: what each method gives."""
    rows = []
    for method, label in METHODS.items():
        own = table[table["method"] == method]
        null, half = own[own["odds_ratio"] == 1.0], own[own["odds_ratio"] == RATIOS[1]]
        rows.append(
            {
                "method": label,
                **{f"coverage, tau² {r['tau2']:g}": _cell(r) for _, r in null.iterrows()},
                "without an interval, at most": _percent(own["none"].max()),
                "upper over lower limit (median)": " / ".join(
                    f"×{fmt_number(value, 0)}" for value in null["width"]
                ),
                f"excludes 1 if the odds ratio is {RATIOS[1]:g}": " / ".join(
                    _percent(value) for value in half["excludes_one"]
                ),
                "median estimate then": " / ".join(
                    fmt_number(value) for value in half["odds_ratio_found"]
                ),
            }
        )
    return pd.DataFrame(rows)


def few_words(table: pd.DataFrame, many: pd.DataFrame) -> str:
    """Say in words what the table of nine studies shows; ``many`` holds 34 such studies."""
    limits = table[table["target"] == "odds ratio"]
    by_method = limits.groupby("method", sort=False)
    sure = [name for name, part in by_method if _holds(part).all()]
    failing = [name for name, part in by_method if not _holds(part).all()]
    null = limits[limits["odds_ratio"] == 1.0]
    width = null.groupby("method")["width"].mean()
    events = limits.groupby("tau2")["events"].mean()
    parts = [
        f"{FEW} studies of this size hold {events.min():.0f} to {events.max():.0f} events in all, "
        "in both arms together. "
    ]
    if sure:
        narrow = min(sure, key=lambda name: float(width[name]))
        parts.append(
            "Limits that hold 95 % at each of the three variances and at both odds ratios: "
            f"{_listed(sure)}. The narrowest of them: {METHODS[narrow]}. "
        )
    if failing:
        parts.append(f"Limits that do not: {_listed(failing)}. ")
    half = limits[limits["odds_ratio"] == RATIOS[1]]
    found = half[half["method"].isin(sure or failing)]["excludes_one"]
    parts.append(
        f"If the odds ratio is {RATIOS[1]:g}, intervals that can be trusted exclude 1 in "
        f"{_percent(found.min(), 0)} to {_percent(found.max(), 0)} % of such meta-analyses: "
        "that is what so few events can show. "
    )
    found = half[half["method"] == "hartung-knapp"]["odds_ratio_found"]
    lost = many[(many["odds_ratio"] == RATIOS[1]) & (many["method"] == "hartung-knapp")]["coverage"]
    pulled = ", nearer 1 than the truth" if found.min() > RATIOS[1] else ""
    parts.append(
        f"Inverse variance, with 0.5 in the cells, then finds {fmt_number(found.min())} to "
        f"{fmt_number(found.max())} (median){pulled}. Limits of few studies are wide enough to "
        f"hide a bias; those of {many['k'].max()} such studies by Hartung and Knapp hold "
        f"{_percent(lost.min())} to {_percent(lost.max())} %. "
    )
    news = table[(table["target"] == "new study") & (table["tau2"] > 0.0)]
    hts = news[news["method"] == "hts"]
    parts.append(
        "A prediction interval by t(k-2) holds the odds ratio of a new study with a probability of "
        f"{_percent(hts['coverage'].min(), 0)} to {_percent(hts['coverage'].max(), 0)} % where "
        f"effects vary; its upper limit is {fmt_number(hts['width'].min(), 0)} to "
        f"{fmt_number(hts['width'].max(), 0)} times its lower one."
    )
    return "".join(parts) + "\n"


def _listed(methods: list[str]) -> str:
    return "; ".join(METHODS[name] for name in methods)


def page(table: pd.DataFrame, replicates: int, fits: int) -> str:
    """Return the page's text."""
    scene = MetaScene(k=FEW, risk=RISKS[0])
    error = [100.0 * _error(n) for n in (replicates, fits)]
    limits, news = (table[table["target"] == what] for what in ("odds ratio", "new study"))
    parts = [
        INTRO.format(
            patients=scene.patients,
            baseline=scene.baseline,
            replicates=replicates,
            fits=fits,
            seed=SEED,
            error=error[0],
            error_fits=error[1],
        ),
        "## Which limits hold their level\n\n",
        verdict_words(limits),
        markdown(summary(limits, METHODS)) + "\n\n",
    ]
    for risk, ratio in product(RISKS, RATIOS):
        own = limits[(limits["risk"] == risk) & (limits["odds_ratio"] == ratio)]
        events = own.groupby("k")["events"].mean()
        counts = ", ".join(f"{events[k]:.0f} with {k} studies" for k in STUDIES if k in events)
        parts.append(
            f"### Risk {100 * risk:g} %, odds ratio {ratio:g}\n\nEvents on average: {counts}.\n\n"
            f"{markdown(coverage_table(own, METHODS))}\n\n"
        )
    parts.append(
        "## Prediction intervals\n\nThe probability that the interval holds the odds ratio of a "
        "new study, in per cent. Where tau² is 0 every study has the typical odds ratio. No "
        "interval is given below three studies with an estimate.\n\n"
        f"{markdown(summary(news, PREDICTIONS))}\n\n"
    )
    for risk in RISKS:
        own = news[(news["risk"] == risk) & (news["odds_ratio"] == 1.0)]
        title = f"### Risk {100 * risk:g} %, odds ratio 1"
        parts.append(f"{title}\n\n{markdown(coverage_table(own, PREDICTIONS))}\n\n")
    rare = table[table["risk"] == RISKS[0]]
    few, many = rare[rare["k"] == FEW], rare[rare["k"] == max(STUDIES)]
    parts.append(
        f"## {FEW} studies with rare events\n\n{few_words(few, many)}\nFigures parted by / are "
        f"those of tau² 0, 0.1 and 0.5.\n\n{markdown(few_table(few))}\n\n"
    )
    return "".join([*parts, OUTRO])


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smaller size, to a temporary file")
    parser.add_argument("--output", type=Path, help=f"the page (default {PAGE.name})")
    options = parser.parse_args(arguments)
    replicates, fits = QUICK if options.quick else FULL
    output = options.output or PAGE
    if options.quick and options.output is None:
        output = Path(tempfile.mkdtemp(prefix="meta-validation-")) / PAGE.name
    table = simulate(replicates, fits, scenes())
    output.write_text(page(table, replicates, fits), encoding="utf-8", newline="")
    print(f"written: {output}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
