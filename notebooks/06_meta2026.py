# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Two percentages and an odds ratio: what 34 pooled studies say of salvage
#
# **No patient is in this notebook.** It works from what a meta-analysis prints (World J
# Gastroenterol 2026;32(3):113452: 34 studies, 2279 incomplete resections of rectal neuroendocrine
# tumours) and from counts of single studies in their own publications. What is pooled again here
# is ours; it is not the meta-analysis's result.
#
# After salvage 0.96 % recurred, under observation 2.96 %, P = 0.003. Within the studies that
# compare both, the odds ratio is 0.89. How can both be right, and what follows?
#
# **To run it on your own table of studies**, set `FILE` in the next cell and run all cells. The
# file has a row a study: `study, events_1, n_1, events_2, n_2` (recurrences and patients after
# salvage and under observation), and, if known, `residual` and `method`.

# %%
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display

import rnetstats as rn

FILE = None  # your own table, for example "studies.csv"; None takes the studies that are known
CODEBOOK = "meta2026"  # or your own, "mine.toml", if your columns are named otherwise


def show(what):
    """Show a table without row numbers, or a result with its notes."""
    if isinstance(what, pd.DataFrame):
        page = what.to_html(index=False, border=0)
        display({"text/plain": what.to_string(index=False), "text/html": page}, raw=True)
    else:
        display(what)


# %% [markdown]
# ## 1. What is printed, and what is not
#
# Each figure has a standing: printed, derived by arithmetic, inferred (our reading), or unknown.

# %%
facts = rn.read_facts("meta2026")
main = [key for key in facts.facts if facts[key].where == "document or its abstract"]
unknown = [key for key, fact in facts.facts.items() if fact.standing == "unknown"]
show(
    pd.DataFrame(
        [
            (facts[key].label, facts[key].text or "not in print", facts[key].standing)
            for key in main + unknown
        ],
        columns=["figure", "value", "standing"],
    )
)

# %% [markdown]
# The whole study is one call, the one that `rnetstats reproduce meta2026 --output report` makes;
# with `--data studies.csv` it runs on a table of your own. The steps below take its tables apart
# and repeat what matters by hand.

# %%
study = rn.reproduce("meta2026", data=FILE, codebook=None if FILE is None else CODEBOOK)
for sentence in study.answer:
    print(sentence)


def show_table(name):
    """Show a table of the study with its title and notes; nothing where it could not be made."""
    if name in study.tables:
        exhibit = study.table(name)
        print(exhibit.title)
        show(exhibit.display())
        for note in exhibit.notes:
            print("-", note)


# %% [markdown]
# ## 2. The crude odds ratio is a product
#
# The crude rates sum patients over 31 studies; 9 of them compare salvage with observation. The
# crude odds ratio is the one within studies times what studies differ by. This is arithmetic,
# whatever the counts are.

# %%
low, high = (facts[f"crude_{arm}"].number / 100 for arm in ("salvage", "observation"))
crude = low / (1 - low) / (high / (1 - high))
within = facts["comparative_or"].number
print(f"crude {crude:.2f} = within {within:.2f} x between {crude / within:.2f}")
show_table("crude")

# %% [markdown]
# Nine tenths of the (logarithm of the) difference lie between studies. Even at the lowest odds
# ratio that the printed limits allow within studies, something is left.
#
# How easily does summing patients find a difference that no study has? In these simulated
# meta-analyses salvage does nothing. "Between centres" is by how much centres that salvage differ
# from centres that observe, for other reasons: whom they take in, how long they look.

# %%
show_table("simulation")

# %% [markdown]
# With centres that differ by a factor of four, the print is nothing unusual, and the studies that
# compare say, rightly, that there is no effect.

# %% [markdown]
# ## 3. Which counts are behind the percentages?
#
# The counts are not printed. But whole numbers that print both percentages and P = 0.003 can be
# listed.

# %%
worlds = rn.matching_tables(
    facts["crude_salvage"].value,
    facts["crude_observation"].value,
    p=facts["crude_p"].value,
    at_most=facts["incomplete_cases"].count,
)
show(worlds)
worlds.plot()
plt.show()

# %% [markdown]
# Quite different sizes of the arms agree with the print: they are not determined by it.

# %% [markdown]
# ## 4. The studies whose counts are known
#
# Without a file these are counts by arm that stand in publications of single studies. Where a count
# is not known, the study is left out; nothing is filled in.

# %%
show_table("own_parts")
counts = ["study", "events_1", "n_1", "events_2", "n_2"]
both = study.tables["comparison"][counts] if "comparison" in study.tables else None
if both is not None:
    both = both.astype(dict.fromkeys(counts[1:], int))
    show(both)

# %% [markdown]
# Pooled by inverse variance first, as the meta-analysis did it.

# %%
if both is not None:
    pooled = rn.meta_analysis(both, measure="OR")
    show(pooled)
    pooled.plot(arms=("Salvage", "Observation"), favours=("salvage", "observation"))
    plt.show()

# %% [markdown]
# Then by every method for rare events. Studies without any event say nothing of a ratio in some of
# them, and count in others.

# %%
if both is not None:
    rare = pooled.rare_events()
    show(rare)
    rare.plot()
    plt.show()

# %%
if both is not None:
    show(rare.assumptions())
    for limits in ("wald", "hartung-knapp", "hartung-knapp-adhoc"):
        row = rn.meta_analysis(both, measure="OR", ci=limits).glance().iloc[0]
        print(
            f"{limits:22} {row['estimate']:.2f} ({row['conf_low']:.2g} to {row['conf_high']:.3g})"
        )
    show_table("sensitivity")

# %% [markdown]
# Of few events one can learn how little they say. With two or three studies there is no prediction
# interval worth the name; Hartung-Knapp limits rest on hardly any degrees of freedom, and with a
# floor they may reach from nothing to anything.

# %% [markdown]
# ## 5. Residual tumour in a quarter, recurrence in few
#
# Recurrence under observation = residual tumour × it grows within the follow-up × it is found. Only
# the product is printed.

# %%
observed = facts["crude_observation"].number / 100
for key in ("residual_low", "residual_percent", "residual_high"):
    share = facts[key].number / 100
    print(f"residual tumour {share:.0%}: grows and is found in {observed / share:.1%}")
for found in (1.0, 0.5, 0.25):
    print(f"found {found:.0%}: salvage prevents at most {observed / found:.1%}")
show_table("benefit")

# %% [markdown]
# This assumes that the observed had as much residual tumour as the salvaged, which is doubtful: the
# doubtful cases were salvaged.

# %% [markdown]
# ## 6. How many patients would settle it?

# %%
size = rn.information_size(
    measure="OR",
    effect=0.5,
    control_risk=facts["crude_observation"].number / 100,
    diversity=[0, 0.25, 0.5],
    patients=facts["incomplete_cases"].count,
)
show(size)
size.plot()
plt.show()

# %% [markdown]
# All cases of all 34 studies, comparative or not, are fewer than the least that is required.

# %% [markdown]
# ## 7. Incomplete resection and residual tumour
#
# Pooled rates without limits, beside the few series whose counts are known; what the rates give on
# the mixes of methods of single studies; and the scale behind the limits of residual tumour.

# %%
for name in ("methods", "mixes", "residual_scale", "residual"):
    show_table(name)

# %% [markdown]
# ## 8. Claim by claim

# %%
show(study.display())
