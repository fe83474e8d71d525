"""Options of a meta-analysis, checked once and passed on together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnetstats._core.options import choice, level, real
from rnetstats.errors import OptionError
from rnetstats.kernels.meta_tau2 import TAU2_METHODS

__all__ = ["CI_METHODS", "PREDICTIONS", "PoolOptions", "pool_options"]

CI_METHODS = {
    "hartung-knapp": "Hartung-Knapp",
    "hartung-knapp-adhoc": "Hartung-Knapp with its ad-hoc floor",
    "hartung-knapp-wider": "the wider of Hartung-Knapp and Wald",
    "wald": "Wald",
}
PREDICTIONS = {
    "hts": "t(k-2)",
    "t(k-1)": "t(k-1)",
    "hk": "t(k-1), Hartung-Knapp error",
    "normal": "normal",
}


@dataclass(frozen=True)
class PoolOptions:
    """How estimates are pooled: see :func:`rnetstats.meta_analysis`."""

    tau2: str | float = "REML"
    ci: str = "hartung-knapp"
    prediction: str | None = "hts"
    conf_level: float = 0.95

    @property
    def tau2_text(self) -> str:
        """How the variance between studies was found."""
        return self.tau2 if isinstance(self.tau2, str) else f"tau2 = {self.tau2:g} (given)"

    @property
    def alone_text(self) -> str:
        """What the limits of one study alone are."""
        given = not isinstance(self.tau2, str) and self.tau2 > 0.0
        return "Wald limits that include the tau2 given" if given else "its own Wald limits"

    def as_dict(self) -> dict[str, Any]:
        """Return the options as a result keeps them."""
        return {
            "tau2": self.tau2,
            "ci": self.ci,
            "prediction": self.prediction,
            "conf_level": self.conf_level,
        }


def pool_options(tau2: Any, ci: Any, prediction: Any, conf_level: Any) -> PoolOptions:
    """Check the options of pooling.

    Raises
    ------
    OptionError
    """
    if isinstance(tau2, str) or tau2 is None or isinstance(tau2, bool):
        try:
            tau2 = choice("tau2", tau2, TAU2_METHODS)
        except OptionError as error:
            more = "A number holds the variance fixed, 0 for a common effect."
            raise OptionError(f"{error} {more}") from None
    else:
        tau2 = real("tau2", tau2, low=0.0)
    return PoolOptions(
        tau2=tau2,
        ci=choice("ci", ci, tuple(CI_METHODS)),
        prediction=choice("prediction", prediction, (*PREDICTIONS, None)),
        conf_level=level(conf_level),
    )
