"""From what is known of a patient to the rule that fires, or to why none can.

Truth has three values: 0 the condition fails, 1 it is open, 2 it holds. The rules of a situation
are tried in order. A rule that is open before the first one that holds may be the right one: unless
all of these have the same step, the guideline cannot be applied, and what is missing is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rnetstats.studies.management.definitions import Definitions
from rnetstats.studies.management.rule_types import Atom, GuidelineSheet, Rule, When
from rnetstats.studies.management.vocabulary import (
    CANNOT,
    HIGHER_RISK,
    NEEDS,
    NO_RULE,
    PROVISOS,
    STEP,
)

__all__ = ["FAILS", "HOLDS", "OPEN", "Answer", "Known", "atoms_of", "decide", "spelt_out"]

FAILS, OPEN, HOLDS = 0, 1, 2


@dataclass(frozen=True)
class Answer:
    """What a guideline says of a patient.

    Attributes
    ----------
    answer : {"step", "no rule", "cannot be applied"}
    step, words, rule, cell : str
        The next step as a code and in words, and the rule that fired, by key and as the source
        names its cell; empty without a step.
    open : str
        What must still be established before the step.
    alternative, follow_up, evidence, standing, source, note, omits : str
        As the rule has them.
    why : str
        Why there is no rule.
    needs : str
        What is missing.
    """

    answer: str
    step: str = ""
    words: str = ""
    rule: str = ""
    cell: str = ""
    open: str = ""
    alternative: str = ""
    follow_up: str = ""
    evidence: str = ""
    standing: str = ""
    source: str = ""
    note: str = ""
    omits: str = ""
    why: str = ""
    needs: str = ""

    @property
    def said(self) -> tuple[str, str]:
        """What it comes down to."""
        return (self.answer, self.step)


@dataclass(frozen=True)
class Known:
    """What is known of one kind of patient: truth of conditions and provisos.

    ``g2_needs`` names what a G2 lacks of which it is not known whether it is a higher one.
    """

    truth: Mapping[Atom, int]
    provisos: Mapping[str, int]
    g2_needs: str = ""


def spelt_out(sheet: GuidelineSheet, situation: str, definitions: Definitions) -> tuple[Rule, ...]:
    """Return the rules of a situation, "a risk factor" replaced by the factors that count."""
    return tuple(
        replace(rule, when=_with_factors(rule.when, definitions)) for rule in sheet.of(situation)
    )


def _with_factors(when: When, definitions: Definitions) -> When:
    either = tuple(tuple(_with_factors(one, definitions) for one in group) for group in when.either)
    if when.risk_factor:
        factors = [Atom(*HIGHER_RISK[name]) for name in definitions.risk_factors]
        either = (*either, tuple(When((atom,)) for atom in factors))
    return When(when.atoms, either)


def atoms_of(rules: Iterable[Rule]) -> tuple[Atom, ...]:
    """Return the conditions of the rules, each once, in order."""
    return tuple(dict.fromkeys(atom for rule in rules for atom in _atoms(rule.when)))


def _atoms(when: When) -> Iterator[Atom]:
    yield from when.atoms
    for group in when.either:
        for one in group:
            yield from _atoms(one)


def _truth(when: When, known: Known) -> int:
    """Return the truth of conditions: the least of those that must all hold."""
    parts = [known.truth[atom] for atom in when.atoms]
    parts += [max(_truth(one, known) for one in group) for group in when.either]
    return min(parts)


def decide(
    rules: Sequence[Rule], known: Known, elsewhere: Mapping[str, Sequence[Rule]], name: str
) -> Answer:
    """Return what the rules say of a patient.

    Parameters
    ----------
    rules : sequence of Rule
        Of one situation, in order, spelt out.
    known : Known
    elsewhere : mapping
        The rules of the other situations that ``then`` may lead to.
    name : str
        The guideline's name, for the sentence that none of its rules fits.
    """
    candidates: list[Rule] = []
    decided = False
    for rule in rules:
        truth = _truth(rule.when, known)
        if truth != FAILS:
            candidates.append(rule)
        if truth == HOLDS:
            decided = True
            break
    found = [_answer(rule, known, elsewhere, name) for rule in candidates]
    if not decided:
        found.append(Answer(NO_RULE, why=f"No cell of {name} that is recorded here fits."))
    if len({one.said for one in found}) == 1 and found[0].answer != CANNOT:
        return _merged(found)
    lacking = list(_lacking(candidates, known))
    for one in found:
        lacking += [need for need in one.needs.split(", ") if need]
    return Answer(CANNOT, needs=", ".join(dict.fromkeys(lacking)))


def _answer(rule: Rule, known: Known, elsewhere: Mapping[str, Sequence[Rule]], name: str) -> Answer:
    """Return what one rule says, given that it holds."""
    if rule.gap:
        return Answer(NO_RULE, why=rule.gap)
    if rule.then:
        there = decide(elsewhere[rule.then], known, elsewhere, name)
        return there if there.answer != STEP else replace(there, rule=f"{rule.key} > {there.rule}")
    made = _stepping(rule)
    state = {item: known.provisos.get(item, OPEN) for item in rule.provided}
    for item in (item for item in rule.provided if state[item] == FAILS):
        for other in rule.otherwise:
            if other.without == item:
                return replace(made, step=other.step, words=other.words, alternative="")
        why = f"The rule ({rule.cell or rule.key}) holds only for {_PLAIN[item]}."
        return Answer(NO_RULE, why=why)
    return replace(made, open="; ".join(_FIRST[item] for item in state if state[item] == OPEN))


_FIRST = {
    "no distant metastases": "exclude distant metastases",
    "fit for surgery": "judge fitness for surgery",
    "tumour board": "tumour board",
}
_PLAIN = {
    "no distant metastases": "patients without distant metastases",
    "fit for surgery": "patients fit for surgery",
}
assert set(_FIRST) == set(PROVISOS)


def _stepping(rule: Rule) -> Answer:
    """Return a rule's step before its provisos are looked at."""
    later, other = rule.follow_up, rule.alternative
    return Answer(
        STEP,
        step=rule.step,
        words=rule.words,
        rule=rule.key,
        cell=rule.cell,
        alternative=f"{other.step}: {other.words}" if other else "",
        follow_up=f"{later.words} ({later.standing}: {later.source})" if later else "",
        evidence=rule.evidence,
        standing=rule.standing,
        source=rule.source,
        note=rule.note,
        omits="; ".join(rule.omits),
    )


