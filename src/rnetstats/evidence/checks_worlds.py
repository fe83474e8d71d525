"""Checks that ask which integer tables the printed figures allow."""

from __future__ import annotations

from rnetstats.evidence.checks_line import CheckLine, Figures, open_line

__all__ = ["check_odds_ratio_tables", "check_share", "check_split", "check_two_rates"]


def check_split(figures: Figures) -> list[CheckLine]:
    """Leave the question of possible tables open."""
    return [open_line("", "The tables that these figures allow are not enumerated.")]


check_share = check_two_rates = check_odds_ratio_tables = check_split
