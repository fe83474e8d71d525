"""The guidelines that come with the package, and those that a reader writes."""

from __future__ import annotations

import os
from functools import cache
from importlib.resources import files
from pathlib import Path

import pandas as pd

from rnetstats.errors import OptionError, closest
from rnetstats.formatting import listed
from rnetstats.studies.management.rule_reader import sheet_from_file, sheet_from_text
from rnetstats.studies.management.rule_types import GuidelineSheet, Rule
from rnetstats.studies.management.vocabulary import NO_RULE, STEP

__all__ = ["GUIDELINES", "guideline_sheet", "guidelines"]

GUIDELINES = ("enets2023", "nccn2025", "enets2016", "page", "jnets", "cnets", "csco")


@cache
def _shipped(key: str) -> GuidelineSheet:
    place = files("rnetstats.studies.management").joinpath("sheets", f"{key}.toml")
    return sheet_from_text(place.read_text(encoding="utf-8"), f"{key}.toml")


def guideline_sheet(guideline: str | os.PathLike[str] | GuidelineSheet) -> GuidelineSheet:
    """Return a guideline by its key, or from a file of one's own.

    Parameters
    ----------
    guideline : str, path or GuidelineSheet
        One of :data:`GUIDELINES`, or a TOML file of the same layout.

    Raises
    ------
    OptionError
        If there is no such guideline.
    GuidelineError
        If the file is no rule sheet.
    """
    if isinstance(guideline, GuidelineSheet):
        return guideline
    if isinstance(guideline, str) and guideline in GUIDELINES:
        return _shipped(guideline)
    if not isinstance(guideline, str | os.PathLike) or not str(guideline).endswith(".toml"):
        raise OptionError(
            f"guideline={guideline!r} is not known.{_meant(str(guideline))} There "
            f"are: {', '.join(GUIDELINES)}; or give a rule sheet of your own, a file whose name "
            "ends in .toml."
        )
    return sheet_from_file(Path(os.fspath(guideline)))


def _meant(name: str) -> str:
    """Ask for the editions of a guideline that is named without its year, else for the nearest."""
    editions = [key for key in GUIDELINES if name and key.startswith(name.casefold())]
    if editions:
        return f" Did you mean {listed((repr(key) for key in editions), 'or')}?"
    return closest(name, GUIDELINES)


def guidelines(
    *guideline: str | os.PathLike[str] | GuidelineSheet,
) -> pd.DataFrame:
    """List guideline rules: conditions, next step, source, standing, and what is left out.

    For researchers who classify a cohort, never advice on a patient.

    Parameters
    ----------
    *guideline : str or path
        ``"enets2023"`` and the like, or rule sheets of your own; all that come with the package
        without any.

    Returns
    -------
    DataFrame
        One row a rule, in the order in which they are tried: ``guideline, name, situation, rule,
        cell, conditions, answer`` (``"step"``, ``"no rule"``, or ``"as "`` another situation),
        ``step, words, provided, otherwise, alternative, follow_up, follow_up_standing, evidence,
        standing, source, omits, why, note``.

    Raises
    ------
    OptionError
        If there is no such guideline.
    GuidelineError
        If a file is no rule sheet; the message names the place.

    References
    ----------
    Rinke et al. (2023). European Neuroendocrine Tumor Society (ENETS) 2023 guidance paper for
    colorectal neuroendocrine tumours. J Neuroendocrinol, doi 10.1111/jne.13309. All rules but the
    page's are second-hand; each carries its source.

    Examples
    --------
    >>> import rnetstats as rn
    >>> rules = rn.guidelines("enets2023")
    >>> rules.loc[rules["situation"] == "after resection", ["rule", "step", "evidence"]].head(3)
               rule               step evidence
    3  r1_high_risk  radical resection    3 / C
    4   r1_under_10   local resection    3 / C
    5      r1_10_20   local resection    3 / C
    """
    sheets = [guideline_sheet(one) for one in (guideline or GUIDELINES)]
    return pd.DataFrame([_row(sheet, rule) for sheet in sheets for rule in sheet.rules])


def _row(sheet: GuidelineSheet, rule: Rule) -> dict[str, str]:
    later, other = rule.follow_up, rule.alternative
    answer = STEP if rule.step else (NO_RULE if rule.gap else f"as {rule.then}")
    return {
        "guideline": sheet.key,
        "name": sheet.name,
        "situation": rule.situation,
        "rule": rule.key,
        "cell": rule.cell,
        "conditions": rule.when.words,
        "answer": answer,
        "step": rule.step,
        "words": rule.words,
        "provided": "; ".join(rule.provided),
        "otherwise": "; ".join(f"not {o.without}: {o.words}" for o in rule.otherwise),
        "alternative": other.words if other else "",
        "follow_up": later.words if later else "",
        "follow_up_standing": f"{later.standing} ({later.source})" if later else "",
        "evidence": rule.evidence,
        "standing": rule.standing,
        "source": rule.source,
        "omits": "; ".join(rule.omits),
        "why": rule.gap,
        "note": rule.note,
    }
