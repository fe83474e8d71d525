"""Remarks: what no arithmetic can check, said in words beside the figures that it concerns."""

from __future__ import annotations

from rnetstats.evidence.checks_line import CheckLine, Figures, open_line

__all__ = ["check_remark"]


def check_remark(figures: Figures) -> list[CheckLine]:
    """Pass on a remark; its figures are shown, its verdict stays open."""
    return [open_line("", figures.option("text"))]
