"""The result of :func:`rnetstats.treatment_effect`: its tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.options import choice, items_of, real
from rnetstats._core.result import Result
from rnetstats.errors import DataError, OptionError
from rnetstats.kernels.same_times import one_time
from rnetstats.survival.kaplan_meier import KaplanMeierResult
from rnetstats.treatment.effect_curves import (
    draw_arms,
    draw_landmarks,
    draw_strategies,
    simon_makuch,
)
from rnetstats.treatment.effect_table import display_table, landmark_table, listed
from rnetstats.treatment.patients import Patients
from rnetstats.treatment.words import CLONE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["TreatmentEffectResult", "above_zero", "landmark_times"]

KINDS = ("simon-makuch", "landmark", CLONE, "landmarks", "table")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TreatmentEffectResult(Result):
    """Effects of a treatment during follow-up; see :func:`treatment_effect`.

    Attributes
    ----------
    table : DataFrame
        One row a measure; see :meth:`to_frame`.
    person_time : dict
        ``total, before, share, median_delay``: the time before treatment that the naive comparison
        counts as treated.
    weights : DataFrame
        ``group, time, at_risk, n, total, mean, min, max, ess``: patients at risk beyond the end of
        the grace period and the horizon, clones among them that are still in the arm, and their
        weights; ``total`` is how many patients they stand for, ``ess`` how many they are worth.
        Empty without clone-censor-weight.
    positivity : DataFrame
        ``covariate, level, n, n_treated``: patients at risk at the end of the grace period.
    strategies : DataFrame
        ``group, time, n_risk, n_event, n_censor, survival, conf_low, conf_high``.
    simon : KaplanMeierResult or None
    after_landmarks : tuple of KaplanMeierResult
        One for each landmark in ``options["landmark_curves"]``.
    labels : dict
    summary : dict
    patients : Patients or None
        Patient rows; never written.
    """

    table: pd.DataFrame
    person_time: dict[str, float]
    weights: pd.DataFrame
    positivity: pd.DataFrame
    strategies: pd.DataFrame
    simon: KaplanMeierResult | None
    after_landmarks: tuple[KaplanMeierResult, ...]
    labels: dict[str, str]
    summary: dict[str, Any]
    patients: Patients | None = field(default=None, metadata={"rows": True})

    def to_frame(self) -> pd.DataFrame:
        """Return one row a measure.

        Returns
        -------
        DataFrame
            ``method, estimand`` (in words), ``endpoint, measure, n_treated, n_untreated,
            n_excluded, events_treated, events_untreated, estimate, conf_low, conf_high, p_value,
            horizon, landmark, limits, reason``. Counts are patients and events of the rows
            compared; for clone-censor-weight clones never censored for departing, and their events
            by the horizon. ``reason`` says why an estimate, or its limits and P, are missing.
        """
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: patients, events, delays, person-time misclassified by the naive row."""
        return pd.DataFrame([self.summary])

    def display(self, *, short: bool = True) -> pd.DataFrame:
        """Return the table as text; risks in per cent, differences of risks in points.

        Parameters
        ----------
        short : bool
            Leave out what each row compares, which ``notes`` say under the row's number; else the
            sentences stand in the table.
        """
        return display_table(self.table, self.options["conf_level"], short=short)

    def simon_makuch(self, since: float = 0.0) -> pd.DataFrame:
        """Return curves with the treatment as it changes during follow-up.

        Parameters
        ----------
        since : float
            Start the curves at this time, among patients free of the event and followed then. At
            the start of follow-up few have been treated, and one early event among them moves the
            whole curve.

        Returns
        -------
        DataFrame
            ``group, time, n_risk, n_event, n_censor, survival, std_error, conf_low, conf_high``.
            A patient is at risk in "not yet treated" until the treatment and in "treated" from
            then on. A curve is of no patient's course: nobody is treated from the start.

        Raises
        ------
        DataError
            If an arm has no time at risk.
        DataNotKeptError
            For another start, after reading back from JSON.
        OptionError
            If ``since`` is no time.
        """
        if since == 0.0:
            return self._simon().to_frame()
        patients = self._need("patients", "Curves from another start")
        found = simon_makuch(
            patients,
            since=float(patients.moments(above_zero("since", since))),
            conf_level=self.options["conf_level"],
            synthetic=self.synthetic,
        )
        if found is None:
            raise DataError(f"No treated or no untreated patient is at risk after {since:g}.")
        return found.to_frame()

    def landmark_curve(self, landmarks: Sequence[float] | None = None) -> pd.DataFrame:
        """Return the hazard ratio over landmarks, with 20 events or more.

        Parameters
        ----------
        landmarks : sequence of float, optional
            By default those of the call.

        Returns
        -------
        DataFrame
            ``landmark, measure, n_treated, n_untreated, n_excluded, events_treated,
            events_untreated, estimate, conf_low, conf_high, p_value, reason``.

        Raises
        ------
        TooFewEventsError
            With fewer than 20 events.
        DataNotKeptError
            After reading back from JSON.
        OptionError
            If a landmark is no time.

        References
        ----------
        van Houwelingen HC, Putter H (2012). Dynamic Prediction in Clinical Survival Analysis.
        Chapman & Hall.
        """
        patients = self._need("patients", "A curve over landmarks")
        times = landmark_times(self.options["landmarks"] if landmarks is None else landmarks)
        times = tuple(dict.fromkeys(patients.moments(times).tolist()))
        return landmark_table(patients, times, self.options["conf_level"])

    def plot(
        self,
        ax: Axes | None = None,
        *,
        kind: str = "simon-makuch",
        landmark: float | None = None,
        **options: Any,
    ) -> Axes:
        """Draw curves of the two arms.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; by default on a new figure.
        kind : {"simon-makuch", "landmark", "clone-censor-weight", "landmarks", "table"}
            Curves with the changing treatment; from a landmark on; of the two strategies; hazard
            ratios over the landmarks (20 events or more); all estimates, each under its estimand.
        landmark : float, optional
            For ``kind="landmark"``, one of those of the call; by default the first.
        **options
            Those of :func:`rnetstats.plots.curves.survival_curves`, for curves.

        Returns
        -------
        Axes

        Raises
        ------
        DataError
            If an arm of the curves has no patient.
        OptionError
            If there is no such curve.
        """
        choice("kind", kind, KINDS)
        conf_level = self.options["conf_level"]
        if kind == "table":
            from rnetstats.plots.estimands import estimand_list
            from rnetstats.plots.style import marked

            return marked(estimand_list(listed(self.display(short=False)), ax=ax), self.synthetic)
        if kind == "landmarks":
            return draw_landmarks(
                self.landmark_curve(),
                self.labels["unit"] or self.labels["time"],
                ax,
                conf_level=conf_level,
                synthetic=self.synthetic,
            )
        if kind == CLONE:
            if self.strategies.empty:
                raise OptionError(f"The methods of this result do not include {CLONE!r}.")
            return draw_strategies(
                self.strategies,
                self.labels,
                ax,
                conf_level=conf_level,
                synthetic=self.synthetic,
                **options,
            )
        if kind == "simon-makuch":
            options.setdefault("title", "Treatment as it changes (Simon-Makuch)")
            return draw_arms(self._simon(), ax, **options)
        since, curves = self._after(landmark)
        return draw_arms(curves, ax, since=since, **options)

    def _simon(self) -> KaplanMeierResult:
        if self.simon is None:
            raise DataError("Treated or untreated patients have no time at risk: no curves.")
        return self.simon

    def _after(self, landmark: float | None) -> tuple[float, KaplanMeierResult]:
        known = list(self.options["landmark_curves"])
        if not known:
            raise DataError("No landmark of this result has patients in both arms: no curves.")
        wanted = known[0] if landmark is None else real("landmark", landmark)
        wanted = next((time for time in known if one_time(time, wanted)), wanted)
        if wanted not in known:
            listed = ", ".join(f"{time:g}" for time in known)
            raise OptionError(f"landmark={landmark!r} has no curves; those at {listed} have.")
        return wanted, self.after_landmarks[known.index(wanted)]


def landmark_times(landmarks: Sequence[float]) -> tuple[float, ...]:
    """Return landmarks in order, each once and above 0."""
    if landmarks is None:
        raise OptionError("landmarks must be a list of times, not None.")
    times = [above_zero("landmarks", time) for time in items_of(landmarks)]
    return tuple(sorted(dict.fromkeys(times)))


def above_zero(name: str, value: float) -> float:
    """Return a finite number above 0."""
    number = real(name, value)
    if number <= 0.0:
        raise OptionError(f"{name} must be above 0, not {value!r}.")
    return number
