"""A risk model in a file: strict JSON, written whole or not at all, never pickled."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rnetstats.errors import OptionError, OutputError, ReadError
from rnetstats.kernels.same_times import one_time

if TYPE_CHECKING:
    from rnetstats.prediction.model import RiskModel

__all__ = ["checked_performance", "load", "save"]

Model = TypeVar("Model", bound="RiskModel")


def save(model: RiskModel, path: str | os.PathLike[str]) -> None:
    """Write a model beside its place, then move it there."""
    text = json.dumps(model.to_dict(), allow_nan=False, ensure_ascii=False, indent=1)
    place = Path(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{place.name[:40]}-", dir=place.parent)
    except OSError as error:
        raise OutputError(_refused(place, error)) from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(place)
    except OSError as error:
        raise OutputError(_refused(place, error)) from None
    finally:
        temporary.unlink(missing_ok=True)


def load(kind: type[Model], path: str | os.PathLike[str]) -> Model:
    """Read a model back, or say what is wrong with the file."""
    place = Path(path)
    try:
        stored = json.loads(place.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ReadError(f"The model {place.name!r} cannot be read: {reason}.") from None
    except (ValueError, RecursionError):  # neither UTF-8 nor JSON, or brackets without end
        raise ReadError(f"{place.name!r} is no JSON file.") from None
    if not isinstance(stored, dict) or stored.get("type") != kind.__name__:
        raise ReadError(f"{place.name!r} holds no {kind.__name__} written by save().")
    try:
        return kind.from_dict(stored)
    except ReadError as error:
        raise ReadError(f"{place.name!r}: {error}") from None


def checked_performance(
    performance: Mapping[str, Mapping[str, float]], horizon: float | None
) -> dict[str, dict[str, float]]:
    """Return a validation's summary as plain numbers, index by index.

    ``horizon`` is that of the model; a summary of risks by another one is refused.
    """
    if not isinstance(performance, Mapping) or not performance:
        raise OptionError(
            "performance is a mapping of indices to numbers by name; performance() of what "
            "validate() returns is one."
        )
    found: dict[str, dict[str, float]] = {}
    for index, numbers in performance.items():
        if not isinstance(numbers, Mapping):
            raise OptionError(f"performance[{index!r}] must be a mapping of numbers by name.")
        for name, value in numbers.items():
            if isinstance(value, bool) or not isinstance(value, Real):
                raise OptionError(f"performance[{index!r}][{name!r}] is no number: {value!r}.")
        found[str(index)] = {
            str(name): float(value) for name, value in numbers.items() if not math.isnan(value)
        }
        _check_horizon(found[str(index)].get("horizon"), horizon)
    return found


def _check_horizon(judged: float | None, horizon: float | None) -> None:
    if judged is None or (horizon is not None and one_time(judged, horizon)):
        return
    own = "the risk of an outcome without a time."
    if horizon is not None:
        own = f"risks by {horizon:g}. Validate it with time={horizon:g}."
    raise OptionError(f"This performance is that of risks by {judged:g}; the model gives {own}")


def _refused(place: Path, error: OSError) -> str:
    reason: Any = error.strerror or type(error).__name__
    return f"The model cannot be written to {place.name!r}: {reason}."
