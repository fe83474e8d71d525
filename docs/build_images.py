"""Draw the README's picture from the embedded synthetic cohort.

    python docs/build_images.py

writes ``docs/images/recurrence_by_margin.png``: the same bytes each time with the same matplotlib.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

import rnetstats as rn

IMAGES = Path(__file__).parent / "images"
DPI = 110
LAST = 121.0  # months; later than this fewer than 15 are at risk in a group


def recurrence_by_margin(path: Path) -> None:
    """Draw time to recurrence by margin with beta product limits."""
    cohort = rn.load_cohort("duan2024")
    formula = "Surv(dfs_months, recurrence) ~ margin_positive"
    curve = rn.kaplan_meier(cohort, formula, ci="bpcp")
    axes = curve.plot(
        censor=False,
        y_low=0.6,
        names={"0": "negative margin", "1": "positive margin"},
        y_label="Free of recurrence",
        counted="recurrences",
    )
    axes.set_xlim(0.0, LAST)
    axes.set_xlabel("Months since the first resection (a death ends the follow-up)")
    axes.set_title(
        f"Time to recurrence in the synthetic cohort of {len(cohort)} patients",
        loc="left",
        fontsize=11,
    )
    figure = axes.get_figure(root=True)
    figure.savefig(
        path, dpi=DPI, bbox_inches="tight", facecolor="white", metadata={"Software": None}
    )
    plt.close(figure)


def main() -> None:
    """Write every image."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    recurrence_by_margin(IMAGES / "recurrence_by_margin.png")


if __name__ == "__main__":
    main()
