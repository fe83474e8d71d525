"""Table 1: the patients by margin."""

from __future__ import annotations

from rnetstats.studies.duan2024.cohort import Cohort
from rnetstats.studies.exhibit import Exhibit
from rnetstats.tables.table_one import table_one

__all__ = ["table_one_exhibit"]

_COLUMNS = ("age", "sex", "size_mm", "location", "method", "nlr", "grade", "lvi", "centre")
_MEASURED = ("age", "size_mm", "nlr")
_SIGN = "SMD: of means, negative less positive margin; of shares a distance, without a sign."


def table_one_exhibit(cohort: Cohort) -> Exhibit:
    """Describe the patients at the first resection, overall and by margin."""
    columns = [name for name in _COLUMNS if cohort.has(name)]
    frame = cohort.by_margin()[[*columns, "margin"]]
    frame["margin"] = frame["margin"].cat.rename_categories(lambda name: name.split()[0])
    measured = {name: "both" for name in columns if name in _MEASURED}
    table = table_one(frame, by="margin", columns=columns, summaries=measured)
    return Exhibit(
        name="table_one",
        title="Table 1. Patients by margin",
        caption="Before any follow-up; "
        + ("patients whose margin is known." if frame["margin"].isna().any() else "all patients."),
        numbers=table.to_frame(),
        shown=table.display(),
        notes=(*table.notes, _SIGN),
    )
