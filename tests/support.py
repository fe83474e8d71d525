"""Reference cases and inputs for the tests."""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

HERE = Path(__file__).parent / "reference"


@cache
def golden(topic: str) -> list[dict[str, Any]]:
    """All cases of a topic."""
    return json.loads((HERE / "golden" / f"{topic}.json").read_text(encoding="utf-8"))


def case(topic: str, name: str) -> dict[str, Any]:
    """One case by its id."""
    return next(c for c in golden(topic) if c["id"] == name)


def case_ids(topic: str) -> list[str]:
    """The ids of a topic's cases, for parametrisation."""
    return [c["id"] for c in golden(topic)]


def data_path(name: str) -> Path:
    """The path of an input; skips where the file may not be redistributed and is not at hand."""
    local = HERE / "data" / name
    if local.exists():
        return local
    folder = os.environ.get("RNETSTATS_REFERENCE")
    if not folder:
        pytest.skip(f"{name} may not be redistributed; set RNETSTATS_REFERENCE to its folder")
    return Path(folder) / "data" / name


def read(name: str, **options: Any) -> pd.DataFrame:
    """One input as a frame."""
    return pd.read_csv(data_path(name), **options)


def numbers(values: Any) -> np.ndarray:
    """Golden numbers as floats: "NA", "Inf" and "-Inf" are texts in the files."""
    if isinstance(values, dict):
        values = list(values.values())
    words = {"NA": np.nan, "Inf": np.inf, "-Inf": -np.inf}
    nested = np.asarray(values, dtype=object)
    flat = [words.get(v, v) if isinstance(v, str) else v for v in nested.ravel()]
    return np.asarray(flat, dtype=float).reshape(nested.shape)


@contextmanager
def at_once(seconds: float) -> Iterator[None]:
    """Fail where the body takes many times what it should; a bound of its order, no measurement.

    Of processor time, in which the garbage that other tests have left is not collected.
    """
    gc.disable()
    began = time.process_time()
    try:
        yield
    finally:
        gc.enable()
    assert time.process_time() - began < seconds


def assert_close(actual: Any, expected: Any, *, rel: float = 1e-8, floor: float = 1e-10) -> None:
    """Compare with a relative tolerance and an absolute floor; NaN and infinities must agree."""
    np.testing.assert_allclose(
        np.asarray(actual, dtype=float), numbers(expected), rtol=rel, atol=floor, equal_nan=True
    )
