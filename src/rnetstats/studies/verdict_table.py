"""What every published table of rules is made of, and the verdict that a rule gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Verdict", "VerdictRule", "as_markdown", "verdict_by"]


@dataclass(frozen=True)
class VerdictRule:
    """One row of the table of rules."""

    name: str
    words: str
    when: str
    meaning: str


@dataclass(frozen=True)
class Verdict:
    """A verdict, the rule that gave it, and why in words."""

    words: str
    rule: str
    because: str


def verdict_by(rules: Sequence[VerdictRule], name: str, because: str) -> Verdict:
    """Return the verdict of the rule with this name."""
    rule = next(rule for rule in rules if rule.name == name)
    return Verdict(words=rule.words, rule=rule.name, because=because)


def as_markdown(rules: Sequence[VerdictRule]) -> str:
    """Return a table of rules as Markdown, for the documentation."""
    head = "| rule | verdict | when | what it means |\n| --- | --- | --- | --- |\n"
    rows = (f"| {r.name} | **{r.words}** | {r.when} | {r.meaning} |\n" for r in rules)
    return head + "".join(rows)
