"""The result of a cumulative incidence: values at times, numbers at risk, tables and figures."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.options import choice
from rnetstats._core.result import Result
from rnetstats.errors import OptionError, closest
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, group_names
from rnetstats.formula.variables import level_text
from rnetstats.survival.curve_tables import risk_before, time_points
from rnetstats.survival.incidence_fit import INCIDENCE_COLUMNS
from rnetstats.survival.incidence_tables import incidence_at, joined_values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CumulativeIncidenceResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CumulativeIncidenceResult(Result):
    """Cumulative incidence curves, one a group and cause.

    Attributes
    ----------
    curves : DataFrame
        ``group, cause, time, n_risk, n_event, n_censor, incidence, std_error, conf_low,
        conf_high, method``; ``n_risk`` is counted just before the time, ``n_event`` are events of
        the cause, and ``method`` names the limits.
    free : DataFrame
        ``group, time, n_risk, n_event, n_censor, survival``: no event of any cause yet.
    counts : DataFrame
        ``group, cause, n, n_events, first_high``, the last the limit before the first time.
    entries : DataFrame or None
        ``group, time, n_enter`` for late entry.
    labels : dict
        ``time``, ``event`` and ``group`` as shown.
    meaning : dict
        What each cause means.
    n_missing : int
        Rows left out because a value was missing.
    synthetic : bool
        Whether the data say that they were drawn.
    """

    curves: pd.DataFrame
    free: pd.DataFrame
    counts: pd.DataFrame
    entries: pd.DataFrame | None = None
    labels: dict[str, str]
    meaning: dict[str, str]
    n_missing: int = 0
    synthetic: bool = False

    def _of(self, frame: pd.DataFrame, **keys: str) -> pd.DataFrame:
        for name, value in keys.items():
            frame = frame[frame[name] == value]
        return frame

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups, in order."""
        return tuple(dict.fromkeys(self.counts["group"]))

    @property
    def causes(self) -> tuple[str, ...]:
        """The causes shown, in order."""
        return tuple(dict.fromkeys(self.counts["cause"]))

    def to_frame(self) -> pd.DataFrame:
        """Return the curves; ``std_error`` is that of the incidence itself.

        It is 0 before a curve's first event, and missing in a curve without any.
        """
        return self.curves.loc[:, list(INCIDENCE_COLUMNS)].copy()

    def event_free(self) -> pd.DataFrame:
        """Return the probability of no event: ``group, time, n_risk, n_event, n_censor, survival``.

        With the incidences of all causes it adds up to 1. ``n_event`` counts every cause.
        """
        return self.free.copy()

    def at(self, times: float | Sequence[float], *, extend: bool = False) -> pd.DataFrame:
        """Return incidences at given times.

        Parameters
        ----------
        times : float or sequence of float
            In the unit of the data.
        extend : bool
            Carry the last value past a group's last time; by default it is missing there.

        Returns
        -------
        DataFrame
            ``group, cause, time, n_risk, incidence, std_error, conf_low, conf_high, method,
            event_free, beyond``; ``n_risk`` is counted just before the time, ``beyond`` marks
            times past the group's last one.

        Raises
        ------
        OptionError
            If a time is no number, or below 0.
        """
        points = time_points(times)
        risk = self.risk_table(times)
        parts = []
        for row in self.counts.to_dict("records"):
            keys = {"group": row["group"], "cause": row["cause"]}
            free = self._of(self.free, group=row["group"])
            curve = self._of(self.curves, **keys)
            part = incidence_at(curve, free, row["first_high"], points)
            part.insert(1, "n_risk", self._of(risk, group=row["group"])["n_risk"].to_numpy())
            for place, (name, value) in enumerate(keys.items()):
                part.insert(place, name, value)
            parts.append(part)
        found = pd.concat(parts, ignore_index=True)
        if not extend:
            values = ["incidence", "std_error", "conf_low", "conf_high", "event_free"]
            found.loc[found["beyond"], values] = np.nan
            found.loc[found["beyond"], "method"] = ""
        return found

    def risk_table(self, times: float | Sequence[float]) -> pd.DataFrame:
        """Return ``group, time, n_risk``: numbers at risk just before each time.

        Parameters
        ----------
        times : float or sequence of float
            In the unit of the data.

        Raises
        ------
        OptionError
            If a time is no number, or below 0.
        """
        points = time_points(times)
        parts = []
        for group in self.groups:
            entries = None if self.entries is None else self._of(self.entries, group=group)
            part = pd.DataFrame({"group": group, "time": points})
            part["n_risk"] = risk_before(self._of(self.free, group=group), entries, points)
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, the variance, the kind of limits and the last time."""
        first = self.counts["cause"] == self.causes[0]
        return pd.DataFrame(
            {
                "n": [self.counts.loc[first, "n"].sum()],
                "n_missing": self.n_missing,
                "n_events": self.counts["n_events"].sum(),
                "n_causes": len(self.causes),
                "n_groups": len(self.groups),
                "last_time": self.curves["time"].max(),
                "variance": self.options["variance"],
                "ci": self.options["ci"],
                "conf_level": self.options["conf_level"],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return a row for each group and cause: counts, and incidence at three round times."""
        from rnetstats.survival.ticks import round_times

        percent = f"{100 * self.options['conf_level']:g} % CI"
        table = pd.DataFrame(
            {
                self.labels["group"] or "Group": self.counts["group"],
                self.labels["event"]: [self.meaning[cause] for cause in self.counts["cause"]],
                "N": [fmt_count(n) for n in self.counts["n"]],
                "Events": [fmt_count(n) for n in self.counts["n_events"]],
            }
        )
        for time in round_times(self.curves["time"].max(), 4, self.labels["time"])[1:]:
            table[f"At {time:g} ({percent})"] = [
                _with_limits(row) for row in self.at(time).to_dict("records")
            ]
        return table

    def plot(self, ax: Axes | None = None, kind: str = "curves", **options: Any) -> Axes:
        """Draw the incidence curves, or with ``kind="stacked"`` the states adding up to 1.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; by default on a new figure.
        kind : {"curves", "stacked"}
        **options
            For curves those of :func:`rnetstats.plots.incidence.incidence_curves`, such as
            ``band``, ``y_high`` or ``names``, with ``cause`` (a code or several) to draw some of
            the causes and ``times`` for the ticks; for stacks ``group``, as in
            :meth:`plot_stacked`.

        Returns
        -------
        Axes
        """
        choice("kind", kind, ("curves", "stacked"))
        if kind == "stacked":
            return self.plot_stacked(ax, **options)
        from rnetstats.plots.incidence import incidence_curves
        from rnetstats.plots.style import marked
        from rnetstats.survival.ticks import round_times

        shown = self._asked("cause", options.pop("cause", None), self.causes)
        times = options.pop("times", None)
        if times is None:
            times = round_times(self.curves["time"].max(), 8, self.labels["time"])
        self._name_groups(options)
        axes = incidence_curves(
            self.curves[self.curves["cause"].isin(shown)],
            self.risk_table(times),
            self.counts,
            labels=self.labels,
            meaning=self.meaning,
            conf_level=self.options["conf_level"],
            ax=ax,
            **options,
        )
        return marked(axes, self.synthetic)

    def plot_stacked(
        self, ax: Axes | None = None, *, group: str | None = None, **options: Any
    ) -> Axes:
        """Draw the probability of each state over time, adding up to 1.

        Parameters
        ----------
        ax : Axes, optional
            For one group; several are drawn side by side on a new figure.
        group : str, optional
            One of the groups; by default all.
        **options
            Those of :func:`rnetstats.plots.stacked.stacked_incidence`: ``names``, ``times``.

        Returns
        -------
        Axes
            Of the first group.

        Raises
        ------
        OptionError
            If a cause was left out, or several groups are to share one ``ax``.
        """
        from rnetstats.plots.stacked import stacked_incidence
        from rnetstats.plots.style import marked
        from rnetstats.survival.ticks import round_times

        if self.options["cause"] is not None:
            raise OptionError(
                "States add up to 1 only with all causes: call cumulative_incidence() without "
                "cause=."
            )
        shown = self._asked("group", group, self.groups)
        if ax is not None and len(shown) > 1:
            raise OptionError(f"One ax holds one group: name it, as in group={shown[0]!r}.")
        times = options.pop("times", None)
        if times is None:
            times = round_times(self.curves["time"].max(), 6, self.labels["time"])
        self._name_groups(options)
        panels = stacked_incidence(
            joined_values(self.curves, self.free),
            list(shown),
            labels=self.labels,
            meaning=self.meaning,
            times=times,
            ax=ax,
            **options,
        )
        for axes in panels:
            marked(axes, self.synthetic)
        return panels[0]

    def _name_groups(self, options: dict[str, Any]) -> None:
        """Call the groups of a 0/1 column no and yes."""
        if "names" not in options:
            options |= {"names": group_names(self.groups)}

    def _asked(self, name: str, value: Any, known: tuple[str, ...]) -> tuple[str, ...]:
        """Return the groups or causes asked for, by default all."""
        if value is None:
            return known
        alone = isinstance(value, str) or not isinstance(value, Iterable)
        asked = [level_text(v) for v in ([value] if alone else value)]
        if not asked:
            raise OptionError(f"{name} is empty; this result has {', '.join(known)}.")
        for one in asked:
            if one not in known:
                raise OptionError(
                    f"{name}={one!r} is not in this result, which has {', '.join(known)}."
                    f"{closest(one, known)}"
                )
        return tuple(one for one in known if one in asked)


def _with_limits(row: Mapping[Hashable, Any]) -> str:
    if not np.isfinite(row["incidence"]):
        return fmt_number(row["incidence"])
    limits = fmt_interval(row["conf_low"], row["conf_high"], 3)
    return f"{fmt_number(row['incidence'], 3)} ({limits})"
