"""A risk calculator: one offline page made of a risk model, if its validation allows it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rnetstats.errors import OptionError, OutputError, ReadError, RnetError
from rnetstats.formatting import file_name
from rnetstats.prediction.model import RiskModel
from rnetstats.report.calculator_page import GENERATOR, calculator_page
from rnetstats.report.calculator_rules import Judged, checked_force, judge_model

__all__ = ["calculator"]

_HEAD = 4096  # characters in which an earlier calculator names its maker


def calculator(
    model: RiskModel | str | os.PathLike[str],
    *,
    output: str | os.PathLike[str],
    force: Sequence[str] | str = (),
) -> Path:
    """Write a calculator of the risk of one patient: an HTML page that needs no network.

    Parameters
    ----------
    model : RiskModel or path
        With its performance attached (``with_performance(validate(...).performance())``), or the
        JSON file that ``save()`` wrote.
    output : path
        The page. An earlier calculator is replaced, any other file is left as it is.
    force : sequence of str
        Names of rules (``"performance", "slope", "calibration", "in-the-large",
        "discrimination"``) to be passed over. The page then says in red at its top which rule
        the model does not meet.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OptionError
        If the model does not meet a rule that was not forced, a name to be forced is unknown, or
        the model is one that a page cannot compute.
    ReadError
        If the file cannot be read or holds no RiskModel.
    OutputError
        If the page cannot be written.

    Notes
    -----
    The page computes what ``model.predict(outside="flag")`` does, limits included, and never
    extrapolates. It holds the model's numbers and no patient.

    References
    ----------
    Van Calster B, McLernon DJ, van Smeden M, Wynants L, Steyerberg EW (2019). Calibration: the
    Achilles heel of predictive analytics. BMC Medicine 17:230.
    Bonnett LJ, Snell KIE, Collins GS, Riley RD (2019). Guide to presenting clinical prediction
    models for use in clinical practice. BMJ 365:l737.

    Examples
    --------
    >>> import tempfile
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> fit = rn.logistic(cohort, "margin_positive ~ location + nlr")
    >>> checked = rn.validate(fit, resamples=50, seed=1)
    >>> model = rn.risk_model(fit).with_performance(checked.performance())
    >>> page = rn.calculator(model, output=f"{tempfile.mkdtemp()}/calculator.html")
    >>> page.name
    'calculator.html'
    """
    forced = checked_force(force)
    target = _checked_target(output)
    found, source, made_with = _read(model)
    try:
        judged = judge_model(found)
        _refuse_failing(judged, forced)
        page = calculator_page(found, judged, source=source, made_with=made_with)
    except RnetError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        if not source:
            raise
        raise ReadError(f"{source!r} is damaged: {type(error).__name__} ({error}).") from None
    _write(target, page)
    return target


def _read(model: RiskModel | str | os.PathLike[str]) -> tuple[RiskModel, str, str]:
    """Return the model, its file's name and the version that wrote it."""
    if isinstance(model, RiskModel):
        return model, "", ""
    if not isinstance(model, str | os.PathLike):
        raise OptionError(
            f"calculator() takes a RiskModel or the path of its JSON file, not a "
            f"{type(model).__name__}; risk_model() makes one of a fit."
        )
    path = Path(model)
    found = RiskModel.load(path)
    stored = json.loads(path.read_text(encoding="utf-8"))
    return found, file_name(path), str(stored.get("package_version", ""))


def _refuse_failing(judged: tuple[Judged, ...], forced: tuple[str, ...]) -> None:
    failing = [item for item in judged if item.met is False and item.rule.name not in forced]
    if not failing:
        return
    told = "; ".join(f"{item.rule.name}: {item.found}" for item in failing)
    names = " ".join(item.rule.name for item in failing)
    hint = ""
    if failing[0].rule.name == "performance":
        hint = (
            " Attach one: model.with_performance(validate(fit).performance()), with time= for a "
            "Cox fit."
        )
    raise OptionError(
        f"No calculator is made of this model ({told}).{hint} For research it can be forced by "
        f"name (--force {names}); the page then says so in red."
    )


def _checked_target(output: str | os.PathLike[str]) -> Path:
    """Return the file to write, or say why it cannot be written; nothing is created."""
    if not isinstance(output, str | os.PathLike) or "\0" in os.fsdecode(output):
        raise OutputError(f"output must be the path of a file, not {output!r}.")
    target = Path(os.fsdecode(output))
    if not target.name:
        raise OutputError(f"{str(output)!r} names no file; write output='calculator.html'.")
    try:
        if target.is_dir():
            raise OutputError(f"{target.name!r} is a folder; name a file, as calculator.html.")
        if target.exists() and not _is_calculator(target):
            raise OutputError(
                f"{target.name!r} exists and is no calculator; it was left as it is. Choose "
                "another name."
            )
        parent = target.parent
        if not parent.is_dir():
            raise OutputError(f"The folder {str(parent)!r} of {target.name!r} does not exist.")
        if not os.access(parent, os.W_OK | os.X_OK):
            raise OutputError(f"{target.name!r} cannot be written: its folder is not writable.")
    except OSError as error:
        raise OutputError(_refusal(target, error)) from None
    return target


def _is_calculator(path: Path) -> bool:
    """Say whether a file is an earlier calculator, which may be replaced."""
    if not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        return f'name="generator" content="{GENERATOR} ' in file.read(_HEAD)


def _write(target: Path, page: str) -> None:
    """Write the page beside its place, then move it there."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}-", dir=target.parent)
    except OSError as error:
        raise OutputError(_refusal(target, error)) from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(page)
        temporary.chmod(0o644)
        temporary.replace(target)
    except OSError as error:
        raise OutputError(_refusal(target, error)) from None
    finally:
        temporary.unlink(missing_ok=True)


def _refusal(target: Path, error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    return f"The calculator cannot be written to {target.name!r}: {reason}."
