"""Designs of the logistic reference cases, built by hand from their plain description."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from support import read


class LogisticCase(NamedTuple):
    """Design with the intercept first, outcome, frequency weights, values from R."""

    X: np.ndarray
    y: np.ndarray
    freq: np.ndarray | None
    values: dict[str, Any]


def logistic_case(case: dict[str, Any]) -> LogisticCase:
    spec, values = case["spec"], case["values"]
    frame = _frame(case)
    columns: dict[str, np.ndarray] = {}
    for term in spec["terms"]:
        columns |= _term(frame, term, case)
    for pair in spec.get("interactions", []):
        first, second = pair.split(":")
        for level in spec["factor_levels_first_is_reference"][second][1:]:
            columns[f"{pair}{level}"] = columns[first] * columns[f"{second}{level}"]
    X = np.column_stack([np.ones(len(frame)), *columns.values()])
    if spec.get("grouped"):
        events = frame["Menarche"].to_numpy(float)
        counts = np.append(events, frame["Total"] - events)
        y = np.repeat([1.0, 0.0], len(frame))
        return LogisticCase(np.vstack([X, X]), y, counts, values)
    weights = spec.get("frequency_weights")
    freq = None if weights is None else frame[weights].to_numpy(float)
    return LogisticCase(X, frame[spec["outcome"]].to_numpy(float), freq, values)


def _frame(case: dict[str, Any]) -> pd.DataFrame:
    frame, spec = read(case["data"]), case["spec"]
    kept = {"method != other": "method != 'other'", "nlr not missing": "nlr.notna()"}
    if "rows" in spec:
        frame = frame.query(kept[spec["rows"]]).reset_index(drop=True)
    if "derived" in spec:
        frame = frame.assign(bwt_ug=frame["age"] * 1e6, lwt_tiny=frame["lwt"] * 1e-5)
    return frame


def _term(frame: pd.DataFrame, term: str, case: dict[str, Any]) -> dict[str, np.ndarray]:
    spec, values = case["spec"], case["values"]
    levels = spec.get("factor_levels_first_is_reference", {})
    if term in levels:
        text = frame[term].astype(str)
        return {
            f"{term}{level}": (text == str(level)).to_numpy(float) for level in levels[term][1:]
        }
    if term.startswith("log("):
        return {term: np.log(frame[term[4:-1]].to_numpy(float))}
    x = frame[term].to_numpy(float)
    if "spline" in spec and term == "lwt":
        low, high = values.get("boundary_knots", (None, None))
        knots = [k for k in (low, *values["knots"], high) if k is not None]
        return {f"lwt{j}": column for j, column in enumerate(restricted_cubic(x, knots).T)}
    return {term: x}


def restricted_cubic(x: np.ndarray, knots: list[float]) -> np.ndarray:
    """Linear term and k - 2 cubic ones, divided by the squared range of the knots (Harrell)."""
    last, before = knots[-1], knots[-2]

    def cube(knot: float) -> np.ndarray:
        return np.maximum(x - knot, 0.0) ** 3

    parts = [
        cube(knot)
        - cube(before) * (last - knot) / (last - before)
        + cube(last) * (before - knot) / (last - before)
        for knot in knots[:-2]
    ]
    return np.column_stack([x, *(part / (last - knots[0]) ** 2 for part in parts)])


def small_data(
    seed: int, n: int = 60, p: int = 3, beta: float = 0.7
) -> tuple[np.ndarray, np.ndarray]:
    """Draw an intercept, normal and 0/1 columns, and an outcome that depends on them."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, p - 1))])
    X[:, -1] = rng.random(n) < 0.4
    margin = -0.5 + beta * X[:, 1]
    return X, (rng.random(n) < 1 / (1 + np.exp(-margin))).astype(float)
