# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # One case, several guidelines, and a threshold
#
# **Decision support for research; not advice on a patient.** A page of questions and answers sends
# a patient of 78 years with a tumour of 6 cm to a major operation after an endoscopic resection. Is
# that what guidelines say? What do they ask for first? How often do guidelines give one patient
# different steps, over a whole cohort? And how probable would a residual tumour have to be before
# surgery is better than watching, when at that age other deaths come first?
#
# The case is read from the file of printed figures. **The cohort is synthetic**: drawn by a
# computer in the shape of Duan et al. 2024; nothing here says anything about real patients. All
# guidelines are second-hand, taken from a chart and from reviews that cite them; each rule carries
# its source.
#
# **To run it on your own file**, set `FILE` in the next cell and run all cells.

# %%
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display

import rnetstats as rn

FILE = None  # your own file, for example "mine.csv"; None takes the synthetic cohort
CODEBOOK = "management"  # or your own, "mine.toml", if your columns are named or coded otherwise


def show(what):
    """Show a table without row numbers, or a result with its notes."""
    if isinstance(what, pd.DataFrame):
        page = what.to_html(index=False, border=0)
        display({"text/plain": what.to_string(index=False), "text/html": page}, raw=True)
    else:
        display(what)


def say(*sentences):
    """Write sentences whose numbers were computed."""
    text = " ".join(sentences)
    display({"text/plain": text, "text/markdown": text}, raw=True)


def panel(width=7.6, height=4.6):
    """Return small axes."""
    return plt.subplots(figsize=(width, height), dpi=72, layout="constrained")[1]


# %% [markdown]
# ## 1. The case
#
# **Question**: what does the page tell, and what does it answer? Each line has a standing: printed,
# or derived from what is printed, or inferred.

# %%
facts = rn.read_facts("management")
told = [key for key in facts.facts if key.startswith(("case_", "page_"))]
show(
    pd.DataFrame(
        [(facts[key].label, facts[key].text, facts[key].standing) for key in told],
        columns=["what", "as it stands", "standing"],
    )
)

# %% [markdown]
# Two things stand out. The follow-up equals that of a guideline for *adenocarcinoma* of the rectum,
# another disease. And the page does not ask whether there are distant metastases.
#
# ## 2. The rules, as data
#
# **Question**: what do the guidelines say, cell by cell? A rule has conditions, with the edges of
# sizes named, a next step, what must be established first, a grade of evidence where one is
# printed, a source, a standing, and what the source leaves out.

# %%
rules = rn.guidelines()
after = rules[rules["situation"] == "after resection"]
show(after[["name", "cell", "conditions", "step", "evidence"]][after["answer"] != "no rule"])
say("What a guideline is silent on is a rule, too:")
show(after.loc[after["why"] != "", ["name", "conditions", "why"]])

# %% [markdown]
# ## 3. The case by each rule sheet
#
# **Question**: would guidelines take the same step, and what would they ask for first?

# %%
case = pd.DataFrame(
    {
        "size_mm": [facts["case_size_mm"].number],
        "t_stage": [facts["case_t"].value],
        "grade": [facts["case_grade"].value],
        "margin": ["R1"],
        "lvi": [1],
    },
    index=["the case"],
)
answers = {}
for key in ("page", "enets2023", "nccn2025"):
    result = rn.classify(case, guideline=key)
    answers[key] = result.patients.iloc[0]
    show(result.explain("the case"))
say(
    "The step is the same:",
    f"{'; '.join(f'{key}: {row.step}' for key, row in answers.items())}.",
    f"Both guidelines first: {answers['enets2023'].open}. The page: nothing.",
)

# %% [markdown]
# **The same action by other rules**, then: ENETS acts on more than 2 cm and, by itself, on
# lymphovascular invasion; NCCN on T2 to T4 of more than 2 cm. But both only after distant
# metastases are excluded, and subject to fitness and a tumour board, in a patient with several
# other diseases who prefers no major surgery. No rule settles that.
#
# What if one finding were different?

