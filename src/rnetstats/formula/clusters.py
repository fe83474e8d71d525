"""Clusters as independent units: what is said where they are few, and refused of a single one."""

from __future__ import annotations

import numpy as np

from rnetstats.errors import DataError
from rnetstats.formula.partition import Groups

__all__ = ["check_clusters", "cluster_notes", "few_clusters"]

_FEW = 40


def check_clusters(cluster: Groups | None) -> None:
    """Refuse a single cluster.

    Raises
    ------
    DataError
        If all rows are in one cluster.
    """
    if cluster is not None and len(cluster.labels) < 2:
        raise DataError(
            f"cluster({cluster.name}) has one value in the rows used: a variance between "
            "clusters needs at least two. Leave cluster() out."
        )


def few_clusters(number: int, name: str) -> tuple[str, ...]:
    """Say that a variance between so few clusters is too small, or nothing."""
    if number >= _FEW:
        return ()
    return (
        f"There are only {number} clusters of {name}: a cluster-robust variance is too small with "
        f"fewer than about {_FEW}.",
    )


def cluster_notes(cluster: Groups | None, groups: Groups) -> tuple[str, ...]:
    """Say that clusters are few, and in which groups a single one leaves no variance."""
    if cluster is None:
        return ()
    single = [
        label
        for code, label in enumerate(groups.labels)
        if np.unique(cluster.codes[groups.codes == code]).size == 1
    ]
    told = few_clusters(len(cluster.labels), cluster.name)
    if not single:
        return told
    return (
        *told,
        f"All rows of {', '.join(single)} are in one cluster of {cluster.name}, which leaves no "
        "variance between clusters: standard errors and limits are missing there.",
    )
