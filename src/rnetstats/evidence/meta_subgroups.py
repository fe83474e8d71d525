"""Subgroups of studies: each pooled, and a test of their difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.distributions import chi_square_p
from rnetstats._core.result import Result
from rnetstats.errors import ColumnError, OptionError
from rnetstats.evidence.meta_display import digits_of, fmt_p_sign, pooled_rows, subgroup_rows
from rnetstats.evidence.meta_empty import NO_LIMITS, arms_of
from rnetstats.evidence.meta_heterogeneity import heterogeneity
from rnetstats.evidence.meta_measures import MEASURES
from rnetstats.evidence.meta_options import PoolOptions
from rnetstats.evidence.meta_pooling import Pools, pool_sets, pools_frame
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_p, fmt_percent
from rnetstats.formula.variables import level_text, read_variable
from rnetstats.kernels.meta_tau2 import tau_squared

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rnetstats.evidence.meta_result import MetaAnalysisResult

__all__ = ["SubgroupsResult", "subgroups"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SubgroupsResult(Result):
    """Pooled effects of groups of studies, and whether the groups differ.

    Attributes
    ----------
    measure, by : str
    groups : DataFrame
        One row a group: ``group, k``, the pooled effect with its limits, prediction interval and
        heterogeneity as in a meta-analysis, ``coef_common, std_error_common``.
    test : DataFrame
        ``model`` (``random effects``, ``common effect``), ``q_between, df, p_value``: chi-square,
        on the classical standard errors.
    studies : DataFrame
        The studies of the groups, with ``subgroup``.
    overall : DataFrame
        The rows of the forest plot for all studies together.
    """

    measure: str
    by: str
    groups: pd.DataFrame
    test: pd.DataFrame
    studies: pd.DataFrame
    overall: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return one row a group (a copy)."""
        return self.groups.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the groups and the test of their difference."""
        random, common = self.test.to_dict("records")
        return pd.DataFrame(
            {
                "measure": [self.measure],
                "by": self.by,
                "groups": len(self.groups),
                "k_used": int(self.groups["k"].sum()),
                "q_between": random["q_between"],
                "df": random["df"],
                "p_value": random["p_value"],
                "q_between_common": common["q_between"],
                "p_value_common": common["p_value"],
                "common_tau2": self.options["common_tau2"],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return one row a group as text, and the P of their difference."""
        digits = digits_of(self.measure)
        rows = [
            {
                self.by: row["group"],
                "Studies": fmt_count(row["k"]),
                self.measure: fmt_number(row["estimate"], digits),
                f"{100 * self.options['conf_level']:g} % CI": fmt_interval(
                    row["conf_low"], row["conf_high"], digits
                ),
                "Prediction interval": fmt_interval(row["pi_low"], row["pi_high"], digits),
                "tau²": fmt_number(row["tau2"], 3),
                "I²": fmt_percent(row["i2"], 0),
                "P of difference": fmt_p(self.test["p_value"].iloc[0]) if i == 0 else "",
            }
            for i, row in enumerate(self.groups.to_dict("records"))
        ]
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the forest plot with a diamond a group; ``options`` as of the meta-analysis."""
        from rnetstats.plots.meta_forest import meta_forest
        from rnetstats.plots.style import marked

        axes = meta_forest(
            self.studies,
            pd.concat([subgroup_rows(self), self.overall], ignore_index=True),
            measure=self.measure,
            conf_level=self.options["conf_level"],
            ax=ax,
            **options,
        )
        return marked(axes, self.synthetic)


def subgroups(result: MetaAnalysisResult, by: str, *, common_tau2: bool) -> SubgroupsResult:
    """Pool each group of studies; see :meth:`MetaAnalysisResult.subgroups`.

    Raises
    ------
    ColumnError
        If the column is absent or has one value only.

    References
    ----------
    Borenstein M, Higgins JPT (2013) Meta-analysis and subgroups. Prev Sci 14:134-143.
    """
    if not isinstance(common_tau2, bool):
        raise OptionError(f"common_tau2 must be True or False, not {common_tau2!r}.")
    if not isinstance(by, str):
        raise OptionError(f"by must be a column's name, not {by!r}.")
    used = result.studies["used"].to_numpy()
    codes, levels, notes = _groups(result, by, used)
    inside = codes >= 0
    y = result.studies["coef"].to_numpy()[used][inside]
    v = np.square(result.studies["std_error"].to_numpy()[used][inside])
    held = np.arange(len(levels))[:, None] == codes[inside]
    how, shared = result.pooling, {}
    if common_tau2:
        shared = _shared_tau2(y, v, held, how)
        notes.append("One tau2 for all groups: that of a meta-regression on the groups.")
    random = pool_sets(y, v, how, held, tau2=shared.get("tau2"))
    common = pool_sets(y, v, PoolOptions(0.0, "wald", None, how.conf_level), held)
    arms = arms_of(result.studies[used][inside])
    if arms is not None and (empty := arms.empty(held)).any():
        random = random.without_limits(empty)
        notes.append(NO_LIMITS)
    table = pools_frame(random, MEASURES[result.measure], how)
    table = table.assign(**shared)
    table.insert(0, "group", levels)
    table["coef_common"], table["std_error_common"] = common.coef, common.wald
    rows = result.studies[used][inside].assign(subgroup=np.array(levels)[codes[inside]])
    rows = rows.iloc[np.argsort(codes[inside], kind="stable")].reset_index(drop=True)
    single = (random.k == 1) & ~np.isnan(random.limits.low)
    if single.any():
        alone = [level for level, one in zip(levels, single, strict=True) if one]
        shown = ", ".join(alone[:4]) + (f" and {len(alone) - 4} more" if len(alone) > 4 else "")
        what = "Wald limits that include the tau2 of all groups" if shared else how.alone_text
        notes.append(f"One study alone in {shown}: {what}; no heterogeneity.")
    tests = [_between("random effects", random), _between("common effect", common)]
    return SubgroupsResult(
        measure=result.measure,
        by=by,
        groups=table,
        test=pd.DataFrame(tests),
        studies=rows,
        overall=_overall(result, by, tests[0]["p_value"]),
        notes=(
            *notes,
            "A difference between groups of studies is an observation: it may be due to "
            "whatever else the studies differ in.",
        ),
        options={**how.as_dict(), "common_tau2": common_tau2},
        synthetic=result.synthetic,
    )


def _groups(
    result: MetaAnalysisResult, by: str, used: np.ndarray
) -> tuple[np.ndarray, list[str], list[str]]:
    """Each used study's group (-1 without one), the groups in order, and what was left out."""
    variable = read_variable(result.columns_for("subgroups()"), by)
    codes, levels = variable.as_factor()
    codes = codes[used]
    present = [code for code in range(len(levels)) if (codes == code).any()]
    if len(present) < 2:
        raise ColumnError(
            f"Column {by!r} puts all studies into one group; subgroups take at least two."
        )
    if len(present) == int(used.sum()) and variable.is_numeric:
        raise ColumnError(
            f"Column {by!r} holds a different number for each study; take meta_regression({by!r})."
        )
    lost = int((codes < 0).sum())
    notes = [f"{by} is missing in {lost} of {len(codes)} studies: left out."] if lost else []
    place = {code: i for i, code in enumerate(present)}
    return (
        np.array([place.get(int(code), -1) for code in codes]),
        [level_text(levels[code]) for code in present],
        notes,
    )