# %%
changes = {
    "as it is": {},
    "no lymphovascular invasion": {"lvi": 0},
    "15 mm, T1": {"size_mm": 15.0, "t_stage": "T1"},
    "15 mm, T1, no lymphovascular invasion": {"size_mm": 15.0, "t_stage": "T1", "lvi": 0},
    "distant metastases": {"distant_metastases": 1},
    "not fit for surgery": {"fit_for_surgery": 0},
    "lymphovascular invasion not reported, 15 mm": {
        "size_mm": 15.0,
        "t_stage": "T1",
        "lvi": None,
    },
}
rows = []
for words, change in changes.items():
    row = {"the case": words}
    for key in ("enets2023", "nccn2025"):
        found = rn.classify(case.assign(n_stage="N0", **change), guideline=key)
        one = found.patients.iloc[0]
        row[found.name] = one["step"] or f"{one['answer']}: {one['why'] or one['needs']}"
    rows.append(row)
show(pd.DataFrame(rows))

# %% [markdown]
# ## 4. No probability from a model made for other tumours
#
# **Question**: can the model of the 527-patient study tell how probable a positive margin was? It
# knows tumours of up to 20 mm. Location and neutrophil-to-lymphocyte ratio are not told of the case
# and are filled in from the cohort's middle, so that size alone decides.

# %%
duan = rn.load_cohort("duan2024")
model = rn.risk_model(rn.logistic(duan, "margin_positive ~ method + location + nlr + size_mm"))
asked = pd.DataFrame(
    {
        "size_mm": [facts["case_size_mm"].number, 12.0],
        "method": "ESD",
        "location": duan["location"].mode()[0],
        "nlr": duan["nlr"].median(),
    },
    index=["the case", "a tumour of 12 mm"],
)
show(model.predict(asked, outside="flag")[["risk", "in_domain", "reason"]].reset_index())
try:
    model.predict(asked.iloc[[0]], outside="raise")
except rn.errors.DataError as error:
    say(f"With `outside='raise'` it stops: {error}")

# %% [markdown]
# A refusal is the right answer. `outside="extrapolate"` would give a number; nobody in the study
# stands behind it.
#
# ## 5. A cohort through the rules
#
# **Question**: what would each guideline do with a whole cohort? Every patient has exactly one of
# three answers: a step, no rule (and why), or the guideline cannot be applied (and what is
# missing).

# %%
cohort = duan if FILE is None else rn.read_cohort(FILE, codebook=CODEBOOK)
MARK = " (synthetic data)" if cohort.attrs["rnetstats"].get("synthetic") else ""
enets = rn.classify(cohort, guideline="enets2023")
show(enets)
axes = enets.plot(panel(8.2, 3.4))

# %% [markdown]
# ENETS acts on a "higher" G2, but which Ki-67 makes it higher is not known here, so that these
# patients cannot be classified. NCCN goes by T stage and nodes. Where a file does not have them,
# an assumption has to be made, and is recorded.

# %%
nccn = rn.classify(cohort, guideline="nccn2025")
show(nccn.to_frame()[["answer", "step", "needs", "n"]])
assumed = {"invasion": "submucosa", "n_stage": "N0"}
nccn = rn.classify(cohort, guideline="nccn2025", assume=assumed)
show(nccn)

# %% [markdown]
# A true R1 has no cell of its own in NCCN, and what follows an R0 resection is not known of ENETS:
# on the same patients the two hardly ever both speak.
#
# ## 6. How much hangs on a definition?
#
# **Question**: how many answers change when one definition is another? Edges of size, what counts
# as an incomplete resection, and which G2 is a higher one differ between documents.

# %%
definitions = {
    "10 mm with the smaller": {"edge_10": "smaller"},
    "10 mm with the larger": {"edge_10": "larger"},
    "20 mm with the smaller": {"edge_20": "smaller"},
    "20 mm with the larger": {"edge_20": "larger"},
    "lymphovascular invasion is incomplete": {"lvi_as_positive": True},
    "every G2 is a higher one": {"higher_g2": "all"},
    "no G2 is a higher one": {"higher_g2": "none"},
}
places = [
    ("enets2023", "primary"),
    ("enets2023", "after resection"),
    ("nccn2025", "after resection"),
    ("cnets", "1-2 cm"),
]
rows = []
for words, change in definitions.items():
    row = {"definition": words}
    for key, situation in places:
        how = {"guideline": key, "situation": situation, "assume": assumed}
        one = rn.classify(cohort, **how).patients[["answer", "step"]]
        other = rn.classify(cohort, **how, **change).patients[["answer", "step"]]
        row[f"{key}, {situation}"] = int((one != other).any(axis=1).sum())
    rows.append(row)
