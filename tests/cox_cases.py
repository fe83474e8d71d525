"""Reference cases of the Cox model as arrays."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from rnetstats.kernels.cox import CoxFit, cox_likelihood, fit_cox
from rnetstats.kernels.cox_residuals import FittedCox, fitted_cox
from rnetstats.kernels.risksets import RiskSets, prepare
from support import case, read

DERIVED = {
    "1 + age mod 3": lambda d: 1.0 + d["age"] % 3,
    "0.5 + (age mod 5)/4": lambda d: 0.5 + (d["age"] % 5) / 4,
}


@dataclass(frozen=True, eq=False)
class CoxCase:
    """One reference case: inputs, and the fit."""

    values: dict[str, Any]
    frame: pd.DataFrame
    X: np.ndarray
    columns: tuple[str, ...]
    start: np.ndarray | None
    stop: np.ndarray
    event: np.ndarray
    strata: np.ndarray | None
    cluster: np.ndarray | None
    case: np.ndarray | None
    ties: str
    firth: bool
    terms: tuple[tuple[int, ...], ...]

    @property
    def sets(self) -> RiskSets:
        return prepare(self.start, self.stop, self.event, self.strata)

    def fit(self) -> CoxFit:
        return _fit(self)

    def likelihood(self):
        return cox_likelihood(self.X, self.sets, case=self.case, ties=self.ties, firth=self.firth)

    def fitted(self) -> FittedCox:
        return fitted_cox(self.likelihood(), self.fit().coef[0])

    def row(self, covariates: dict[str, Any]) -> np.ndarray:
        """The design row of one set of covariates."""
        return design(pd.DataFrame([covariates]), self._spec())[0][0]

    def _spec(self) -> dict[str, Any]:
        return self.values["_spec"]


@cache
def cox_case(topic: str, name: str) -> CoxCase:
    entry = case(topic, name)
    spec = entry["spec"]
    frame = read(entry["data"])
    if spec.get("rows") == "ph.ecog not missing":
        frame = frame[frame["ph.ecog"].notna()].reset_index(drop=True)
    if "esd" in spec["terms"]:
        frame["esd"] = (frame["method"] == "ESD").astype(int)
    X, columns, terms = design(frame, spec)
    *start, stop, event = spec["outcome"]
    strata = spec.get("strata")
    weights = spec.get("weights")
    found = re.search(r'ties = "(\w+)"', entry["call"])
    return CoxCase(
        values=entry["values"] | {"_spec": spec},
        frame=frame,
        X=X,
        columns=columns,
        start=frame[start[0]].to_numpy(float) if start else None,
        stop=frame[stop].to_numpy(float),
        event=_event(frame, event),
        strata=None if strata is None else pd.factorize(frame[strata], sort=True)[0],
        cluster=None if "cluster" not in spec else pd.factorize(frame[spec["cluster"]])[0],
        case=None if weights is None else DERIVED[weights](frame).to_numpy(float),
        ties=found.group(1) if found else "breslow",
        firth=topic == "cox_firth",
        terms=terms,
    )


def design(frame: pd.DataFrame, spec: dict[str, Any]):
    """Columns of a case: main effects, factors against their first level, then interactions."""
    columns: list[np.ndarray] = []
    names: list[str] = []
    terms: list[tuple[int, ...]] = []
    levels = spec.get("factor_levels_first_is_reference", {})
    for term in spec["terms"]:
        first = len(columns)
        if term in levels:
            for level in levels[term][1:]:
                columns.append((frame[term] == level).to_numpy(float))
                names.append(f"{term}{level}")
        else:
            values = frame[term]
            if values.dtype == object or isinstance(values.dtype, pd.StringDtype):
                values = pd.factorize(values, sort=True)[0]
            columns.append(np.asarray(values, dtype=float))
            names.append(term)
        terms.append(tuple(range(first, len(columns))))
    for term in spec.get("interactions", []):
        a, b = term.split(":")
        columns.append(columns[names.index(a)] * columns[names.index(b)])
        names.append(term)
        terms.append((len(columns) - 1,))
    return np.column_stack(columns), tuple(names), tuple(terms)


def _event(frame: pd.DataFrame, text: str) -> np.ndarray:
    name, _, literal = text.partition(" == ")
    values = frame[name].to_numpy()
    return values == float(literal) if literal else values.astype(bool)


@cache
def _fit(item: CoxCase) -> CoxFit:
    return fit_cox(item.X, item.sets, case=item.case, ties=item.ties, firth=item.firth)
