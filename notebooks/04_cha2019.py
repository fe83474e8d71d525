# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # No recurrence at all: what 322 patients can and cannot say
#
# **The patients in this notebook are synthetic.** They were drawn by a computer in the shape of
# Cha et al. 2019 (Sci Rep 9:4911): 322 patients after endoscopic resection of a rectal
# neuroendocrine tumour, 142 resections that were not curative, 44 of them with additional
# treatment, and not one recurrence.
#
# The paper concludes that the outcome was favourable regardless of additional treatment. Three
# questions decide what that is worth: what does "no recurrence" bound? Who was treated? And is
# there anybody to compare? Numbers that stand in print are read from the file of facts; everything
# else is computed here.
#
# **To run it on your own file**, set `FILE` in the next cell and run all cells.

# %%
import math

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display

import rnetstats as rn

FILE = None  # your own file, for example "mine.csv"; None takes the synthetic cohort
CODEBOOK = "cha2019"  # or your own, "mine.toml", if your columns are named or coded otherwise


def show(what):
    """Show a table without row numbers, or a result with its notes."""
    if isinstance(what, pd.DataFrame):
        page = what.to_html(index=False, border=0)
        display({"text/plain": what.to_string(index=False), "text/html": page}, raw=True)
    else:
        display(what)


# %% [markdown]
# ## 1. What is printed
#
# Each figure has a standing: printed, derived by arithmetic, inferred (our reading), or unknown.

# %%
facts = rn.read_facts("cha2019")
printed = pd.DataFrame(
    [(f.label, f.text or "not in print", f.standing) for f in facts.facts.values()],
    columns=["figure", "value", "standing"],
)
show(printed[printed["standing"].isin(["printed", "unknown"])])

# %% [markdown]
# ## 2. No event is a bound
#
# With no event in $n$ patients the two-sided 95 % limit of the risk is $1 - 0.025^{1/n}$. It is
# wider the fewer patients there are. A rate needs time at risk. Only the median follow-up is
# printed, for all patients together: at least half of them were followed that long, which gives the
# least time there can have been. For an arm no follow-up is printed, so no rate can be bounded.

# %%
n, treated, observed = (facts[key].count for key in ("patients", "salvage", "observation"))
median = facts["median_follow_up"].number
show(rn.no_events(n=n, median_follow_up=median))
for name, count in (("additional treatment", treated), ("none", observed)):
    print(f"{name}: 0 of {count}, at most {rn.no_events(n=count).bound('risk'):.1%}")

# %% [markdown]
# The difference between the arms can be anything between these bounds: both zero is not "the same".
# An equivalence claim needs a margin stated beforehand, and far more patients.

# %% [markdown]
# ## 3. Two studies that do not agree
#
# The study of 527 patients saw 12 recurrences. At its rate, how many would be expected here?

# %%
duan = rn.read_facts("duan2024")
years = n * median / 12  # each patient counted with the median: the mean is not printed
duan_years = duan["patients"].count * duan["median_follow_up"].number / 12
expected = duan["recurrences"].count / duan_years * years
print(f"expected {expected:.1f}; probability of none {math.exp(-expected):.3f}")
show(rn.exact_rate_ratio(0, years, duan["recurrences"].count, duan_years))

# %% [markdown]
# None at all is improbable if the two cohorts were alike. They differ, then, in whom they took in,
# in what they called a recurrence, or in how they looked for it: or chance was kind. The P value
# above allows for the other study's rate being an estimate.

# %% [markdown]
# ## 4. The patients, and what "curative" means
#
# Whether a resection was curative is a definition. It is a parameter here.

# %%
cohort = rn.load_cohort("cha2019") if FILE is None else rn.read_cohort(FILE, codebook=CODEBOOK)
cohort["treated"] = (cohort["additional_treatment"] != "none").astype(int)
DEFINITIONS = {
    "margin positive": {"margins": ["positive"], "lvi": False, "above_mm": None, "grades": []},
    "margin positive or indeterminate": {"lvi": False, "above_mm": None, "grades": []},
    "or lymphovascular invasion": {"above_mm": None, "grades": []},
    "or above 10 mm": {"grades": []},
    "or G2": {},
    "as before, but above 15 mm": {"above_mm": 15},
}
for label, definition in DEFINITIONS.items():
    flag = rn.not_curative(cohort, **definition)
    print(f"{label:34} {int(flag.sum()):4d} ({flag.mean():.1%})")

