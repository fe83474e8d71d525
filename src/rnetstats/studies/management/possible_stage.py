"""T stage and depth of invasion: each as recorded, else from the other and the size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnetstats.errors import rows_text
from rnetstats.studies.management.definitions import Definitions
from rnetstats.studies.management.inputs import Inputs

__all__ = ["invasion_and_t", "size_class"]

Bits = NDArray[np.int64]

T1A, T1B, T2, T3, T4 = 1, 2, 4, 8, 16
T1, ANY_T = T1A | T1B, 31
SUBMUCOSA, MUSCLE, SUBSEROSA, BEYOND = 1, 2, 4, 8
ANY_LAYER = 15


def size_class(size: NDArray[np.float64], definitions: Definitions) -> NDArray[np.int64]:
    """Return 0 below 1 cm, 1 for 1 to 2 cm, 2 above 2 cm, -1 where the size is missing.

    By print both 10 and 20 mm belong to the middle class.
    """
    first = size > 10.0 if definitions.edge_10 == "smaller" else size >= 10.0
    second = size >= 20.0 if definitions.edge_20 == "larger" else size > 20.0
    return np.where(np.isnan(size), -1, first.astype(np.int64) + second)


def invasion_and_t(inputs: Inputs, definitions: Definitions, notes: list[str]) -> tuple[Bits, Bits]:
    """Return the possible T stages and layers of each patient.

    AJCC 8: T1a under 1 cm and T1b 1 to 2 cm within mucosa and submucosa; T2 muscularis propria, or
    more than 2 cm; T3 subserosa; T4 beyond.

    Parameters
    ----------
    inputs : Inputs
    definitions : Definitions
        Its edges hold here, too.
    notes : list of str
        Contradictions are added to it.
    """
    size = size_class(inputs.number("size_mm"), definitions)
    code = inputs.code("t_stage")
    recorded_t = np.array([T1, T1A, T1B, T2, T3, T4, ANY_T])[code]
    layer = inputs.code("invasion")
    recorded_layer = np.where(layer >= 0, 1 << np.maximum(layer, 0), ANY_LAYER)
    by_size = np.array([T1A, T1B, T2, T1 | T2])[size]
    from_layer = _union(recorded_layer, [by_size, T2, T3, T4])
    agreeing = recorded_t & from_layer
    against = agreeing == 0
    t_stage = np.where(against, recorded_t, agreeing)
    if against.any():
        rows = rows_text((np.flatnonzero(against) + 1).tolist())
        notes.append(
            f"t_stage contradicts size and invasion in {rows}; t_stage as recorded is taken."
        )
    # the layers that agree with the stage: T2 within 2 cm means the muscularis propria
    small_t2 = np.where((size == 0) | (size == 1), MUSCLE, SUBMUCOSA | MUSCLE)
    from_t = _union(t_stage, [SUBMUCOSA, SUBMUCOSA, small_t2, SUBSEROSA, BEYOND])
    both = recorded_layer & from_t
    return t_stage, np.where(both == 0, recorded_layer, both)


def _union(bits: Bits, of_bit: list[Bits | int]) -> Bits:
    """Return the union, over the bits that are set, of what each stands for."""
    found = np.zeros(len(bits), dtype=np.int64)
    for place, stands_for in enumerate(of_bit):
        found |= np.where(bits & (1 << place) != 0, stands_for, 0)
    return found
