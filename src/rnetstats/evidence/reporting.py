"""Items of reporting and of risk of bias: what a document's figures can answer, the rest left open.

Three instruments: STROBE (22 items, cohort studies), PROBAST+AI (34 signalling questions on a
prediction model) and ROBINS-I (seven domains of a comparison that was not randomised). A facts
file answers an item in a table ``[reporting.strobe]``, ``[reporting.probast_ai]`` or
``[reporting.robins_i]``, naming the figures that the answer rests on; ``docs/facts.md`` shows how.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd

from rnetstats.errors import FactsError, closest
from rnetstats.evidence.facts import FactSheet
from rnetstats.evidence.facts_words import only

__all__ = ["Instrument", "instruments", "reporting_items"]

OPEN, OPEN_BASIS = "open", "not in the facts"
NOT_APPLICABLE, ALL = "not applicable", "all"

_COLUMNS = ("instrument", "item", "question", "answer", "basis", "facts")
_ANSWER_KEYS = ("answer", "facts", "basis")


@dataclass(frozen=True)
class Instrument:
    """One instrument: its items by number, and the answers that it allows.

    Attributes
    ----------
    key, name, source : str
    answers : tuple of str
    questions : mapping of str to str
        Item to ``"Heading: question"``, in the instrument's order.
    """

    key: str
    name: str
    source: str
    answers: tuple[str, ...]
    questions: Mapping[str, str]


@cache
def instruments() -> tuple[Instrument, ...]:
    """Return the instruments in the order in which they are shown."""
    text = files("rnetstats.evidence").joinpath("reporting_items.toml").read_text(encoding="utf-8")
    return tuple(
        Instrument(
            key=body["id"],
            name=body["name"],
            source=body["source"],
            answers=tuple(body["answers"]),
            questions={item["id"]: f"{item['part']}: {item['question']}" for item in body["item"]},
        )
        for body in tomllib.loads(text)["instrument"]
    )


def reporting_items(sheet: FactSheet) -> pd.DataFrame:
    """List every item with the answer that the figures allow.

    Parameters
    ----------
    sheet : FactSheet
        As :func:`rnetstats.read_facts` gives it.

    Returns
    -------
    DataFrame
        ``instrument, item, question, answer, basis, facts``: one row an item, all text. An item
        that the file does not answer is ``open`` with the basis ``not in the facts``. An
        instrument that the file declares not applicable has one row, item ``all``. ``facts`` are
        the keys of the figures that an answer rests on, parted by commas.

    Raises
    ------
    FactsError
        If an answer names an instrument, an item, an answer or a figure that does not exist, or
        does not say what it rests on.

    References
    ----------
    von Elm E, Altman DG, Egger M, et al. Lancet 2007;370:1453 (STROBE). Moons KGM, Damen JAA,
    Kaul T, et al. BMJ 2025;388:e082505 (PROBAST+AI). Sterne JAC, Hernan MA, Reeves BC, et al. BMJ
    2016;355:i4919 (ROBINS-I).

    Examples
    --------
    >>> import rnetstats as rn
    >>> from rnetstats.evidence.reporting import reporting_items
    >>> items = reporting_items(rn.read_facts("duan2024"))
    >>> items.loc[items["item"] == "4", ["instrument", "answer", "facts"]].iloc[0].tolist()
    ['strobe', 'yes', 'design']
    """
    place = f"{sheet.source or 'the facts given'}, [reporting"
    known = {instrument.key: instrument for instrument in instruments()}
    for key in sheet.reporting:
        if key not in known:
            raise FactsError(
                f"{place}.{key}]: there is no instrument {key!r}; they are {', '.join(known)}."
                f"{closest(key, known)}"
            )
    rows = [
        row
        for key, instrument in known.items()
        for row in _rows(instrument, sheet.reporting.get(key, {}), sheet, f"{place}.{key}]")
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _rows(instrument: Instrument, body: Any, sheet: FactSheet, where: str) -> list[tuple[str, ...]]:
    """Return the rows of one instrument."""
    if not isinstance(body, Mapping):
        raise FactsError(
            f"{where} is not a table; write [reporting.{instrument.key}] and below it "
            '"1" = { ... }.'
        )
    if not _applies(body, where):
        return [(instrument.key, ALL, instrument.name, NOT_APPLICABLE, body["basis"], "")]
    answers = {item: body[item] for item in body if item != "applies"}
    only(answers, tuple(instrument.questions), where, "items")
    return [
        (instrument.key, item, question, *_answer(answers[item], instrument, sheet, where, item))
        if item in answers
        else (instrument.key, item, question, OPEN, OPEN_BASIS, "")
        for item, question in instrument.questions.items()
    ]


def _applies(body: Mapping[str, Any], where: str) -> bool:
    """Whether the instrument applies; if not, the table holds the reason and nothing else."""
    applies = body.get("applies", True)
    if not isinstance(applies, bool):
        raise FactsError(f"{where}: applies is {applies!r}; write applies = false or leave it out.")
    if applies:
        return True
    only(body, ("applies", "basis"), where, "keys when it does not apply")
    _text(body.get("basis"), f"{where}, basis", "say why the instrument does not apply")
    return False


def _answer(
    body: Any, instrument: Instrument, sheet: FactSheet, where: str, item: str
) -> tuple[str, str, str]:
    """Return answer, basis and facts of one item, checked."""
    place = f"{where}, item {item}"
    if not isinstance(body, Mapping):
        raise FactsError(
            f'{place} is not a table; write "{item}" = {{ answer = "...", facts = ["..."], '
            'basis = "..." }.'
        )
    only(body, _ANSWER_KEYS, place, "keys")
    answer = _text(body.get("answer"), f"{place}, answer", "write the answer in quotes")
    if answer not in instrument.answers:
        raise FactsError(
            f"{place}: {answer!r} is no answer of {instrument.key}; they are "
            f"{', '.join(instrument.answers)}.{closest(answer, instrument.answers)} Leave the item "
            "out to keep it open."
        )
    basis = _text(body.get("basis"), f"{place}, basis", "say in a sentence why")
    return answer, basis, ", ".join(_facts(body.get("facts"), sheet, f"{place}, facts"))


def _facts(keys: Any, sheet: FactSheet, place: str) -> tuple[str, ...]:
    """Return the keys of the figures that an answer rests on."""
    if not isinstance(keys, list | tuple) or not keys or not all(isinstance(k, str) for k in keys):
        raise FactsError(
            f'{place} must list the figures that the answer rests on, such as ["patients"]; '
            "without any, leave the item out."
        )
    for key in keys:
        if key not in sheet.facts:
            raise FactsError(f"{place}: there is no figure {key!r}.{closest(key, sheet.facts)}")
    return tuple(keys)


def _text(value: Any, place: str, remedy: str) -> str:
    """Return a text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise FactsError(f"{place} is missing or empty; {remedy}.")
    return value
