"""What each comparison of a treatment during follow-up estimates, in words."""

from __future__ import annotations

import pandas as pd

from rnetstats.formatting import inside
from rnetstats.treatment.patients import Patients

__all__ = ["CLONE", "LANDMARK", "METHODS", "NAIVE", "TIME_DEPENDENT", "Words"]

NAIVE, TIME_DEPENDENT = "naive", "time-dependent Cox"
LANDMARK, CLONE = "landmark", "clone-censor-weight"
METHODS = (NAIVE, TIME_DEPENDENT, LANDMARK, CLONE)


class Words:
    """The words for one data set: times in its unit, the event by its label."""

    def __init__(self, patients: Patients, grace: float, *, ever: bool) -> None:
        self.at = patients.at
        self.event = inside(patients.labels["event"])
        self.by_grace = f"treated by {self.at(grace)}"
        self.not_treated = "never treated" if ever else f"not treated by {self.at(grace)}"
        self.ever, self.grace = ever, grace
        covariates = patients.labels["covariates"]
        self.adjusted = f" (adjusted for {covariates})" if covariates else " (not adjusted)"

    def naive(self) -> str:
        """Ever against never from time zero."""
        return (
            f"Hazard of {self.event} in patients treated at some time against those never treated, "
            f"counted from time zero{self.adjusted}. No causal effect: the treated had to stay "
            "free of the event until their treatment"
        )

    def time_dependent(self) -> str:
        """Treated already against not yet treated."""
        return (
            f"Hazard of {self.event} at each time in patients already treated against patients not "
            f"yet treated, all free of the event until then{self.adjusted}"
        )

    def landmark(self, landmark: float) -> str:
        """Treated by the landmark or not, among those who reach it."""
        at = self.at(landmark)
        return (
            f"Hazard of {self.event} after {at} in patients treated by {at} against those not "
            f"treated by then (some are later), among patients free of the event and followed at "
            f"{at}{self.adjusted}"
        )

    def strategies(self, horizon: float) -> str:
        """Everybody treated by the end of the grace period against nobody."""
        other = (
            "if nobody were ever treated"
            if self.ever
            else f"if nobody were treated by {self.at(self.grace)} (afterwards as it happened)"
        )
        return (
            f"{self.event} by {self.at(horizon)} if all patients were treated by "
            f"{self.at(self.grace)} at the latest, against {other}{self.adjusted}"
        )

    def one_strategy(self, measure: str, horizon: float) -> str:
        """The risk or mean of a single strategy."""
        who = (
            f"all patients were treated by {self.at(self.grace)} at the latest"
            if not measure.endswith("untreated")
            else (
                "nobody were ever treated"
                if self.ever
                else f"nobody were treated by {self.at(self.grace)}"
            )
        )
        what = "Time free of" if measure.startswith("RMST") else "Risk of"
        return f"{what} {self.event} by {self.at(horizon)} if {who}{self.adjusted}"

    def contrast(self, measure: str, horizon: float) -> str:
        """Any measure of the two strategies."""
        if measure.endswith("treated"):
            return self.one_strategy(measure, horizon)
        start = {
            "risk difference": "Difference in risk of",
            "risk ratio": "Ratio of the risks of",
            "RMST difference": "Difference in mean time free of",
            "HR": "Mean hazard ratio of",
        }[measure]
        return f"{start} {self.strategies(horizon)}"

    def named(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a frame of both strategies with their names, ``group``, for ``arm``."""
        group = frame["arm"].map({1: self.by_grace, 0: self.not_treated})
        return frame.drop(columns="arm").assign(group=group)[["group", *frame.columns[1:]]]
