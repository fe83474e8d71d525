"""The printed figures of a document, each with its standing, read from one TOML file.

``docs/audit.md`` explains the file with examples, and ``rnetstats audit --template`` writes one.
Its tables and keys, all others being refused:

``schema``
    1, the version of this layout.
``[study]``
    ``name`` and ``title``, required; ``short_title``, ``citation``, ``design``: text.
``[facts.KEY]``
    ``label``: what the figure is, in words. ``value``: the figure exactly as printed, a string,
    so that ``"25.0"`` keeps its zero; ``""`` when it is unknown. ``unit``. ``standing``: one of
    :data:`STANDINGS`. ``where``: where it stands, or the arithmetic; ``""`` only when unknown.
    ``depends_on``: keys of the figures that it follows from, required for a derived one.
    ``note``: anything else.
``[[checks]]``
    ``kind``, optionally ``label``, and the kind's own fields
    (:mod:`rnetstats.evidence.facts_kinds`).
``[reporting.INSTRUMENT]``
    Answers to items of reporting and of risk of bias (:mod:`rnetstats.evidence.reporting`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rnetstats.errors import FactsError, closest
from rnetstats.evidence.facts_file import FactsSource, read_content
from rnetstats.evidence.facts_kinds import Check
from rnetstats.evidence.facts_schema import STANDINGS, checked_content
from rnetstats.evidence.facts_words import with_minus

__all__ = ["STANDINGS", "Check", "Fact", "FactSheet", "read_facts"]

_ONE = {"patients": "patient", "studies": "study", "tumours": "tumour", "months": "month"}


@dataclass(frozen=True)
class Fact:
    """One figure as it stands in print.

    Attributes
    ----------
    key, label : str
    value : str
        The figure exactly as printed; empty when it is unknown.
    unit : str
    standing : {"printed", "derived", "inferred", "unknown", "chosen"}
    where : str
        The document, or the arithmetic, that the figure comes from.
    depends_on : tuple of str
        Keys of the figures that it follows from.
    note : str
    """

    key: str
    label: str
    value: str
    unit: str
    standing: str
    where: str
    depends_on: tuple[str, ...] = ()
    note: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value != ""

    @property
    def number(self) -> float:
        """The figure as a number."""
        try:
            return float(self.value)
        except ValueError:
            raise FactsError(
                f"The fact {self.key!r} is {self.value!r}, not a number."
                if self.known
                else f"The fact {self.key!r} is unknown, so it is not a number."
            ) from None

    @property
    def count(self) -> int:
        """The figure as a count."""
        number = self.number
        if not number.is_integer():
            raise FactsError(f"The fact {self.key!r} is {self.value!r}, not a count.")
        return int(number)

    @property
    def counts(self) -> tuple[int, ...]:
        """Several counts in one figure, such as ``"213 / 199 / 113 / 2"``."""
        try:
            return tuple(int(part) for part in self.value.split("/"))
        except ValueError:
            raise FactsError(
                f"The fact {self.key!r} is {self.value!r}, not counts parted by '/'."
            ) from None

    @property
    def decimals(self) -> int:
        """How many decimals are printed."""
        return len(self.value.partition(".")[2])

    @property
    def text(self) -> str:
        """The figure with its unit, as a reader would see it; empty when unknown.

        A unit that the value ends in is not said again; one patient is not "1 patients".
        """
        if not self.known or (self.unit and self.value.rstrip().endswith(self.unit)):
            return with_minus(self.value.strip())
        unit = _ONE.get(self.unit, self.unit) if self.value.strip() == "1" else self.unit
        return with_minus(f"{self.value} {unit}".strip())


@dataclass(frozen=True)
class FactSheet:
    """A study's bibliographic line, its figures and the checks that they allow.

    Attributes
    ----------
    name, title, short_title, citation, design : str
    facts : mapping of str to Fact
    checks : tuple of Check
    reporting : mapping
        Answers to items of reporting, as the file states them.
    source : str
        Name of the file.
    """

    name: str
    title: str
    short_title: str
    citation: str
    design: str
    facts: Mapping[str, Fact]
    checks: tuple[Check, ...] = ()
    reporting: Mapping[str, Any] = field(default_factory=dict)
    source: str = field(default="", compare=False)

    def __getitem__(self, key: str) -> Fact:
        if key not in self.facts:
            raise FactsError(f"No fact {key!r} is recorded.{closest(key, self.facts)}")
        return self.facts[key]


def read_facts(source: str | Path | Mapping[str, Any] | FactSheet) -> FactSheet:
    """Read and check the printed figures of a document.

    Parameters
    ----------
    source : str, path, mapping or FactSheet
        A facts file (``"paper.toml"``), a study of the package (``"duan2024"``), a package that
        holds a ``facts.toml`` (``"rnetstats.studies.duan2024"``), or the file's content as a
        mapping.

    Returns
    -------
    FactSheet
        ``sheet["key"]`` is a :class:`Fact` with ``.value``, ``.number``, ``.count``,
        ``.decimals``; ``sheet.checks`` are the checks that the file asks for.

    Raises
    ------
    FactsError
        If the file cannot be read, or a table, key or value is not as the schema says; the
        message names the file, the table and the key, and says what to write.

    References
    ----------
    TOML v1.0.0 (2021), the language of the file. Brown NJL, Heathers JAJ (2017) The GRIM test. Soc
    Psychol Personal Sci 8:363-369 (why digits are kept as printed).

    Examples
    --------
    >>> import rnetstats as rn
    >>> sheet = rn.read_facts("duan2024")
    >>> sheet["recurrence_percent"].value, sheet["recurrence_percent"].standing
    ('2.2', 'printed')
    """
    if isinstance(source, FactSheet):
        return source
    origin: FactsSource = read_content(source)
    study, bodies, checks = checked_content(origin.content, origin.name)
    return FactSheet(
        facts=MappingProxyType({key: Fact(key=key, **body) for key, body in bodies.items()}),
        checks=checks,
        reporting=_reporting(origin),
        source=origin.name,
        **study,
    )


def _reporting(origin: FactsSource) -> Mapping[str, Any]:
    answers = origin.content.get("reporting", {})
    if not isinstance(answers, Mapping):
        raise FactsError(
            f"{origin.name}: reporting is no table; write [reporting.strobe] and its items below."
        )
    return answers
