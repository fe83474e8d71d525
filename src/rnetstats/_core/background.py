"""Figures under a dark style: our ink is dark, so they are drawn on white."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

__all__ = ["on_light"]

P = ParamSpec("P")
Drawn = TypeVar("Drawn")

_DARK = 0.5  # mean of red, green and blue, below which a colour counts as dark


def on_light(draw: Callable[P, Drawn]) -> Callable[P, Drawn]:
    """Return ``draw`` with matplotlib's own colours for new axes where the style in use is dark.

    A light style is left as it is, and so are axes that the caller has made.
    """

    @wraps(draw)
    def drawn(*args: P.args, **options: P.kwargs) -> Drawn:
        from matplotlib import rc_context, rcParamsDefault
        from matplotlib.axes import Axes

        if any(isinstance(given, Axes) for given in (*args, *options.values())) or not _is_dark():
            return draw(*args, **options)
        colours = {name: rcParamsDefault[name] for name in rcParamsDefault if "color" in name}
        with rc_context(colours):
            axes = draw(*args, **options)
            _keep_ticks(axes)
        return axes

    return drawn


def _is_dark() -> bool:
    from matplotlib import rcParams
    from matplotlib.colors import to_rgba

    *background, opaque = to_rgba(rcParams["axes.facecolor"])
    if opaque < _DARK:  # seen through: who is to be seen on dark writes in a light colour
        return sum(to_rgba(rcParams["text.color"])[:3]) / 3 > _DARK
    return sum(background) / 3 < _DARK


def _keep_ticks(drawn: Any) -> None:
    """Give ticks their colour now: those made when the figure is shown follow the style then."""
    from matplotlib import rcParamsDefault
    from matplotlib.axes import Axes

    axes = drawn if isinstance(drawn, Axes) else next(iter(drawn))
    for one in axes.figure.axes:
        one.tick_params(which="both", colors=rcParamsDefault["xtick.color"])
