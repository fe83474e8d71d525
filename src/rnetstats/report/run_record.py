"""The record of a run: versions, seed, options, and which file was read."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rnetstats import __version__
from rnetstats._core.json import encode
from rnetstats.report.pages import write_json
from rnetstats.report.placing import MADE_BY, RECORD, files_in
from rnetstats.studies.study_result import StudyResult

__all__ = ["base_record", "run_record", "write_record"]

_PACKAGES = (
    "numpy",
    "pandas",
    "scipy",
    "statsmodels",
    "lifelines",
    "formulaic",
    "matplotlib",
    "jinja2",
    "tqdm",
)


def run_record(result: StudyResult, *, source: dict[str, Any] | None) -> dict[str, Any]:
    """Return what is needed to repeat a run; files by name, never by path.

    Parameters
    ----------
    result : StudyResult
    source : dict, optional
        ``file`` and ``sha256`` of the input; None for a synthetic cohort.
    """
    return {
        **base_record(),
        "study": result.study,
        "synthetic": result.synthetic,
        "seed": result.seed,
        "options": encode(result.options),
        "input": source,
    }


def base_record() -> dict[str, Any]:
    """Return what every run's record holds: who made it, and the versions behind it."""
    return {
        "made_by": MADE_BY,
        "package_version": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def write_record(target: Path, run: dict[str, Any]) -> None:
    """Write the record of a run, as the last file of its report.

    It names the report's own files, so that a later run knows what somebody else put among them.
    """
    write_json(target / RECORD, {**run, "files": files_in(target)})
