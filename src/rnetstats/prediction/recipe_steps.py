"""The columns of a recipe's candidate terms in many replicates: cut-offs and knots learnt in each.

What does not depend on the sample (numbers, levels, logarithms, fixed knots) is made once and
shared; what does is made again from the rows of each replicate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from rnetstats.errors import DataError, OptionError
from rnetstats.formula.encoders import Encoder, SplineEncoder, fit_encoder
from rnetstats.formula.outcome import Outcome
from rnetstats.formula.terms import Atom, Condition, Formula, Plain, Spline, term_text
from rnetstats.formula.variables import Variable
from rnetstats.kernels.maxstat import best_cut, best_cut_survival
from rnetstats.prediction.inclusion import CUT_OFF

__all__ = ["Candidates", "Learned", "candidates"]

Floats = NDArray[np.float64]
Variables = Mapping[str, Variable]


@dataclass(eq=False)
class Learned:
    """What B replicates learnt, atom by atom.

    Attributes
    ----------
    cuts : dict of str to array of shape (B,)
        Cut-off of each variable that is cut.
    encoders : dict of Spline to list of encoder or None
        Knots of each replicate; None where they could not be placed.
    usable : bool array of shape (B,)
    """

    cuts: dict[str, Floats]
    encoders: dict[Atom, list[SplineEncoder | None]]
    usable: NDArray[np.bool_]

    def choices(self) -> dict[str, Floats]:
        """Return each cut-off and knot as an array of shape (B,)."""
        found = {f"{CUT_OFF}{name}": values for name, values in self.cuts.items()}
        for atom, encoders in self.encoders.items():
            for j in range(_sizes(atom)[0]):
                found[f"knot {j + 1} of {atom.text}"] = np.array(
                    [np.nan if e is None else e.knots[j] for e in encoders]
                )
        return found


@dataclass(frozen=True, eq=False)
class Candidates:
    """The candidate terms of a recipe.

    Attributes
    ----------
    terms : tuple of tuples of atoms
    names : tuple of str
    fixed : dict
        Encoders that no replicate changes.
    cut : dict of str to (str or float)
        For each variable that is cut, the search or the given cut-off.
    """

    terms: tuple[tuple[Atom, ...], ...]
    names: tuple[str, ...]
    fixed: dict[Atom, Encoder]
    cut: dict[str, str | float]
    learnt: tuple[Spline, ...] = field(default=())

    def learn(self, variables: Variables, outcome: Outcome, counts: Floats) -> Learned:
        """Search cut-offs and place knots in each replicate (B, n)."""
        usable = np.ones(len(counts), dtype=bool)
        cuts = {}
        for name, how in self.cut.items():
            x = variables[name].numbers("a cut-off")
            if not isinstance(how, str):
                cuts[name] = np.full(len(counts), float(how))
                continue
            cuts[name] = _search(outcome, x, counts, how)
            usable &= np.isfinite(cuts[name])
        encoders: dict[Atom, list[SplineEncoder | None]] = {}
        for atom in self.learnt:
            encoders[atom] = [_knots(atom, variables[atom.columns[0]], row) for row in counts]
            usable &= np.array([encoder is not None for encoder in encoders[atom]])
        return Learned(cuts, encoders, usable)

    def design(
        self, variables: Variables, learned: Learned, n: int
    ) -> tuple[Floats, tuple[slice, ...]]:
        """Return the columns (n, p) or (B, n, p) of all candidates, and those of each term."""
        blocks = [self._block(term, variables, learned) for term in self.terms]
        places, start = [], 0
        for block in blocks:
            places.append(slice(start, start + block.shape[-1]))
            start += block.shape[-1]
        if not blocks:
            return np.empty((n, 0)), ()
        deep = max((len(b) for b in blocks if b.ndim == 3), default=0)
        if deep:
            blocks = [np.broadcast_to(b, (deep, *b.shape[-2:])) for b in blocks]
        return np.concatenate(blocks, axis=-1), tuple(places)

    def columns(self, learned: Learned) -> tuple[tuple[str, ...], tuple[str, ...], list[bool]]:
        """Return term and level of each column, and whether it is the same in all replicates."""
        terms: list[str] = []
        levels: list[str] = []
        same: list[bool] = []
        for term, name in zip(self.terms, self.names, strict=True):
            labels = [self._labels(atom, learned) for atom in term]
            here = [":".join(reversed(found)) for found in product(*reversed(labels))]
            terms += [name] * len(here)
            levels += [text.strip(":") for text in here]
            same += [not any(atom in self.learnt for atom in term)] * len(here)
        return tuple(terms), tuple(levels), same

    def _labels(self, atom: Atom, learned: Learned) -> tuple[str, ...]:
        if isinstance(atom, Plain) and atom.column in self.cut:
            return ("",)
        encoder = learned.encoders[atom][0] if atom in learned.encoders else self.fixed[atom]
        return ("",) if encoder is None else encoder.labels

    def _block(self, term: tuple[Atom, ...], variables: Variables, learned: Learned) -> Floats:
        parts = [self._atom(atom, variables, learned) for atom in term]
        if len(parts) == 1:
            return np.asarray(parts[0])
        columns = []
        for combination in product(*(range(part.shape[-1]) for part in reversed(parts))):
            column = np.ones(1)
            for part, j in zip(parts, reversed(combination), strict=True):
                column = column * part[..., j]
            columns.append(column)
        return np.stack(columns, axis=-1)

    def _atom(self, atom: Atom, variables: Variables, learned: Learned) -> Floats:
        if isinstance(atom, Plain) and atom.column in learned.cuts:
            x = variables[atom.column].numbers("a cut-off")
            cuts = learned.cuts[atom.column]
            if (cuts == cuts[0]).all():
                return np.asarray(x > cuts[0], dtype=np.float64)[:, None]
            return np.asarray(x > cuts[:, None], dtype=np.float64)[:, :, None]
        if atom in learned.encoders:
            made = learned.encoders[atom]
            variable = variables[atom.columns[0]]
            spare = next((e for e in made if e is not None), None)
            if spare is None:
                # No replicate has knots, so that none is usable: the columns say nothing.
                numbers = variable.numbers("a spline")
                return np.zeros((len(numbers), _sizes(atom)[1]))
            return np.stack([(e or spare).encode(variable) for e in made])
        return self.fixed[atom].encode(variables[atom.columns[0]])

    def text(self, learned: Learned, kept: NDArray[np.bool_]) -> str:
        """Write the chosen terms of the first replicate as the right side of a formula."""
        shown = [
            ":".join(self._written(atom, learned) for atom in term)
            for term, keep in zip(self.terms, kept, strict=True)
            if keep
        ]
        return " + ".join(shown) if shown else "1"

    def _written(self, atom: Atom, learned: Learned) -> str:
        if isinstance(atom, Plain) and atom.column in learned.cuts:
            return Condition(atom.column, ">", float(learned.cuts[atom.column][0])).text
        if atom in learned.encoders:
            encoder = learned.encoders[atom][0]
            assert encoder is not None
            source = encoder.atom.source.text
            knots = ", ".join(repr(knot) for knot in encoder.knots)
            if encoder.boundary:
                ends = ", ".join(repr(end) for end in encoder.boundary)
                return f"ns({source}, knots=[{knots}], boundary=[{ends}])"
            return f"rcs({source}, knots=[{knots}])"
        return atom.text


def candidates(
    formula: Formula, variables: Variables, cut: Mapping[str, str | float], notes: list[str]
) -> Candidates:
    """Read the candidate terms of a formula.

    Raises
    ------
    OptionError
        If a variable to be cut is no plain numeric term of the formula.
    """
    atoms = list(dict.fromkeys(atom for term in formula.terms for atom in term))
    plain = {atom.column for atom in atoms if isinstance(atom, Plain)}
    for name in cut:
        if name not in plain:
            raise OptionError(
                f"cut= names {name!r}, which is no plain term of the formula; its plain terms are "
                f"{', '.join(sorted(plain)) or 'none'}."
            )
        if not variables[name].is_numeric:
            raise OptionError(f"cut= names {name!r}, which holds categories, not numbers.")
    learnt = tuple(atom for atom in atoms if isinstance(atom, Spline) and not atom.knots)
    fixed = {
        atom: fit_encoder(atom, variables[atom.columns[0]], None, notes)
        for atom in atoms
        if atom not in learnt and not (isinstance(atom, Plain) and atom.column in cut)
    }
    names = tuple(term_text(term) for term in formula.terms)
    return Candidates(formula.terms, names, fixed, dict(cut), learnt)


def _sizes(atom: Atom) -> tuple[int, int]:
    """Return how many knots and how many columns a spline has whose knots are not named."""
    assert isinstance(atom, Spline)
    size = atom.size or 1
    return (size, size - 1) if atom.basis == "rcs" else (size - 1, size)


def _search(outcome: Outcome, x: Floats, counts: Floats, how: str) -> Floats:
    if outcome.y is not None:
        return np.asarray(best_cut(outcome.y, x, counts, method=how, report="below"))
    assert outcome.stop is not None
    assert outcome.event is not None
    return np.asarray(
        best_cut_survival(outcome.stop, outcome.event, x, counts, method="maxstat", report="below")
    )


def _knots(atom: Spline, variable: Variable, counts: Floats) -> SplineEncoder | None:
    """Place knots on the rows of one replicate; None where too many of them are alike."""
    present = counts > 0
    try:
        encoder = fit_encoder(atom, variable.take(np.flatnonzero(present)), counts[present], [])
    except DataError:
        return None
    assert isinstance(encoder, SplineEncoder)
    return encoder
