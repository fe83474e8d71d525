"""The cut-off in resamples: how far it moves, and limits by subsampling.

The best cut-off of a smooth association converges at the rate n^(1/3), to a limit that is not
normal (Kim and Pollard 1990); the bootstrap is inconsistent there (Abrevaya and Huang 2005).
Subsamples of m rows without replacement give limits if m grows with n while m / n falls to 0.

References
----------
Kim J, Pollard D (1990). Cube root asymptotics. Annals of Statistics 18, 191-219.
Politis DN, Romano JP (1994). Large sample confidence regions based on subsamples under minimal
assumptions. Annals of Statistics 22, 2031-2050.
Abrevaya J, Huang J (2005). On the bootstrap of the maximum score estimator. Econometrica 73,
1175-1204.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.options import draw_count, real
from rnetstats._core.random import CHUNK, chunk_generators, resolve_seed
from rnetstats._core.result import Result
from rnetstats.formatting import fmt_interval, fmt_number, fmt_percent
from rnetstats.formula.variables import Floats
from rnetstats.kernels.maxstat import best_cut, best_cut_survival
from rnetstats.kernels.percentiles import MOST_UNDEFINED
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.prediction.cutpoint_rows import CutpointRows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rnetstats.prediction.cutpoints import CutpointResult

__all__ = ["CutpointDistribution", "resampled_cuts"]

_EVENTS = 5  # events (and non-events) that a subsample must hold on average for limits


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CutpointDistribution(Result):
    """The cut-offs chosen in resamples of the data.

    Attributes
    ----------
    table : DataFrame
        ``cut, count, share, cumulative``, a row a distinct cut-off.
    summary : dict
        ``estimate, resamples, undefined, size, share_at_estimate, q025, q25, median, q75, q975,
        conf_low, conf_high``.
    label : str
    """

    table: pd.DataFrame
    summary: dict[str, Any]
    label: str

    def to_frame(self) -> pd.DataFrame:
        """Return ``cut, count, share, cumulative``."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: quantiles of the chosen cut-off, and its limits if there are any."""
        return pd.DataFrame([self.summary])

    def display(self) -> pd.DataFrame:
        """Return the distribution in one row of text."""
        s = self.summary
        shown = {
            "Cut-off": fmt_number(s["estimate"], 2),
            "chosen again in": fmt_percent(s["share_at_estimate"]),
            "middle half of resamples": fmt_interval(s["q25"], s["q75"]),
            "95 % of resamples": fmt_interval(s["q025"], s["q975"]),
            f"{100 * self.options['conf_level']:g} % CI": fmt_interval(
                s["conf_low"], s["conf_high"]
            ),
        }
        return pd.DataFrame([shown])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw how often each cut-off was chosen."""
        from rnetstats.plots.cutpoint import cut_distribution
        from rnetstats.plots.style import marked

        axes = cut_distribution(
            self.table, chosen=self.summary["estimate"], label=self.label, ax=ax
        )
        return marked(axes, self.synthetic)


def resampled_cuts(
    result: CutpointResult,
    rows: CutpointRows,
    *,
    resamples: int,
    fraction: float | None,
    seed: int | None,
) -> CutpointDistribution:
    """Search the cut-off again in bootstrap samples or in subsamples.

    See :meth:`rnetstats.prediction.cutpoints.CutpointResult.resampling`.
    """
    draws = draw_count("resamples", resamples, minimum=2)
    share = (
        None if fraction is None else real("fraction", fraction, low=0.0, high=1.0, closed=False)
    )
    drawn = resolve_seed(seed)
    whole = rows.expanded()
    n = whole.x.size
    size = n if share is None else min(max(2, round(share * n)), n - 1)
    cuts = np.empty(draws)
    for part, rng in chunk_generators(drawn, draws, CHUNK):
        counts = _counts(rng, n, part.stop - part.start, None if share is None else size)
        cuts[part] = _cuts(whole, result.options, result.table.iloc[0], counts)
    known = np.sort(cuts[np.isfinite(cuts)])
    summary = _summary(result.estimate, known, draws, size)
    low = high = np.nan
    notes = [_what(share, size, n)]
    if share is not None:
        problem = _too_few(whole, result.options["time"], size, known.size, draws)
        if problem:
            notes.append(problem)
        else:
            low, high = _limits(
                known, result.estimate, n, size, result.options["conf_level"], whole.x
            )
    if known.size < draws:
        notes.append(
            f"{draws - known.size} of {draws} resamples had no cut-off (one outcome only, or no "
            "split allowed); shares are of the others."
        )
    return CutpointDistribution(
        table=_table(known),
        summary={**summary, "conf_low": low, "conf_high": high},
        label=result.labels["marker"],
        synthetic=result.synthetic,
        seed=drawn,
        notes=tuple(notes),
        options={
            **result.options,
            "resamples": draws,
            "fraction": share,
        },
    )


def _counts(rng: np.random.Generator, n: int, draws: int, size: int | None) -> np.ndarray:
    """How often each row stands in each resample (draws, n)."""
    if size is None:
        return bootstrap_counts(rng, n, draws)
    keys = rng.random((draws, n))
    return np.asarray(keys <= np.partition(keys, size - 1, axis=1)[:, size - 1 : size], dtype=int)


def _cuts(
    rows: CutpointRows, options: dict[str, Any], row: pd.Series, counts: np.ndarray
) -> Floats:
    """Chosen cut-offs (draws,), reported as the estimate is."""
    youden = options["method"] == "youden"
    upward = youden and str(row["rule"]).startswith(f"{row['marker']} >= ")
    given: dict[str, Any] = {
        "method": "youden" if youden else "maxstat",
        "direction": options["direction"],
        "minprop": options["minprop"],
        "maxprop": options["maxprop"],
        "report": "above" if upward else "below",
    }
    if rows.y is not None:
        return best_cut(rows.y, rows.x, counts, **given)
    assert rows.stop is not None and rows.event is not None
    return best_cut_survival(
        rows.stop, rows.event, rows.x, counts, horizon=options["time"], **given
    )


def _table(known: Floats) -> pd.DataFrame:
    values, count = np.unique(known, return_counts=True)
    share = count / max(known.size, 1)
    return pd.DataFrame(
        {"cut": values, "count": count, "share": share, "cumulative": np.cumsum(share)}
    )


def _summary(estimate: float, known: Floats, draws: int, size: int) -> dict[str, Any]:
    names = {"q025": 0.025, "q25": 0.25, "median": 0.5, "q75": 0.75, "q975": 0.975}
    found = np.full(len(names), np.nan)
    if known.size:
        found = np.quantile(known, list(names.values()), method="inverted_cdf")
    return {
        "estimate": estimate,
        "resamples": draws,
        "undefined": draws - known.size,
        "size": size,
        "share_at_estimate": float(np.mean(known == estimate)) if known.size else np.nan,
        **dict(zip(names, found.tolist(), strict=True)),
    }


def _limits(
    known: Floats, estimate: float, n: int, size: int, conf_level: float, x: Floats
) -> tuple[float, float]:
    """Limits by subsampling at the rate n^(1/3), kept within the marker's range."""
    tail = (1.0 - conf_level) / 2.0
    spread = size ** (1 / 3) * (np.quantile(known, [tail, 1.0 - tail]) - estimate)
    low, high = estimate - spread[::-1] / n ** (1 / 3)
    return float(max(low, x.min())), float(min(high, x.max()))


