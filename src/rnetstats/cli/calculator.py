"""``rnetstats calculator``: its options, what it writes."""

from __future__ import annotations

import argparse

__all__ = ["DESCRIPTION", "EXAMPLES", "calculator_options"]

DESCRIPTION = """\
Make a risk calculator of a model: one HTML page that needs no network, for research use only.

The model is the JSON file that RiskModel.save() wrote, with its validation attached. A model whose
corrected performance does not meet the rules is refused; the message names each rule.
"""

EXAMPLES = """\
examples:
  rnetstats calculator model.json --output calculator.html
  rnetstats calculator model.json --output calculator.html --force slope discrimination
      make it all the same; the page says in red which rules the model does not meet

the model, in Python:
  fit = rn.logistic(cohort, "margin_positive ~ method + location + size_mm")
  judged = rn.validate(fit, seed=1)
  model = rn.risk_model(fit, resamples=1000, seed=1)
  model.with_performance(judged.performance()).save("model.json")

exit code: 0 done, 2 refused (one message says why; nothing is written)
"""


def calculator_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``rnetstats calculator`` to its parser."""
    add = parser.add_argument
    add("model", metavar="MODEL.json", help="the model, as RiskModel.save() wrote it")
    add(
        "--output",
        metavar="FILE",
        required=True,
        help="the page, such as calculator.html; an earlier calculator is replaced",
    )
    add(
        "--force",
        metavar="RULE",
        nargs="+",
        action="extend",
        default=[],
        help="rules to pass over: performance, slope, calibration, in-the-large, discrimination",
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from rnetstats.report.calculator import calculator

    target = calculator(options.model, output=options.output, force=options.force)
    print(f"Written to {target} (open it in a browser; it needs no network).")
    print("Research use only.")