# %%
cohort["not_curative"] = rn.not_curative(cohort).astype(int)
described = ["size_mm", "detection", "first_method", "margin", "lvi"]
show(rn.table_one(cohort, by="not_curative", columns=described))

# %% [markdown]
# ## 5. Who received additional treatment
#
# The printed model has odds ratios of 62 and 76. Four ways of estimating the same model on the
# synthetic cohort: maximum likelihood, Firth's penalty, log-F priors, and exact conditional
# inference.

# %%
no = cohort[cohort["not_curative"] == 1]
FORMULA = 'treated ~ C(detection, ref="polyp") + C(margin, ref="negative") + lvi'
show(rn.separation(no, FORMULA))
fits = {
    "maximum likelihood": rn.logistic(no, FORMULA, penalty=None),
    "Firth": rn.logistic(no, FORMULA),
    "log-F(1,1)": rn.logistic(no, FORMULA, penalty="log-f"),
    "exact": rn.exact_logistic(no, FORMULA),
}
table = pd.concat([fit.to_frame().assign(fit=name) for name, fit in fits.items()])
table = table[table["term"] != "(Intercept)"]
names = table["term"] + " " + table["level"]
show(
    table.assign(term=names)
    .pivot(index="term", columns="fit", values="estimate")
    .round(2)
    .reset_index()
)

# %%
show(fits["exact"])
fits["exact"].plot()
plt.show()

# %% [markdown]
# They agree on the side and differ in the size: a few cells hold hardly anybody. With limits that
# reach from 5 to several hundred, "62" and "76" are not sizes that anyone knows.

# %% [markdown]
# ## 6. Is there anybody to compare?
#
# To ask what additional treatment did, patients with and without it must be alike in what decided
# about it. The probability of treatment shows how far they are.

# %%
score = rn.propensity(no, FORMULA, positivity="flag")
show(score)
score.plot_overlap()
plt.show()
row = score.glance().iloc[0]
print(
    f"c statistic {row['c_statistic']:.2f}; {row['n_treated']:.0f} treated are worth "
    f"{row['ess_treated']:.0f}, {row['n_control']:.0f} others {row['ess_control']:.0f}"
)

# %% [markdown]
# No adjustment, matching or weighting can make up for patients who are not there. And without an
# event there is nothing to adjust.

# %% [markdown]
# ## 7. The same, where patients do recur
#
# In cohorts drawn with the other study's rate, and treatment without any effect, the arms are still
# compared by chance alone: how often is there no event in at least one of them?

# %%
if FILE is None:
    arms = []
    for seed in range(60):
        drawn = rn.draw_cohort("cha2019", truth="duan_rate", seed=seed).data
        drawn = drawn[rn.not_curative(drawn) == 1]
        with_it = drawn["additional_treatment"] != "none"
        arms.append(
            (drawn.loc[with_it, "recurrence"].sum(), drawn.loc[~with_it, "recurrence"].sum())
        )
    arms = pd.DataFrame(arms, columns=["treated", "observed"])
    print(f"no recurrence among the treated in {(arms['treated'] == 0).mean():.0%} of cohorts,")
    print(f"none among the observed in {(arms['observed'] == 0).mean():.0%},")
    print(f"none in either in {(arms.sum(axis=1) == 0).mean():.0%}")

# %% [markdown]
# An arm of 44 patients has no recurrence most of the time, even at a rate at which the whole cohort
# would have several. "0 of 44" was to be expected whatever treatment does.

# %% [markdown]
# ## 8. Claim by claim
#
# The whole study, as `rnetstats reproduce cha2019 --output report` writes it.

# %%
study = rn.reproduce("cha2019", data=FILE, codebook=None if FILE is None else CODEBOOK)
for sentence in study.answer:
    print(sentence)
show(study.display())
