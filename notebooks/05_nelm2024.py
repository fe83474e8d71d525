# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Patients who all have metastases: what such a series can and cannot say
#
# **The patients in this notebook are synthetic.** They were drawn by a computer in the shape of a
# study of 81 patients with neuroendocrine liver metastases (World J Surg Oncol 2024;22:209): 47 in
# Japan, 34 in China; 69 primaries of the pancreas, 12 of the rectum.
#
# Four things make such a series treacherous, and each has its section: treatment that comes later
# (immortal time), treatment given to the fit (selection), groups of seven patients, and intervals
# that are known only because the metastasis came in time (right truncation).
#
# **To run it on your own file**, set `FILE` in the next cell and run all cells. Sections 2 and 5
# also draw cohorts whose truth is known; they stay synthetic.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display

import rnetstats as rn

FILE = None  # your own file, for example "mine.csv"; None takes the synthetic cohort
CODEBOOK = "nelm2024"  # or your own, "mine.toml", if your columns are named or coded otherwise


def show(what):
    """Show a table without row numbers, or a result with its notes."""
    if isinstance(what, pd.DataFrame):
        page = what.to_html(index=False, border=0)
        display({"text/plain": what.to_string(index=False), "text/html": page}, raw=True)
    else:
        display(what)


cohort = rn.load_cohort("nelm2024") if FILE is None else rn.read_cohort(FILE, codebook=CODEBOOK)
timing = cohort["timing"].astype(object)
synchronous, asynchronous = cohort[timing == "synchronous"], cohort[timing == "asynchronous"]

# %% [markdown]
# ## 1. What is printed, and what is not
#
# Most results of this study are printed in words. Only totals and one percentage are numbers.

# %%
facts = rn.read_facts("nelm2024")
show(
    pd.DataFrame(
        [(f.label, f.text or "not in print", f.standing) for f in facts.facts.values()],
        columns=["figure", "value", "standing"],
    )
)
counted = pd.crosstab([cohort["country"], cohort["primary"]], timing)
counted.columns.name = None
show(counted.reset_index())

# %% [markdown]
# ## 2. Do resected patients live longer?
#
# Time zero is the diagnosis of the metastases. The primary is resected weeks or months later, in
# those who live that long and are fit enough. Three methods, three questions:

# %%
METHODS = ["naive", "time-dependent Cox", "landmark"]
OS = "Surv(os_months, death) ~ 1"
primary = rn.treatment_effect(
    synchronous,
    OS,
    treatment_time="primary_resection_months",
    ever_treated="primary_resected",
    methods=METHODS,
    landmarks=[6, 12],
)
show(primary)
primary.plot(x_label="Months since diagnosis of the metastases")
plt.show()

# %% [markdown]
# How much of this would be seen if resection did nothing at all? In cohorts drawn with no effect:

# %%
null = pd.concat([rn.draw_cohort("nelm2024", truth="null", seed=s).data for s in range(60)])
null = null[null["timing"] == "synchronous"]
found = rn.treatment_effect(
    null, OS, treatment_time="primary_resection_months", methods=METHODS, landmarks=[6, 12]
)
columns = ["method", "landmark", "estimate", "conf_low", "conf_high"]
show(found.to_frame()[columns].round(2))

# %% [markdown]
# The naive hazard ratio is far below 1 though resection does nothing. Counted from the day of the
# operation, immortal time is gone, and a benefit still shows: surgeons chose the fitter patients,
# and fitness is in no column. No method can take out what was not recorded; an E-value says how
# strong it would have to be.

# %% [markdown]
# ## 3. Seven patients
#
# The printed 71.4 % G2 among asynchronous rectal tumours, with at most 12 rectal patients in all:

# %%
most = facts["rectum"].count
printed = facts["rectal_g2_percent"].value
worlds = [
    f"{k}/{n}" for n in range(1, most + 1) for k in range(n + 1) if f"{100 * k / n:.1f}" == printed
]
print("counts that print as", printed, "%:", ", ".join(worlds))
show(rn.exact_proportion(5, 7))

# %% [markdown]
# Types of metastases by primary, by the exact test; and what seven patients could show at all.

# %%
late = asynchronous.assign(origin=asynchronous["primary"].astype(object))
table = pd.crosstab(late["origin"], late["metastasis_type"].astype(object))
show(table.rename_axis(columns=None).reset_index())
show(rn.exact_table(table.to_numpy()))
study = rn.reproduce("nelm2024", data=FILE, codebook=None if FILE is None else CODEBOOK)
if "support" in study.tables:
    show(study.table("support").display())

# %% [markdown]
# ## 4. The interval: seen because it was short enough
#
# The interval from primary to metastasis is known only of patients whose metastasis came before
# data collection ended. Whoever was operated on two years earlier can show an interval of two
# years at most. The intervals seen are too short. In reverse time this is ordinary left truncation,
# and the product-limit estimate puts it right (Lagakos, Barraj & De Gruttola 1988), up to the
# longest window.

# %%
interval = rn.right_truncated(asynchronous, "interval_months ~ primary", truncation="window_months")
show(interval)
interval.plot()
plt.show()

# %% [markdown]
# ## 5. The same where the truth is known
#
# One law of the interval (median 60 months), watched for longer and longer. The median as seen
# follows the length of the series, not the tumour.

# %%
rng = np.random.default_rng(527)
rows = []
for longest in (48, 84, 120, 180, 360):
    window = rng.uniform(0, longest, 40_000)
    months = 60 / np.log(2) ** (1 / 1.2) * rng.weibull(1.2, 40_000)
    seen = np.flatnonzero(months <= window)[:800]
    sample = {"months": months[seen], "window": window[seen]}
    row = rn.right_truncated(sample, "months ~ 1", truncation="window").groups.iloc[0]
    rows.append((longest, row["naive_median"], row["median"], row["conf_low"], row["conf_high"]))
names = ["watched for (months)", "median as seen", "corrected", "low", "high"]
show(pd.DataFrame(rows, columns=names).round(1))

# %% [markdown]
# ## 6. And it still does not set the length of surveillance
#
# Surveillance is for patients *without* metastases. What they have still to fear depends on how
# many of them will ever have one. The series holds none of them. All rows below have the same law
# of the interval:

# %%
show(study.table("surveillance").display())

# %% [markdown]
# ## 7. Observation rules and country
#
# Who followed the rules lives in one country. And rules decide when a relapse is *found*.

# %%
if "rules_by_country" in study.tables:
    show(study.table("rules_by_country").display())
japan = cohort[(cohort["country"].astype(object) == "Japan") & cohort["relapse"].notna()]
AFTER = "Surv(relapse_months, relapse) ~ rules_followed"
show(rn.kaplan_meier(japan, AFTER).quantile(0.5))
show(rn.cox(japan, AFTER))

# %% [markdown]
# How much does the schedule alone do? The same relapses, looked for every 3 or every 9 months:

# %%
show(
    rn.schedule_sensitivity(
        visits={"every 3 months": 3, "every 9 months": 9}, n=200, replicates=200, seed=1
    )
)

# %% [markdown]
# ## 8. Claim by claim
#
# The whole study, as `rnetstats reproduce nelm2024 --output report` writes it.

# %%
for sentence in study.answer:
    print(sentence)
show(study.display())