say(f"Patients of {len(cohort)} whose answer changes{MARK}:")
show(pd.DataFrame(rows))

# %% [markdown]
# ## 7. Where guidelines disagree
#
# **Question**: for 1 to 2 cm, do five guidelines give the same step? Reviews print them side by
# side: radical with nodes (JNETS), a tumour board (ENETS), local or radical by a risk factor
# (CNETS), local with close surveillance (NCCN), transanal unless the stage is higher (CSCO).

# %%
between = rn.guideline_disagreement(cohort, situation="1-2 cm", assume=assumed)
show(between)
between.plot(panel(8.2, 4.4))
row = between.glance().iloc[0]
say(
    f"{row['n_disagree']} of {row['n_compared']} patients with a tumour of 1 to 2 cm are given",
    f"different steps by the five{MARK}."
    if row["n_compared"]
    else f"different steps: there is no such tumour{MARK}.",
)

# %% [markdown]
# That all of them differ is no accident: one guideline says radical to everybody, another local to
# everybody. "By tumour board" counts as a step of its own; let it agree with either resection, and
# see what is left:

# %%
either = rn.guideline_disagreement(
    cohort, situation="1-2 cm", assume=assumed, tumour_board="either"
)
show(either.display())
display(between.cross_table("jnets", "cnets"))

# %% [markdown]
# ## 8. When would surgery be better?
#
# **Question**: how probable must a residual be? Surgery harms everybody a little (operative deaths,
# lasting morbidity) and helps those with a residual. The threshold of Pauker and Kassirer is where
# both weigh the same. Other causes of death compete: what a residual can still take away is less,
# the fewer years are left.
#
# **None of these inputs is known from the documents, and the function has no default for any.** The
# ranges below are made up to show the method: put your own, from a life table for the patient's age
# and diseases, from the surgeons' results, and from the patient.

# %%
MADE_UP = {
    "fatal": (0.05, 0.15, 0.40),  # a residual under surveillance kills, were there no other cause
    "fatal_within": 10,  # years
    "efficacy": (0.80, 0.90, 0.97),  # share of residuals that surgery removes
    "operative_mortality": (0.01, 0.03, 0.06),
    "utility_loss": (0.02, 0.05, 0.12),  # of each later year
    "life_expectancy": (5.0, 9.0, 13.0),  # years, without the tumour
}
found = rn.treatment_threshold(**MADE_UP)
show(found)
axes = found.plot(panel(7.4, 5.0))

# %% [markdown]
# A region, not an answer: with ranges like these most of the square depends on the inputs. Which of
# them matter most?

# %%
axes = found.plot_tornado(panel(8.4, 4.2))
axes = found.plot_two_way("life_expectancy", "fatal", panel(7.4, 4.8))

# %%
years = [20.0, 13.0, 9.0, 5.0, 3.0]
show(
    pd.DataFrame(
        {
            "life expectancy without the tumour": [f"{value:g} years" for value in years],
            "threshold, other inputs central": [
                "none high enough" if value == float("inf") else f"{100 * value:.0f} %"
                for value in found.at(life_expectancy=years)
            ],
        }
    )
)

# %% [markdown]
# The threshold rises in proportion to 1 + m / l, the rate of other deaths over that of deaths from
# a residual. At high ages it may pass 1: then not even a certain residual would make surgery
# better, under these inputs.
#
# The model is simple on purpose: constant hazards, no harm by a residual short of death, no test
# before the decision. It shows which numbers a decision hangs on; it does not make one.
#
# ## 9. What may be said
#
# 1. For the page's case two guidelines, second-hand, take the same step; both ask first for what
#    the page leaves out, the exclusion of distant metastases.
# 2. Its follow-up is transferred from a guideline for another disease, and is labelled so.
# 3. The margin model has nothing to say on a tumour of this size, and says that.
# 4. For 1 to 2 cm five guidelines differ on every patient; "according to guidelines" says little
#    there without naming which.
# 5. Whether surgery is better hangs on numbers that none of the documents gives.
#
# More: [docs/guidelines.md](../docs/guidelines.md).
