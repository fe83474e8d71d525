"""R as a peer: one script a measurement, timed by R itself."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pandas as pd


@cache
def r_has(package: str) -> bool:
    """Whether R and one of its packages are there."""
    if shutil.which("Rscript") is None:
        return False
    code = f'quit(status = if (requireNamespace("{package}", quietly = TRUE)) 0 else 1)'
    return subprocess.run(["Rscript", "-e", code], capture_output=True, check=False).returncode == 0


def r_median_seconds(data: pd.DataFrame, setup: str, call: str, *, rounds: int) -> float:
    """Median seconds of an R call on a frame, after one unmeasured call."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        data.to_csv(path, index=False)
        script = f"""
            d <- read.csv("{path.as_posix()}", stringsAsFactors = TRUE)
            {setup}
            run <- function() {call}
            invisible(run())
            times <- vapply(seq_len({rounds}), function(i) {{
              t <- proc.time()[["elapsed"]]; k <- 0
              repeat {{ run(); k <- k + 1; if (proc.time()[["elapsed"]] - t > 0.2) break }}
              (proc.time()[["elapsed"]] - t) / k
            }}, 0)
            cat(median(times))
        """
        shown = subprocess.run(
            ["Rscript", "-e", script], capture_output=True, text=True, check=True
        ).stdout
    return float(shown.split()[-1])
