"""What a fit hands on to its tests and limits, and what these share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnetstats.kernels.conditioning import Turned
from rnetstats.kernels.newton import NewtonFit
from rnetstats.kernels.profile import ProfileLimits, Unit

__all__ = ["Known", "Workings"]


@dataclass(frozen=True, eq=False)
class Known:
    """What a fit in the columns as given has found, and its tests and limits need again.

    Attributes
    ----------
    design : LogisticDesign or CoxDesign
        What the likelihood makes of X.
    information : array of shape (p, p)
        At the estimate.
    bend : array of shape (p, p) or None
        Of the penalty, see :mod:`rnetstats.kernels.bent`.
    leverage : float or None
        The largest one under Firth's penalty, see :mod:`rnetstats.kernels.leverage`.
    """

    design: Any
    information: np.ndarray
    bend: np.ndarray | None = None
    leverage: float | None = None


@dataclass(frozen=True, eq=False)
class Workings:
    """What the tests and the limits of one fit share: made for them, and not kept.

    Attributes
    ----------
    turned : Turned or None
        The columns in which the likelihood is well conditioned, where they are others.
    unit : Unit or None
        The likelihood about the estimate, in the columns as given where these are well conditioned.
    restricted : NewtonFit or None
        Fits with each distinct set of coefficients held that is tested, where already made.
    profile : ProfileLimits or None
        Of all coefficients, where already found.
    """

    turned: Turned | None
    unit: Unit | None
    restricted: NewtonFit | None = None
    profile: ProfileLimits | None = None
