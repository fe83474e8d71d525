"""What a guideline is made of: conditions, rules, and the sheet that holds them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Alternative",
    "Atom",
    "Bound",
    "FollowUp",
    "GuidelineSheet",
    "Otherwise",
    "Rule",
    "When",
]


@dataclass(frozen=True)
class Bound:
    """One edge of a range of sizes: the number of mm, and whether it belongs to the range."""

    mm: float
    inclusive: bool


@dataclass(frozen=True)
class Atom:
    """One condition on one thing: one of several values, or a range of sizes."""

    about: str
    values: tuple[str, ...] = ()
    low: Bound | None = None
    high: Bound | None = None

    @property
    def words(self) -> str:
        """The condition as a reader would write it."""
        if self.about != "size_mm":
            *most, last = self.values
            return f"{self.about} {', '.join(most)} or {last}" if most else f"{self.about} {last}"
        edges = []
        if self.low is not None:
            edges.append(f"{'>=' if self.low.inclusive else '>'} {self.low.mm:g}")
        if self.high is not None:
            edges.append(f"{'<=' if self.high.inclusive else '<'} {self.high.mm:g}")
        return f"size {' and '.join(edges)} mm"


@dataclass(frozen=True)
class When:
    """Conditions that must all hold; of each group in ``either`` at least one must."""

    atoms: tuple[Atom, ...] = ()
    either: tuple[tuple[When, ...], ...] = ()
    risk_factor: bool = False

    @property
    def words(self) -> str:
        """The conditions as a reader would write them."""
        parts = [atom.words for atom in self.atoms]
        parts += ["a risk factor"] * self.risk_factor
        parts += [f"({' or '.join(one._alone for one in group)})" for group in self.either]
        return " and ".join(parts)

    @property
    def _alone(self) -> str:
        """The conditions as one of several: in brackets, if they are more than one."""
        several = len(self.atoms) + self.risk_factor + len(self.either) > 1
        return f"({self.words})" if several else self.words


@dataclass(frozen=True)
class Otherwise:
    """The step where a proviso is known not to be met."""

    without: str
    step: str
    words: str


@dataclass(frozen=True)
class Alternative:
    """A second step that the guideline allows beside the first."""

    step: str
    words: str


@dataclass(frozen=True)
class FollowUp:
    """What follows the step, with a standing and a source of its own."""

    words: str
    standing: str
    source: str


@dataclass(frozen=True)
class Rule:
    """One cell of a guideline.

    Attributes
    ----------
    key, situation : str
    when : When
    cell : str
        The cell as the source names it.
    step, words : str
        The next step as a code, and in words; no code where ``gap`` or ``then`` stands.
    gap : str
        Why the guideline has no step here.
    then : str
        The situation whose rules answer instead.
    provided : tuple of str
        What must be established before the step.
    otherwise : tuple of Otherwise
    alternative : Alternative or None
    follow_up : FollowUp or None
    evidence, standing, source, note : str
    omits : tuple of str
        What the source leaves out.
    """

    key: str
    situation: str
    when: When
    cell: str = ""
    step: str = ""
    words: str = ""
    gap: str = ""
    then: str = ""
    provided: tuple[str, ...] = ()
    otherwise: tuple[Otherwise, ...] = ()
    alternative: Alternative | None = None
    follow_up: FollowUp | None = None
    evidence: str = ""
    standing: str = ""
    source: str = ""
    note: str = ""
    omits: tuple[str, ...] = ()


@dataclass(frozen=True)
class GuidelineSheet:
    """A guideline: where it comes from, and its rules in the order in which they are tried."""

    key: str
    name: str
    source: str
    standing: str
    note: str
    rules: tuple[Rule, ...]

    @property
    def situations(self) -> tuple[str, ...]:
        """The situations that it has rules for, each once, in order."""
        return tuple(dict.fromkeys(rule.situation for rule in self.rules))

    def of(self, situation: str) -> tuple[Rule, ...]:
        """Return the rules of one situation, in order."""
        return tuple(rule for rule in self.rules if rule.situation == situation)
