"""Ratios of time against peers, measured in turn in one run.

    python benchmarks/run.py            the whole table (minutes)
    python benchmarks/run.py --quick    small sizes, to see that every line runs
    python benchmarks/run.py --output benchmarks/results.md

Each line times this package and its peer alternately and compares medians. A ratio above the goal
is good; goals are goals, nothing here passes or fails. Peers that are not installed are skipped
and named: statsmodels and lifelines come with the package, firthmodels, scikit-learn and dcurves
with the `bench` extra (numba, which compiles firthmodels, by hand), R with the system (packages
survival, rms and logistf).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import cases
import evidence_cases
import growth
import prediction_cases
import treatment_cases
from timing import Line, table

Case = Callable[[bool], Line]

CASES: dict[str, Case] = {
    # plain times come first: minutes at full load slow many a machine down
    "import rnetstats, over the interpreter's start": cases.bare_import,
    "rnetstats reproduce duan2024": cases.reproduce,
    "500 bootstrap logistic fits, n = 527, 6 coefficients": cases.bootstrap_logistic,
    "500 bootstrap Firth fits, n = 527, 6 coefficients": cases.bootstrap_firth,
    "500 bootstrap Cox fits, n = 527, 12 events": cases.bootstrap_cox,
    "Firth logistic, 5 terms, profile limits and tests / firthmodels": cases.firth_firthmodels,
    "Firth logistic, 5 terms, profile limits and tests / firthmodels, compiled": (
        cases.firth_firthmodels_compiled
    ),
    "Firth logistic, 5 terms, profile limits and tests / R logistf": cases.firth_r,
    "one Cox fit, n = 527 / lifelines": cases.cox_lifelines,
    "one Cox fit, n = 527 / R coxph": cases.cox_r,
    "one Cox fit, 1,000,000 rows x 5 / R coxph": cases.cox_million,
    "100,000 log-rank permutations / shuffled labels in NumPy blocks": cases.permutations,
    "validate, 1,000 resamples, six indices / R rms": prediction_cases.validate_rms,
    "validate, 1,000 resamples, six indices / Python loop": prediction_cases.validate_python,
    "decision curve, 99 thresholds x 1,000 resamples / dcurves": prediction_cases.decision_curves,
    "DeLong, 1,000,000 predictions / one sort": prediction_cases.delong_sort,
    "propensity-weighted Cox, 1,000 resamples / Python loop": treatment_cases.weighted_cox,
    "100,000 stratified log-rank permutations / 300 survdiff calls": (
        treatment_cases.stratified_permutations
    ),
    "1,000 meta-analyses of 34 studies / statsmodels loop": evidence_cases.meta_analyses,
    "Fisher's P of 1,000,000 tables / scipy loop": evidence_cases.fisher_tables,
    "all tables of 1 % against 3 % with P = 0.003, 1,500 patients / scipy loop": (
        evidence_cases.matching_tables
    ),
}


def machine() -> list[str]:
    """Describe what the numbers were measured on."""
    import numpy as np

    threads = {
        name: os.environ.get(name, "unset")
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    }
    lines = [
        f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} cores.",
        "Thread settings: " + ", ".join(f"{k}={v}" for k, v in threads.items()) + ".",
    ]
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return lines
    pools = ", ".join(f"{p['internal_api']} {p['num_threads']}" for p in threadpool_info())
    return [*lines, f"Threads in use: {pools}. The kernels start none of their own."]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, few repetitions")
    parser.add_argument("--output", type=Path, help="write the tables to this Markdown file too")
    parser.add_argument("--only", help="run only the lines whose name holds this text")
    options = parser.parse_args()
    lines = []
    for name, run in CASES.items():
        if options.only and options.only not in name:
            continue
        line = run(options.quick)
        print(f"{name}: {line.text()}", flush=True)
        lines.append((name, line))
    parts = ["# Benchmarks", *machine(), table(lines)]
    if not options.only:
        parts.append(growth.tables(quick=options.quick))
    text = "\n\n".join(parts) + "\n"
    print("\n" + text)
    if options.output:
        options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