def _shared_tau2(
    y: np.ndarray, v: np.ndarray, held: np.ndarray, how: PoolOptions
) -> dict[str, float]:
    """The variance within groups, taken as one, with its limits."""
    indicators = held.T.astype(float)
    given = None if isinstance(how.tau2, str) else np.asarray(how.tau2)
    tau2 = tau_squared(y, v, str(how.tau2), x=indicators) if given is None else given
    within = heterogeneity(y, v, np.asarray(tau2), how, x=indicators)
    return {name: float(within[name]) for name in ("tau2", "tau2_low", "tau2_high")}


def _overall(result: MetaAnalysisResult, by: str, p: float) -> pd.DataFrame:
    """The pooled rows of all studies; the test of the difference stands under them."""
    rows = pooled_rows(result)
    said = f"{rows['text'].iloc[0]}; difference by {by}: P {fmt_p_sign(p)}"
    return rows.assign(text=[said, *rows["text"].iloc[1:]])


def _between(model: str, pools: Pools) -> dict[str, Any]:
    """The weighted sum of squares of the groups' effects about their mean."""
    weight = 1.0 / np.square(pools.wald)
    mean = float((weight * pools.coef).sum() / weight.sum())
    q = float((weight * np.square(pools.coef - mean)).sum())
    df = len(pools.coef) - 1
    return {"model": model, "q_between": q, "df": df, "p_value": float(chi_square_p(q, df))}