def _merged(found: Sequence[Answer]) -> Answer:
    """Join the texts of answers that come down to the same step."""
    first = found[0]
    if len(found) == 1:
        return first
    texts = {
        part: " / ".join(dict.fromkeys(t for one in found if (t := getattr(one, part))))
        for part in _TEXTS
    }
    return replace(first, rule=" or ".join(dict.fromkeys(o.rule for o in found if o.rule)), **texts)


_TEXTS = (
    "words",
    "cell",
    "open",
    "alternative",
    "follow_up",
    "evidence",
    "standing",
    "source",
    "note",
    "omits",
    "why",
)


def _lacking(candidates: Sequence[Rule], known: Known) -> Iterator[str]:
    """Name what is missing for the rules that are open."""
    for rule in candidates:
        if _truth(rule.when, known) == OPEN:
            yield from _open_in(rule.when, known)


def _open_in(when: When, known: Known) -> Iterator[str]:
    for atom in when.atoms:
        if known.truth[atom] == OPEN:
            yield known.g2_needs if atom.about == "grade" and known.g2_needs else NEEDS[atom.about]
    for group in when.either:
        if max(_truth(one, known) for one in group) == OPEN:
            for one in group:
                if _truth(one, known) == OPEN:
                    yield from _open_in(one, known)
