"""Interval-censored data for the tests, with published and R's values.

Cosmesis: months to breast retraction, in Finkelstein DM, Wolfe RA (1985), Biometrics 41:933-945,
table 4. Turnbull masses: Gentleman R, Geyer CJ (1994), Biometrika 81:618-623 (radiotherapy), and
Fay MP, Shaw PA (2010), J Stat Softw 36(2) (both groups), to four decimals.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from support import read

_RADIOTHERAPY = """
45- 6,10 0,7 46- 46- 7,16 17- 7,14 37,44 0,8 4,11 15- 11,15 22- 46- 46- 25,37 46- 26,40 46- 27,34
36,44 46- 36,48 37- 40- 17,25 46- 11,18 38- 5,12 37- 0,5 18- 24- 36- 5,11 19,35 17,25 24- 32- 33-
19,26 37- 34- 36-
"""
_WITH_CHEMOTHERAPY = """
8,12 0,22 24,31 17,27 17,23 24,30 16,24 13- 11,13 16,20 18,25 17,26 32- 23- 44,48 10,35 0,5 5,8
12,20 11- 33,40 31- 13,39 19,32 34- 13- 16,24 35- 15,22 11,17 22,32 14,17 30,34 13- 10,17 8,21 4,9
11- 14,19 4,8 34- 30,36 18,24 16,60 35,39 21- 11,20 48-
"""
RT_MASSES = {
    (4, 5): 0.0463,
    (6, 7): 0.0334,
    (7, 8): 0.0887,
    (11, 12): 0.0708,
    (24, 25): 0.0926,
    (33, 34): 0.0818,
    (38, 40): 0.1209,
    (46, 48): 0.4656,
}
RCT_MASSES = {
    (4, 5): 0.0433,
    (5, 8): 0.0433,
    (11, 12): 0.0692,
    (16, 17): 0.1454,
    (18, 19): 0.1411,
    (19, 20): 0.1157,
    (24, 25): 0.0999,
    (30, 31): 0.0709,
    (35, 36): 0.1608,
    (44, 48): 0.0552,
    (48, 60): 0.0552,
}


def cosmesis() -> pd.DataFrame:
    """``l, r, chemo`` of the 94 patients."""
    rows = []
    for chemo, text in enumerate((_RADIOTHERAPY, _WITH_CHEMOTHERAPY)):
        for word in text.split():
            left, _, right = word.rstrip("-").partition(",")
            rows.append((float(left), float(right or np.inf), chemo))
    return pd.DataFrame(rows, columns=["l", "r", "chemo"])


def mixed_veteran() -> pd.DataFrame:
    """R's veteran data with every third event exact, the others within 30 days; ``l, r, w``."""
    data = read("veteran.csv")
    index = np.arange(1, len(data) + 1)
    low = np.floor((data["time"] - 0.5) / 30.0) * 30.0
    event, exact = data["status"] == 1, index % 3 == 0
    left = np.where(event & ~exact, low, data["time"])
    right = np.where(event, np.where(exact, data["time"], low + 30.0), np.inf)
    return data.assign(l=left, r=right, w=1 + index % 3)
