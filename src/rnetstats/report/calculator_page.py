"""The calculator's page: performance, form, nomogram, equation and notes as one HTML file."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from rnetstats import __version__
from rnetstats.formatting import fmt_count, fmt_percent
from rnetstats.prediction.model_tables import range_text
from rnetstats.report.calculator_fields import form_fields, levels_of_strata
from rnetstats.report.calculator_nomogram import drawn_nomogram
from rnetstats.report.calculator_numbers import page_numbers
from rnetstats.report.calculator_performance import all_indices, main_measures
from rnetstats.report.calculator_rules import Judged
from rnetstats.report.calculator_words import outcome_words, percent_of, within

if TYPE_CHECKING:
    from rnetstats.prediction.model import RiskModel

__all__ = ["GENERATOR", "calculator_page"]

GENERATOR = "rnetstats calculator"
_DIGITS = 8  # of the equation's coefficients
_STYLE = "style-src 'unsafe-inline'"


def calculator_page(
    model: RiskModel, judged: tuple[Judged, ...], *, source: str = "", made_with: str = ""
) -> str:
    """Return the page as HTML; every text of the model is escaped.

    Parameters
    ----------
    model : RiskModel
    judged : tuple of Judged
        The rules beside the model; those that are not met were forced.
    source : str
        Name of the model's file.
    made_with : str
        The version that wrote it.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    numbers = page_numbers(model)
    drawn = drawn_nomogram(model)
    script = files("rnetstats.report").joinpath("templates", "calculator.js").read_text("utf-8")
    environment = Environment(
        loader=PackageLoader("rnetstats.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_unbroken,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("calculator.html.j2").render(
        policy=_policy(script),
        generator=f"{GENERATOR} {__version__}",
        title=_question(model),
        synthetic=model.synthetic,
        made_from=_made_from(model),
        judged=judged,
        failed=[item for item in judged if item.met is False],
        measures=main_measures(model, judged),
        indices=all_indices(model),
        fields=form_fields(model),
        nomogram=None if drawn.svg is None else Markup(drawn.svg),  # noqa: S704 (drawn by us)
        turning=drawn.turning,
        no_nomogram=drawn.reason,
        equation=model.equation(_DIGITS),
        names=_names(model),
        notes=_notes(model),
        provenance=_provenance(model, source, made_with),
        numbers=Markup(_embedded(numbers)),  # noqa: S704 (no < or & is left in it)
        words=Markup(_embedded(_words(model))),  # noqa: S704
        script=Markup(script),  # noqa: S704 (our own file)
    )


def _policy(script: str) -> str:
    """Forbid the network and every script but the page's own."""
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; {_STYLE}; "
        "base-uri 'none'; form-action 'none'"
    )


def _embedded(content: Any) -> str:
    """JSON that ends no script element, whatever the texts in it."""
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))  # ASCII
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _unbroken(value: Any) -> Any:
    """Keep a number and its per cent sign on one line."""
    return value.replace(" %", "\u00a0%") if type(value) is str else value


def _question(model: RiskModel) -> str:
    return f"Risk of {outcome_words(model, inner=True)}{within(model)}"


def _made_from(model: RiskModel) -> str:
    summary = model.summary
    if "n" not in summary:
        return f"Model: {model.method}."
    events = summary.get("n_events_by_horizon", summary.get("n_events"))
    words = f"Made from {fmt_count(summary['n'])} patients"
    if events is not None:
        words += f", {fmt_count(events)} with the outcome{within(model)}"
    if "event_share" in summary:
        words += f" ({fmt_percent(summary['event_share'])})"
    return f"{words}. Model: {model.method}."


def _words(model: RiskModel) -> dict[str, Any]:
    """Texts that the script shows."""
    level = percent_of(model.conf_level)
    return {
        "question": _question(model),
        "outcome": outcome_words(model, inner=True) + within(model),
        "level": level.replace(" ", "\u00a0"),
        "labels": [[name, model.label(name)] for name in model.variables],
        "no_limits": "No limits: the model does not know how sure its coefficients are",
        "key": f"Each dot is one of 100 such patients; dark: with the outcome, pale: up to the "
        f"upper {level} limit. The limits tell how sure the model is of the risk, given its form; "
        "they do not tell who will have the outcome.".replace(" %", "\u00a0%"),
        "only": "Research use only. Not for decisions about a patient.",
        "refusal": "A risk would be a guess beyond the data. This page does not extrapolate.",
    }


def _names(model: RiskModel) -> list[tuple[str, str]]:
    """What the names in the equation stand for, with what the model knows of them."""
    found = []
    for name, about in model.variables.items():
        known = levels_of_strata(model) if about.get("stratum") else range_text(about)
        label = model.label(name)
        found.append((name, f"{label}: {known}" if label != name else known))
    return found


def _notes(model: RiskModel) -> list[str]:
    own = [
        f"Limits of the risk: {model.limits}." if model.limits else "The risk has no limits.",
        "A patient outside the range of any value, with an unknown level, or with values that no "
        "patient of the model had together (by leverage) gets no risk.",
    ]
    return [*own, *model.notes]


def _provenance(model: RiskModel, source: str, made_with: str) -> list[str]:
    text = json.dumps(model.to_dict()["fields"], sort_keys=True, allow_nan=False)
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    lines = [
        f"Made by rnetstats {__version__}; the page works without a network and sends nothing."
    ]
    told = f"Model{f' {source}' if source else ''}: {model.spec['formula']}"
    if made_with:
        told += f", written by rnetstats {made_with}"
    lines.append(f"{told}. Checksum (SHA-256) of its content: {digest}.")
    if model.options.get("source"):
        lines.append(f"Published in: {model.options['source']}.")
    if model.seed is not None:
        lines.append(f"Seed of its resamples: {model.seed}.")
    if model.synthetic:
        lines.append("SYNTHETIC DATA: the model's patients were drawn by a computer.")
    return lines
