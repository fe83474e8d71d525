"""The result of a meta-analysis of proportions: rows, text and figure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.evidence.meta_display import fmt_p_sign
from rnetstats.evidence.meta_options import PREDICTIONS
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MetaProportionsResult"]

_RARE = 0.05  # below it, percentages are given with two decimals


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MetaProportionsResult(Result):
    """Pooled proportions; see :func:`rnetstats.meta_proportions`.

    Attributes
    ----------
    transform : str
    studies : DataFrame
        One row a series: ``study, events, n``, ``subgroup`` if groups were asked for, ``estimate``
        (the crude proportion) with exact limits, ``coef`` and ``std_error`` on the scale of
        analysis (not for the model), ``weight`` and ``weight_common`` in per cent (of the model,
        shares of information), ``used``, ``note``.
    pooled : DataFrame
        Rows ``random effects``, ``common effect`` and ``crude`` (the sums, with exact limits):
        ``estimate``, limits, prediction interval, ``coef``, ``std_error`` (that of the limits),
        ``std_error_wald``, ``df``, ``method``; ``back_n`` with Freeman and Tukey's. Exact rows
        have limits alone.
    heterogeneity : DataFrame
        One row: ``tau2`` with limits, ``q, q_df, q_p``, ``i2`` from Q with limits, ``i2_tau2``,
        ``h2`` and ``h2_tau2``. Of the model, Q is the likelihood-ratio statistic; ``q_wald``
        stands beside.
    groups : DataFrame
        One row a group, as the pooled row with its heterogeneity; empty without ``by``.
    test : DataFrame
        ``test, statistic, df, p_value`` of the groups' difference; empty without ``by``.
    """

    transform: str
    studies: pd.DataFrame
    pooled: pd.DataFrame
    heterogeneity: pd.DataFrame
    groups: pd.DataFrame
    test: pd.DataFrame

    @property
    def estimate(self) -> float:
        """The pooled proportion, with random effects."""
        return float(self.pooled["estimate"].iloc[0])

    @property
    def conf_low(self) -> float:
        """Lower limit of the pooled proportion."""
        return float(self.pooled["conf_low"].iloc[0])

    @property
    def conf_high(self) -> float:
        """Upper limit of the pooled proportion."""
        return float(self.pooled["conf_high"].iloc[0])

    @property
    def tau2(self) -> float:
        """Variance between series, on the scale of analysis."""
        return float(self.heterogeneity["tau2"].iloc[0])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a series (a copy)."""
        return self.studies.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the pooled proportion, its prediction interval, and heterogeneity.

        ``i2`` is (Q - df) / Q, ``i2_tau2`` the share of tau2 in tau2 and the typical variance of
        a study, which R's metafor calls I^2; both are shares of 1.
        """
        row, crude = self.pooled.iloc[0], self.studies[self.studies["used"]]
        names = ("estimate", "conf_low", "conf_high", "pi_low", "pi_high")
        tail = ("tau2", "tau2_low", "tau2_high", "i2", "i2_tau2", "h2", "q", "q_df", "q_p")
        spread = self.heterogeneity.iloc[0]
        between = self.test["p_value"].iloc[0] if len(self.test) else None
        return pd.DataFrame(
            {
                "measure": ["proportion"],
                "transform": self.transform,
                "k": len(self.studies),
                "k_used": len(crude),
                "events": int(crude["events"].sum()),
                "n": int(crude["n"].sum()),
                **{name: float(row[name]) for name in names},
                **{name: float(spread[name]) for name in tail},
                **({} if between is None else {"p_groups": float(between)}),
                "method": row["method"],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return series, groups and pooled proportions as text."""
        digits = self._digits()
        rows = [
            self._line(row["study"], row, digits, row["weight"], row["note"])
            for row in self.studies.to_dict("records")
        ]
        rows += [
            self._line(f"{self.options['by']}: {row['group']}", row, digits)
            for row in self.groups.to_dict("records")
        ]
        rows += [
            self._line(row["label"], row, digits, note=row["text"])
            for row in self._pooled_rows().to_dict("records")
        ]
        crude = self.pooled.iloc[2].to_dict()
        sums = self.studies[["events", "n"]].dropna().sum().to_dict()
        rows.append(self._line("Crude, exact limits", {**crude, **sums}, digits))
        shown = pd.DataFrame(rows)
        empty = [name for name in ("Note", "Weight, %") if not any(shown[name])]
        return shown.drop(columns=empty)

    def _line(
        self,
        label: str,
        row: dict[Any, Any],
        digits: int,
        weight: float = math.nan,
        note: Any = "",
    ) -> dict[str, str]:
        counts = not math.isnan(row.get("events", math.nan) + row.get("n", math.nan))
        known = not math.isnan(row["estimate"])
        return {
            "Study": label,
            "Events / n": f"{fmt_count(row['events'])} / {fmt_count(row['n'])}" if counts else "",
            "Proportion, %": fmt_number(100.0 * row["estimate"], digits) if known else "",
            f"{100 * self.options['conf_level']:g} % CI": fmt_interval(
                100.0 * row["conf_low"], 100.0 * row["conf_high"], digits
            ),
            "Weight, %": "" if math.isnan(weight) else fmt_number(weight, 1),
            "Note": note,
        }

    def _digits(self) -> int:
        return 2 if min(self.estimate, 1.0 - self.estimate) < _RARE else 1

    def _pooled_rows(self) -> pd.DataFrame:
        """What was pooled over all series, as a forest plot takes it."""
        random, common, _ = self.pooled.to_dict("records")
        ends = ("estimate", "conf_low", "conf_high")
        if self.heterogeneity["tau2"].isna().all():
            label = f"Pooled: {random['method']}"
            return pd.DataFrame(
                [{"label": label, "kind": "common", "text": "", **{e: random[e] for e in ends}}]
            )
        words = "logistic model" if self.transform == "glmm" else self.transform
        rows = [
            {
                "label": f"Random effects ({words})",
                "kind": "random",
                "text": self._spread_text(),
                **{name: random[name] for name in ends},
            }
        ]
        if not math.isnan(random["pi_low"]):
            rows.append(
                {
                    "label": f"Prediction interval ({PREDICTIONS[self.options['prediction']]})",
                    "kind": "prediction",
                    "text": "",
                    "estimate": math.nan,
                    "conf_low": random["pi_low"],
                    "conf_high": random["pi_high"],
                }
            )
        both = {name: common[name] for name in ends}
        rows.append({"label": "Common effect", "kind": "common", "text": "", **both})
        return pd.DataFrame(rows)

    def _spread_text(self) -> str:
        h = self.heterogeneity.iloc[0]
        if not h["q_df"] >= 1:
            return ""
        digits = 2 if self.transform in ("glmm", "logit", "log") else 4
        text = (
            f"tau² = {fmt_number(h['tau2'], digits)}, I² = {fmt_percent(h['i2'], 0)}, "
            f"Q = {fmt_number(h['q'])} on {fmt_count(h['q_df'])} df (P {fmt_p_sign(h['q_p'])})"
        )
        if len(self.test) and self.test["p_value"].notna().all():
            p = fmt_p_sign(self.test["p_value"].iloc[0])
            text += f"; difference by {self.options['by']}: P {p}"
        return text

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the forest plot; for ``options`` see :mod:`rnetstats.plots.meta_forest`."""
        from rnetstats.plots.meta_forest import meta_forest
        from rnetstats.plots.style import marked

        rows = self.studies.rename(columns={"events": "events_1", "n": "n_1"})
        if rows["weight"].isna().all():
            rows = rows.drop(columns=["weight", "weight_common"])
        pooled = self._pooled_rows()
        if len(self.groups):
            order = {group: i for i, group in enumerate(self.groups["group"])}
            rows = rows.sort_values("subgroup", key=lambda s: s.map(order), kind="stable")
            rows["subgroup"] = rows["subgroup"].replace("", "(no group)")
            text = [
                "" if math.isnan(t) else f"tau² = {fmt_number(t)}, I² = {fmt_percent(i2, 0)}"
                for t, i2 in zip(self.groups["tau2"], self.groups["i2"], strict=True)
            ]
            group = self.groups[["estimate", "conf_low", "conf_high"]].assign(
                label=self.groups["group"], subgroup=self.groups["group"], text=text
            )
            pooled = pd.concat([group.assign(kind="subgroup"), pooled], ignore_index=True)
        axes = meta_forest(
            rows,
            pooled,
            measure="proportion",
            conf_level=self.options["conf_level"],
            ax=ax,
            **{"digits": self._digits(), **options},
        )
        return marked(axes, self.synthetic)
