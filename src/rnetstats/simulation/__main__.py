"""``python -m rnetstats.simulation cohorts``: write the embedded cohorts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rnetstats.errors import RnetError
from rnetstats.simulation.drawers import DRAWERS, embedded_files
from rnetstats.simulation.embedded import SPLIT_SEEDS, write_files, write_synthetic


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rnetstats.simulation", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    cohorts = commands.add_parser("cohorts", help="write the cohorts under data/synthetic")
    cohorts.add_argument("--output", type=Path, default=Path("data/synthetic"))
    cohorts.add_argument("--seeds", type=int, default=SPLIT_SEEDS, help="cohorts for splits.csv")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 2 means that it was refused."""
    options = _parser().parse_args(arguments)
    try:
        write_synthetic(options.output, seeds=options.seeds)
        for name in DRAWERS:
            write_files(options.output, embedded_files(name))
    except RnetError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