def _too_few(rows: CutpointRows, time: float | None, size: int, known: int, draws: int) -> str:
    """Say why there are no limits, or nothing."""
    events = rows.events if time is None or rows.stop is None else rows.events * (rows.stop <= time)
    n, count = rows.x.size, float(events.sum())
    fewest = min(count, n - count) if rows.y is not None else count
    if fewest * size / n < _EVENTS:
        return (
            f"No limits: a subsample of {size} rows holds {fewest * size / n:.1f} of the rarer "
            f"outcome on average, fewer than {_EVENTS}."
        )
    if draws - known > MOST_UNDEFINED * draws:
        return f"No limits: {draws - known} of {draws} subsamples had no cut-off."
    return ""


def _what(share: float | None, size: int, n: int) -> str:
    if share is None:
        return (
            "Bootstrap samples show how far the chosen cut-off moves. They give no confidence "
            "limits: a cut-off converges at the rate n^(1/3), where the bootstrap is inconsistent; "
            "fraction= gives limits by subsampling."
        )
    return (
        f"Subsamples of {size} of {n} rows without replacement; limits take the rate n^(1/3) "
        "(Politis and Romano 1994), for a smooth association and a marker without steps, and stay "
        "within the marker's range. They hold for subsamples that are many rows but a small share; "
        "try several fractions."
    )
