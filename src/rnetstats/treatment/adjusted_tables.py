"""Adjusted curves and their contrasts as frames."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.kernels.percentiles import percentile_limits, percentile_p
from rnetstats.treatment.adjusted_rows import AdjustedRows
from rnetstats.treatment.draws import Draws

__all__ = ["contrast_table", "curve_table"]

Floats = NDArray[np.float64]

BOOTSTRAP = "g-formula (Cox), bootstrap percentile"
NO_LIMITS = "g-formula (Cox), no limits"


def curve_table(
    adjusted: AdjustedRows, whole: Floats, drawn: Floats | None, conf_level: float
) -> pd.DataFrame:
    """Write the curves, with pointwise percentile limits.

    Parameters
    ----------
    adjusted : AdjustedRows
    whole : array of shape (L, k + 1)
        Survival after 0, 1, ... k event times.
    drawn : array of shape (B, L, k) or None
    conf_level : float
    """
    parts = []
    for code, name in enumerate(adjusted.names):
        none = np.full(adjusted.rows.grid.size, np.nan)
        low, high, error = none, none, none
        if drawn is not None:
            low, high = percentile_limits(drawn[:, code], conf_level)
            error = np.nanstd(drawn[:, code], axis=0, ddof=1)
        parts.append(
            pd.DataFrame(
                {
                    "group": name,
                    "time": adjusted.rows.grid,
                    "n_event": adjusted.events_at[code],
                    "survival": whole[code, 1:],
                    "std_error": error,
                    "conf_low": low,
                    "conf_high": high,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def contrast_table(
    adjusted: AdjustedRows, whole: Floats, draws: Draws | None, conf_level: float
) -> pd.DataFrame:
    """Write the measures in the order of :meth:`StandardisedRows.measures`.

    Parameters
    ----------
    adjusted : AdjustedRows
    whole : array of shape (1, L, k + 1)
    draws : Draws or None
    conf_level : float
    """
    frame = pd.DataFrame(_kinds(adjusted), columns=["measure", "group", "reference", "time"])
    scale = frame["measure"].to_numpy()
    values = adjusted.rows.measures(whole)[0]
    none = np.full(len(frame), np.nan)
    low, high, error, p = none, none, none, none
    method = np.full(len(frame), NO_LIMITS)
    if draws is not None:
        low, high = percentile_limits(draws.values, conf_level)
        shown = np.array(draws.values)
        risks = scale == "risk"
        shown[:, risks] = _plain(shown[:, risks], scale[risks])
        known = np.isfinite(shown)
        several = known.sum(axis=0) > 1
        error = np.array(none)
        finite = np.where(known, shown, np.nan)[:, several]
        error[several] = np.nanstd(finite, axis=0, ddof=1)
        contrast = (frame["reference"] != "").to_numpy()
        p = np.where(contrast, [percentile_p(v, 0.0) for v in draws.values.T], np.nan)
        # before the first event no resample differs from another: that is no certainty
        early = (frame["time"] < adjusted.first_event).to_numpy()
        low, high, error, p = (np.where(early, np.nan, v) for v in (low, high, error, p))
        method = np.where(early, NO_LIMITS, BOOTSTRAP)
    frame["estimate"] = _plain(values, scale)
    frame["conf_low"], frame["conf_high"] = _plain(low, scale), _plain(high, scale)
    frame["std_error"], frame["p_value"] = error, p
    frame["method"] = method
    return frame


def _kinds(adjusted: AdjustedRows) -> list[tuple[str, str, str, float]]:
    first, *others = adjusted.names
    times, tau = adjusted.times.tolist(), adjusted.rows.tau
    rows = [("risk", name, "", t) for name in adjusted.names for t in times]
    for measure in ("risk difference", "risk ratio"):
        rows += [(measure, name, first, t) for name in others for t in times]
    rows += [("RMST", name, "", tau) for name in adjusted.names]
    rows += [("RMST difference", name, first, tau) for name in others]
    return rows


def _plain(values: Floats, scale: NDArray[np.object_]) -> Floats:
    """Bring values (..., m) back from the logit (risks) and log (ratios) scale."""
    found = np.array(values, dtype=float)
    risk, ratio = scale == "risk", scale == "risk ratio"
    with np.errstate(over="ignore"):
        found[..., risk] = 1.0 / (1.0 + np.exp(-found[..., risk]))
        found[..., ratio] = np.exp(found[..., ratio])
    return found
