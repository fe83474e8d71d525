# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # What can twelve recurrences prove? The 527-patient margin study, step by step
#
# **The patients in this notebook are synthetic.** They were drawn by a computer in the shape of
# Duan et al. 2024 (Eur J Surg Oncol, PII S0748-7983(24)00703-0): 527 patients with a rectal
# neuroendocrine tumour of up to 20 mm, endoscopic resection first, 181 positive margins, 12
# recurrences, median follow-up 72 months. No estimate below says anything about real patients, and
# none is a result of the study. It shows what a study of this size can and cannot support.
#
# The study reports that a positive margin goes with worse disease-free survival; that resection
# method, lower rectum, NLR > 4.44 and size > 14.89 mm predict a positive margin; and that salvage
# improves disease-free survival. Odds ratios, hazard ratios and P values are not known to us, so
# the question here is not "is the number right?" but "what could these data show?".
#
# **To run it on your own file**, set `FILE` in the next cell and run all cells. The last section
# says which columns are needed.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display

import rnetstats as rn

FILE = None  # your own file, for example "mine.csv"; None takes the synthetic cohort
CODEBOOK = "duan2024"  # or your own, "mine.toml", if your columns are named or coded otherwise

# %%
SEED = 527  # of the synthetic cohort and of the permutation tests
TRUTH = "as_published"  # what is true in the synthetic cohort; also "smooth" and "null"
NLR, SIZE = 4.44, 14.89  # the published cut-offs
PATIENTS, POSITIVE, RECURRENCES = 527, 181, 12  # the published counts
NEGATIVE = PATIENTS - POSITIVE


def show(what):
    """Show a table without row numbers, or a result with its notes."""
    if isinstance(what, pd.DataFrame):
        page = what.to_html(index=False, border=0)
        display({"text/plain": what.to_string(index=False), "text/html": page}, raw=True)
    else:
        display(what)


def limits(row, digits=2):
    """Write an estimate with its 95 % limits."""
    return " ".join(
        [
            f"{row['estimate']:.{digits}f}",
            f"({row['conf_low']:.{digits}f} to {row['conf_high']:.{digits}f})",
        ]
    )


def p_text(p):
    """Write a P value."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


# %% [markdown]
# ## 1. The cohort, and where each of its numbers comes from

# %%
if FILE is None:
    cohort = rn.load_cohort("duan2024", truth=TRUTH)
    drawn = rn.draw_cohort("duan2024", truth=TRUTH, seed=SEED)
    truth = drawn.truth
    print("The embedded cohort is the one drawn with this seed:", cohort.equals(drawn.data))
else:
    cohort = rn.read_cohort(FILE, codebook=CODEBOOK)
    truth = None
MARGINS = pd.CategoricalDtype(["negative", "positive"])
margin = cohort["margin_positive"].map({0: "negative", 1: "positive"}).astype(MARGINS)
cohort = cohort.assign(margin=margin)
about = cohort.attrs["rnetstats"]
about["labels"]["margin"] = "Margin"
MARK = " (synthetic data)" if about.get("synthetic") else ""
print(f"{len(cohort)} patients, {int(cohort['recurrence'].sum())} recurrences{MARK}")
print(*about["notes"], sep="\n")


def true_value(estimand, group="", endpoint="", months=0.0):
    """Return what is true in the synthetic cohort, as text; a dash for a real file."""
    return "–" if truth is None else f"{truth.value(estimand, group, months, endpoint):.2f}"


# %% [markdown]
# Three words keep published and invented apart. **Printed**: it stands in the paper. **Inferred**:
# our reading of something ambiguous (the four method counts are the only split of printed digits
# that adds up to 527; their labels are a reading too). **Chosen**: nobody published it, so a value
# was set, from other publications where there are any. Most columns are chosen:
# [data/synthetic/README.md](../data/synthetic/README.md) tells how, and `parameters.csv` beside it
# gives each value with its source.

# %%
here = Path.cwd()
folders = [p / "data" / "synthetic" for p in (here, *here.parents)]
synthetic = next((p for p in folders if p.is_dir()), None)
if synthetic is None:
    raise FileNotFoundError("Run this inside a checkout of rnetstats: data/synthetic is not here.")
dictionary = pd.read_csv(synthetic / "dictionary.csv", keep_default_na=False)
print(dictionary["standing"].value_counts().to_string())
show(dictionary[["column", "unit", "levels", "description", "standing"]])

# %% [markdown]
# How faithful the drawn cohort is: the printed or inferred value beside the drawn one.
# (`fidelity.csv`, or `drawn.fidelity`.)

# %%
fidelity = pd.read_csv(synthetic / "fidelity.csv")
show(fidelity[fidelity["cohort"] == f"duan2024_{TRUTH}"].drop(columns="cohort"))

# %% [markdown]
# What we do not know is how the 12 recurrences fell on the two margin groups. In the world from
# which this cohort is drawn, 2,000 seeds give the distribution below; the dark bar is this cohort.
# It is one draw among many: remember that when a P value below looks convincing.

# %%
splits = pd.read_csv(synthetic / "splits.csv").query(f"cohort == 'duan2024_{TRUTH}'")
here_a = int(cohort.loc[cohort["margin_positive"] == 1, "recurrence"].sum())
figure, axes = plt.subplots(figsize=(6.5, 3.0), dpi=90, layout="constrained")
colours = ["#0072B2" if a == here_a else "#9CC7E3" for a in splits["positive"]]
axes.bar(splits["positive"], 100 * splits["share"], color=colours)
axes.set_xticks(splits["positive"])
axes.set_xlabel(f"Of {RECURRENCES} recurrences, how many after a positive margin")
axes.set_ylabel("Cohorts, %")
axes.set_title("How the recurrences fall, 2,000 synthetic cohorts", loc="left", fontsize=10)
share = splits.set_index("positive")["share"]
print(f"This cohort: {here_a} after a positive margin.")
print(f"Of 2,000 cohorts, {100 * share.loc[here_a:].sum():.1f} % have that many or more.")

# %% [markdown]
# ## 2. Table 1: the patients by margin
#
# A description, before any follow-up. SMD is the standardised mean difference between the groups:
# it does not grow with the number of patients, as a P value does. All differences of a synthetic
# cohort are those that were put in, plus chance.

# %%
baseline = ["age", "sex", "size_mm", "location", "method", "nlr", "grade", "lvi", "centre"]
present = [name for name in baseline if name in cohort and cohort[name].notna().any()]
show(rn.table_one(cohort, by="margin", columns=present))

# %% [markdown]
# ## 3. What predicts a positive margin?
#
# Here outcomes are plenty: the event is the positive margin itself. The two patients whose
# (inferred) method is "other" are left out: a level with two patients says next to nothing and can
# make a coefficient infinite. "Lower rectum" is a yes/no column.
#
# **Estimand**: the odds ratio of a positive margin, for one predictor alone, or with the three
# others held fixed.

# %%
modelled = cohort[cohort["method"].astype(object) != "other"].copy()
modelled["method"] = modelled["method"].cat.remove_unused_categories()
lower = (modelled["location"].astype(object) == "lower").astype(float)
modelled["lower_rectum"] = lower.where(modelled["location"].notna())
modelled.attrs["rnetstats"]["labels"]["lower_rectum"] = "Lower rectum"
n_positive = int(modelled["margin_positive"].sum())
left_out = len(cohort) - len(modelled)
print(f"{len(modelled)} patients, {n_positive} positive margins; left out: {left_out}")

# %%
four = ["method", "lower_rectum", f"I(nlr > {NLR})", f"I(size_mm > {SIZE})"]
formula = "margin_positive ~ " + " + ".join(four)
LABELS = {four[2]: f"NLR > {NLR}", four[3]: f"Size > {SIZE} mm"}
names_in_truth = {
    ("lower_rectum", ""): "location = lower",
    (four[2], ""): f"nlr > {NLR}",
    (four[3], ""): f"size_mm > {SIZE}",
}


def in_truth(row):
    """Return the name that the truth has for a row of a model."""
    key = (row["term"], row["level"])
    return names_in_truth.get(key, f"{row['term']} = {row['level']}")


def beside(ml, firth, estimand):
    """Put maximum likelihood beside Firth's penalty, and the true value beside both."""
    key = ["term", "level"]
    both = firth.to_frame().merge(ml.to_frame(), on=key, suffixes=("", "_ml"))
    both = both[both["term"] != "(Intercept)"]
    numbers = ["estimate", "conf_low", "conf_high"]
    ml_rows = both[[f"{name}_ml" for name in numbers]].set_axis(numbers, axis=1)
    return pd.DataFrame(
        {
            "predictor": [LABELS.get(term, firth.label(term)) for term in both["term"]],
            "level": both["level"],
            "patients": both["n"].astype(int),
            "positive margins": both["n_events"].astype(int),
            "OR, maximum likelihood (95 % CI)": ml_rows.apply(limits, axis=1),
            "OR, Firth (95 % CI)": both.apply(limits, axis=1),
            "P, Firth": both["p_value"].map(p_text),
            "true OR": [true_value(estimand, in_truth(row)) for _, row in both.iterrows()],
        }
    )


single = {p: rn.univariable(modelled, formula, penalty=p) for p in (None, "firth")}
print("One predictor at a time")
show(beside(single[None], single["firth"], "margin model, univariable"))

# %% [markdown]
# All four together, as the paper's "independent predictors". The published analysis was almost
# surely maximum likelihood. Firth's penalty pulls estimates a little towards no effect and stays
# finite where a level has no event; with this many positive margins the two nearly agree. They
# part where a group is small. An adjusted odds ratio is not automatically a causal effect: each
# factor would need its own set of confounders.

# %%
together = {p: rn.logistic(modelled, formula, penalty=p) for p in (None, "firth")}
show(beside(together[None], together["firth"], "margin model, published"))
row = together["firth"].glance().iloc[0]
print(f"{int(row['n'])} patients, {int(row['n_events'])} positive margins,")
print(f"{row['events_per_parameter']:.0f} outcomes per parameter; separation: {row['separation']}")

# %%
figure, axes = plt.subplots(figsize=(7, 3.0), dpi=90, layout="constrained")
together["firth"].plot(axes)
axes.set_title(f"Positive margin, all four together, Firth{MARK}", loc="left", fontsize=10)
axes = None

# %% [markdown]
# ### Cut-offs or curves?
#
# A cut-off says that a tumour of 14.5 mm carries the same risk as one of 3 mm, and one of 15 mm
# the same as one of 20 mm. A spline lets the data say how the risk changes. `linearity` tests
# whether a straight line is enough.

# %%
smooth = rn.logistic(
    modelled, "margin_positive ~ method + lower_rectum + rcs(nlr, 3) + rcs(size_mm, 3)"
)
tests = smooth.term_tests()
show(tests.assign(p_value=tests["p_value"].map(p_text), statistic=tests["statistic"].round(2)))

# %% [markdown]
# Is a significant cut-off evidence for a threshold? In synthetic worlds we can look. Three cohorts
# share all that is printed, and the same chance (one seed), but differ in what is true: a
# threshold at the published cut-offs (`as_published`), a straight line (`smooth`), nothing at all
# (`null`). Blue: the spline with its 95 % band. Orange: what the model with a cut-off believes.
# Black, dashed: the truth.

# %%
coefficients = pd.read_csv(synthetic / "coefficients.csv")
margin_truth = coefficients[coefficients["model"].str.startswith("positive margin")]


def margin_cohort(world):
    """Return a world's embedded cohort, ready for models of a positive margin."""
    data = rn.load_cohort("duan2024", truth=world)
    data = data[data["method"].astype(object) != "other"].copy()
    data["method"] = data["method"].cat.remove_unused_categories()
    data["lower_rectum"] = (data["location"].astype(object) == "lower").astype(float)
    return data


def true_log_odds(world, sizes):
    """Return the true contribution of size to the log odds of a positive margin."""
    there = margin_truth[margin_truth["cohort"] == f"duan2024_{world}"]
    terms = there.set_index("term")["coefficient"]
    step = terms.get(f"size_mm > {SIZE}", 0.0) * (sizes > SIZE)
    return step + terms.get("size_mm", 0.0) * sizes


WORLDS = ("as_published", "smooth", "null")
curved = formula.replace(four[3], "rcs(size_mm, 3)")
straight = formula.replace(four[3], "size_mm")
rows = []
figure, panels = plt.subplots(1, 3, figsize=(9.5, 3.1), dpi=85, sharey=True, layout="constrained")
for axes, world in zip(panels, WORLDS, strict=True):
    data = margin_cohort(world)
    at_cutoff = rn.logistic(data, formula)
    effect = rn.logistic(data, curved).effect("size_mm")
    line = effect.to_frame()
    sizes = line["value"].to_numpy()
    axes.fill_between(sizes, line["conf_low"], line["conf_high"], color="#0072B2", alpha=0.15)
    axes.plot(sizes, line["estimate"], color="#0072B2")
    size_row = at_cutoff.to_frame().set_index("term").loc[four[3]]
    step = np.where(sizes > SIZE, size_row["estimate"], 1.0)
    axes.plot(sizes, step, color="#D55E00", drawstyle="steps-mid")
    ours = true_log_odds(world, sizes) - true_log_odds(world, np.array([effect.reference]))
    axes.plot(sizes, np.exp(ours), color="black", linestyle="--", linewidth=1)
    axes.set_yscale("log")
    axes.set_ylim(0.2, 30)
    axes.set_yticks([0.25, 0.5, 1, 2, 4, 8, 16], ["0.25", "0.5", "1", "2", "4", "8", "16"])
    axes.minorticks_off()
    axes.set_title(f"{world} (synthetic data)", loc="left", fontsize=10)
    axes.set_xlabel("Tumour size, mm")
    aic = [rn.logistic(data, f, penalty=None).glance()["aic"].iloc[0] for f in (formula, straight)]
    rows.append(
        {
            "truth": world,
            f"patients > {SIZE} mm": int((data["size_mm"] > SIZE).sum()),
            f"OR, > {SIZE} mm (Firth)": limits(size_row),
            "P": p_text(size_row["p_value"]),
            "AIC, cut-off": round(aic[0], 1),
            "AIC, straight line": round(aic[1], 1),
        }
    )
panels[0].set_ylabel("Odds ratio, positive margin")
show(pd.DataFrame(rows))

# %% [markdown]
# Read the column "P". Where it is small in the row `smooth`, a cut-off is "significant" although
# no threshold exists: it shows that risk changes with size somewhere, not that it jumps there.
# Where it is small in the row `null`, it is chance alone. (The smaller AIC describes the data
# better; two units are no great difference.)
#
# There is a plainer sign. Pathologists write sizes in whole or half millimetres. From such sizes
# 14.89 cannot come.

# %%
sizes = modelled["size_mm"].dropna()
below, above = sizes[sizes <= SIZE].max(), sizes[sizes > SIZE].min()
halves = bool(np.allclose(2 * sizes, np.round(2 * sizes)))
print("All sizes are whole or half millimetres:", halves)
print(f"Neighbours of {SIZE} in this file: {below:g} and {above:g} mm.")
print(f"Every cut-off from {below:g} up to (not including) {above:g} makes the same two groups:")
print(f"{int((sizes <= below).sum())} and {int((sizes >= above).sum())} patients.")
nlr = modelled["nlr"].dropna()
print(f"Above NLR {NLR}: {int((nlr > NLR).sum())} of {len(nlr)} patients.")

# %% [markdown]
# Two decimals on half-millimetre sizes are the mark of a search for the best-separating value.
# Such a value looks better in its own data than it will in any other. Below: the best cut-off
# (largest Youden index) in each of the three synthetic cohorts, and in new samples of the same
# patients.


# %%
def youden(values, outcome):
    """Return the cut-off with the largest Youden index: halfway between two values."""
    distinct = np.unique(values)
    above = values[:, None] > distinct[None, :-1]
    gain = above[outcome == 1].mean(axis=0) - above[outcome == 0].mean(axis=0)
    best = int(np.argmax(gain))
    return float(distinct[best : best + 2].mean())


rng = np.random.default_rng(SEED)
rows = []
for world in WORLDS:
    data = margin_cohort(world)
    x, y = data["size_mm"].to_numpy(), data["margin_positive"].to_numpy()
    again = [youden(x[pick], y[pick]) for pick in rng.integers(0, len(x), (500, len(x)))]
    middle = np.percentile(again, [5, 95]).round(1)
    rows.append(
        {
            "truth": world,
            "best cut-off, mm": youden(x, y),
            "in 90 % of 500 resamples": f"{middle[0]:g} to {middle[1]:g} mm",
        }
    )
show(pd.DataFrame(rows))

# %% [markdown]
# The range over resamples shows how unstable the choice is; it is not a confidence interval (for a
# cut-off the bootstrap gives none).
#
# ## 4. What the odds ratios mean as risks
#
# Where a third of patients have the outcome, odds ratios look larger than ratios of risks. The
# **standardised risk** is the average predicted risk of a positive margin if all these patients
# had the value in question, their other values as they are. The difference of two such risks is
# what a clinician can count: per 100 resections.

# %%
fit = together["firth"]
contrasts = {
    "method": list(modelled["method"].cat.categories),
    "lower_rectum": [0.0, 1.0],
    "nlr": [NLR, NLR + 0.01],
    "size_mm": [SIZE, SIZE + 0.01],
}
words = {("nlr", NLR): f"at most {NLR}", ("nlr", NLR + 0.01): f"above {NLR}"}
words |= {("size_mm", SIZE): f"at most {SIZE} mm", ("size_mm", SIZE + 0.01): f"above {SIZE} mm"}
words |= {("lower_rectum", 0.0): "no", ("lower_rectum", 1.0): "yes"}
groups = {"nlr": f"nlr > {NLR}", "size_mm": f"size_mm > {SIZE}"}
rows = []
for name, values in contrasts.items():
    table = fit.risks(name, values=values).to_frame()
    for value in values:
        part = table[table["value"] == value].set_index("measure")
        cell = {"predictor": fit.label(name), "value": words.get((name, value), value)}
        cell["standardised risk, %"] = limits(100 * part.loc["risk", part.columns[3:6]], 0)
        if "risk difference" in part.index:
            difference = part.loc["risk difference", ["estimate", "conf_low", "conf_high"]]
            cell["difference, percentage points"] = limits(100 * difference, 0)
            group = {"lower_rectum": "location = lower"} | groups
            key = group.get(name, f"{name} = {value}")
            real = true_value("margin model, published, standardised", key)
            cell["true difference"] = real if truth is None else f"{100 * float(real):.0f}"
        rows.append(cell)
show(pd.DataFrame(rows).fillna("reference"))

# %% [markdown]
# ## 5. Follow-up
#
# Median follow-up by the **reverse Kaplan-Meier** method: censoring is the event, and a death only
# ends what can be seen. The naive median of the censored times is another quantity, also common in
# papers. We do not know which of them the printed 72 months is; the synthetic cohort takes it for
# the first.

# %%
follow = rn.follow_up(cohort, "Surv(os_months, death) ~ margin")
show(follow)
seen = follow.followed([36, 60, 72]).round({"share_followed": 2})
show(seen.astype({"time": int, "n_observed": int, "n_event": int}))

# %% [markdown]
# ## 6. Outcome by margin: three endpoints, never mixed
#
# - **Time to recurrence**: the event is a recurrence; a death without one ends the follow-up (a
#   cause-specific hazard).
# - **Disease-free survival (DFS)**: the event is the first of recurrence or death from any cause.
# - **Overall survival (OS)**: the event is death from any cause.
#
# How the paper defines DFS is unknown to us, and the first two differ in kind: a margin may cause
# a recurrence, but hardly the deaths from other causes that DFS counts as well. Compare their
# events per arm. Rates are per 1,000 patient-years with exact Poisson limits.

# %%
ENDPOINTS = {
    "time to recurrence": ("dfs_months", "recurrence", "Free of recurrence"),
    "disease-free survival": ("dfs_months", "dfs_event", "Alive, free of recurrence"),
    "overall survival": ("os_months", "death", "Alive"),
}


def surv(endpoint):
    """Return the left side of a formula."""
    time, event, _ = ENDPOINTS[endpoint]
    return f"Surv({time}, {event})"


rows = []
for endpoint, (time, event, _) in ENDPOINTS.items():
    for group, part in cohort.groupby("margin", observed=True):
        years = part[time].sum() / 12
        rate = 1000 * rn.exact_rate(int(part[event].sum()), years).method("central")[
            ["estimate", "conf_low", "conf_high"]
        ].astype(float)
        rows.append(
            {
                "endpoint": endpoint,
                "margin": group,
                "patients": len(part),
                "events": int(part[event].sum()),
                "patient-years": round(years),
                "per 1,000 patient-years (95 % CI)": limits(rate, 1),
            }
        )
show(pd.DataFrame(rows))

# %% [markdown]
# The curves, with beta product limits (Fay, Brittain & Proschan 2013), which hold with few events
# and even with none. The usual log-log limits stand beside them at 60 months: where an arm has no
# event by then, they do not exist at all.

# %%
for endpoint, (_, _, label) in ENDPOINTS.items():
    curve = rn.kaplan_meier(cohort, f"{surv(endpoint)} ~ margin", ci="bpcp")
    axes = curve.plot(censor=False, y_low=0.4, y_label=label)
    axes.figure.set_dpi(80)
    axes.set_xlim(0, 121)
    axes.set_xlabel("Months since the first resection")
    axes.set_title(f"{endpoint.capitalize()}{MARK}", loc="left", fontsize=10)
axes = None

# %%
rows = []
for endpoint in ENDPOINTS:
    by_kind = {
        kind: rn.kaplan_meier(cohort, f"{surv(endpoint)} ~ margin", ci=kind).at(60)
        for kind in ("bpcp", "log-log")
    }
    for k, row in by_kind["bpcp"].iterrows():
        other = by_kind["log-log"].loc[k]
        group = f"margin {row['group']}"
        rows.append(
            {
                "endpoint": endpoint,
                "margin": row["group"],
                "at risk at 60 months": int(row["n_risk"]),
                "free of the event": f"{row['survival']:.3f}",
                "beta product limits": f"{row['conf_low']:.3f} to {row['conf_high']:.3f}",
                "log-log limits": f"{other['conf_low']:.3f} to {other['conf_high']:.3f}",
                "true": "–"
                if truth is None
                else f"{truth.value('survival', group, 60.0, endpoint):.3f}",
            }
        )
show(pd.DataFrame(rows).replace("nan to nan", "none"))

# %% [markdown]
# ### Log-rank tests
#
# **Question**: could a difference as large arise if margins were handed out at random? With 12
# events the chi-square approximation is shaky, so it stands beside a permutation test of the
# labels and, for the 12 recurrences, the exact test. Both assume that the two groups were followed
# alike: the column "censoring" compares exactly that (reverse Kaplan-Meier). `permutation-unequal`
# (Heinze, Gnant & Schemper 2003) does not need it.

# %%
DRAWS = 9_999
rows = []
for endpoint in ENDPOINTS:
    f = f"{surv(endpoint)} ~ margin"
    plain = rn.logrank(cohort, f)
    counts = plain.to_frame().set_index("group")["observed"]
    row = {
        "endpoint": endpoint,
        "events, positive : negative": f"{counts.iloc[1]:.0f} : {counts.iloc[0]:.0f}",
        "P, chi-square": p_text(plain.p_value),
    }
    for method in ("permutation", "permutation-unequal"):
        fit = rn.logrank(cohort, f, method=method, resamples=DRAWS, seed=SEED)
        row[f"P, {method}"] = p_text(fit.p_value)
    if endpoint == "time to recurrence":
        exact = rn.logrank(cohort, f, method="exact")
        row["P, exact"] = p_text(exact.p_value)
        row["P, censoring"] = p_text(exact.glance()["censoring_p_value"].iloc[0])
    else:
        row["P, censoring"] = p_text(fit.glance()["censoring_p_value"].iloc[0])
    rows.append(row)
show(pd.DataFrame(rows).fillna("not computed"))

# %% [markdown]
# ### Hazard ratios
#
# **Estimand**: the ratio of the hazards, positive against negative margin, one covariate. Maximum
# likelihood is biased away from 1 with few events and infinite when an arm has none; Firth's
# penalty keeps it finite. Limits are profile likelihood: they need not be symmetric, and with few
# events they must not be.

# %%
rows = []
for endpoint in ENDPOINTS:
    row = {"endpoint": endpoint}
    for name, penalty in (("maximum likelihood", None), ("Firth", "firth")):
        fit = rn.cox(cohort, f"{surv(endpoint)} ~ margin", penalty=penalty)
        line = fit.to_frame().iloc[0]
        row["events"] = int(fit.glance()["n_events"].iloc[0])
        row[f"HR, {name} (95 % CI)"] = limits(line)
        row[f"P, {name}"] = p_text(line["p_value"])
    row["upper : lower limit, Firth"] = f"{line['conf_high'] / line['conf_low']:.0f} : 1"
    row["true HR"] = true_value("positive against negative margin", endpoint=endpoint)
    rows.append(row)
show(pd.DataFrame(rows))

# %% [markdown]
# Look at the width for time to recurrence, the upper limit over the lower one. "Worse" may be
# shown; "how much worse" is not. Then compare with the true value: where few events decide, the
# cohorts that look most convincing are also those that overstate the most. And DFS asks another
# question of the same patients, because most of its events are deaths.
#
# ## 7. What twelve events can support, from the printed numbers alone
#
# No patient is needed for this. There are only 13 ways in which 12 recurrences can fall on 181
# positive and 346 negative margins. For each, Fisher's exact test (two-sided). The paper does not
# say, in what we have, which of these rows it saw.

# %%
rows = []
for a in range(RECURRENCES + 1):
    b = RECURRENCES - a
    test = rn.exact_table([[a, POSITIVE - a], [b, NEGATIVE - b]])
    rows.append({"a": a, "b": b, "p": test.glance()["fisher_p"].iloc[0]})
fisher = pd.DataFrame(rows)
worse = fisher[fisher["a"] / POSITIVE > fisher["b"] / NEGATIVE]
needed = int(worse.loc[worse["p"] < 0.05, "a"].min())
show(
    pd.DataFrame(
        {
            "positive : negative": [f"{r.a} : {r.b}" for r in fisher.itertuples()],
            "risk, positive": [f"{100 * a / POSITIVE:.1f} %" for a in fisher["a"]],
            "risk, negative": [f"{100 * b / NEGATIVE:.1f} %" for b in fisher["b"]],
            "Fisher P": [p_text(p) for p in fisher["p"]],
        }
    )
)
print(f"'Significantly worse' needs at least {needed} of the {RECURRENCES} among the positives.")
print(f"{RECURRENCES} of {PATIENTS} is {100 * RECURRENCES / PATIENTS:.2f} %; printed: 2.2 %.")

# %% [markdown]
# One patient decides. Two synthetic cohorts from the same world, the one with that many
# recurrences after a positive margin, the other with one fewer:

# %%
rows = []
for a in (needed - 1, needed):
    world = rn.draw_cohort("duan2024", truth=TRUTH, seed=SEED, split=(a, RECURRENCES - a)).data
    f = "Surv(dfs_months, recurrence) ~ margin_positive"
    table = rn.exact_table(world, "recurrence ~ margin_positive")
    line = rn.cox(world, f).to_frame().iloc[0]
    rows.append(
        {
            "recurrences, positive : negative": f"{a} : {RECURRENCES - a}",
            "Fisher P": p_text(table.glance()["fisher_p"].iloc[0]),
            "log-rank P": p_text(rn.logrank(world, f).p_value),
            "log-rank P, exact": p_text(rn.logrank(world, f, method="exact").p_value),
            "HR, Firth (95 % CI)": limits(line),
        }
    )
show(pd.DataFrame(rows))

# %% [markdown]
# Twelve events carry about one covariate. The model below asks for more; Firth's penalty still
# gives numbers, and the row of "events per parameter" says what they are worth.

# %%
more = [n for n in ("size_mm", "grade", "lvi") if n in present]
crowded = rn.cox(cohort, "Surv(dfs_months, recurrence) ~ margin + " + " + ".join(more))
show(crowded)
per = crowded.glance().iloc[0]
print(f"{int(per['n_events'])} recurrences, {per['events_per_parameter']:.1f} per parameter.")

# %% [markdown]
# ### The ceiling of salvage
#
# Suppose the extreme: all 12 recurrences fell among the 181 positive margins, every one of the 181
# was salvaged, and every salvage worked.

# %%
free = POSITIVE - RECURRENCES
print(f"{free} of {POSITIVE} ({100 * free / POSITIVE:.1f} %) did not recur, whatever was done.")
print(f"At best one recurrence prevented per {POSITIVE / RECURRENCES:.1f} salvages.")

# %% [markdown]
# And how many salvages would a "significant" benefit need? The table is one of those that
# `reproduce` writes: the fewest salvaged patients at which Fisher's test calls recurrence less
# frequent after salvage.

# %%
if FILE is None:
    result = rn.reproduce("duan2024", truth=TRUTH, seed=SEED)
else:
    result = rn.reproduce("duan2024", data=FILE, codebook=CODEBOOK, seed=SEED)
show(result.table("needed_salvages").shown)

# %% [markdown]
# ## 8. Salvage: the naive comparison, without a verdict
#
# The paper says that salvage improves DFS. The comparison below counts patients as "salvaged" from
# the day of the first resection. That is **naive**: a patient must live, free of recurrence, until
# the salvage to be counted in that group (immortal time), and who is salvaged is not left to
# chance. The column "before salvage" gives the share of the group's person-time that is
# misclassified. A valid analysis counts a patient as salvaged only from the day of salvage on and
# compares like with like: notebook [03](03_salvage.ipynb) does that, and so does the report. No
# verdict rests on the comparison here.
#
# **Endpoint**: time to recurrence. For an arm without events the interval is one bound.

# %%
if "salvage" in cohort and cohort["salvage"].notna().any():
    positives = cohort[(cohort["margin_positive"] == 1) & cohort["salvage"].notna()].copy()
    positives["salvage"] = positives["salvage"].cat.remove_unused_categories()
    rows = []
    for kind, part in positives.groupby("salvage", observed=True):
        years = part["dfs_months"].sum() / 12
        events = int(part["recurrence"].sum())
        rate = 1000 * rn.exact_rate(events, years).method("central")[
            ["estimate", "conf_low", "conf_high"]
        ].astype(float)
        waiting = 0.0
        if "salvage_months" in part:
            waiting = np.minimum(part["salvage_months"], part["dfs_months"]).sum() / 12
        rows.append(
            {
                "salvage": kind,
                "patients": len(part),
                "recurrences": events,
                "patient-years": round(years),
                "before salvage (misclassified)": f"{100 * waiting / years:.1f} %",
                "per 1,000 patient-years (95 % CI)": limits(rate, 1),
            }
        )
    show(pd.DataFrame(rows))
    curve = rn.kaplan_meier(positives, "Surv(dfs_months, recurrence) ~ salvage", ci="bpcp")
    axes = curve.plot(censor=False, band=False, y_low=0.6, y_label="Free of recurrence")
    axes.figure.set_dpi(80)
    axes.set_xlim(0, 121)
    axes.set_xlabel("Months since the first resection")
    axes.set_title(f"NAIVE, by salvage from time zero{MARK}", loc="left", fontsize=10)
    axes = None

# %% [markdown]
# In the synthetic world the effect of salvage is known, so the two estimands can be set side by
# side. They are different questions, not two estimates of one truth: the *time-dependent* hazard
# ratio compares patients from the day of salvage on; the *naive* one is what an unlimited cohort
# would give to the comparison from time zero. Both keep the confounding by tumour size, grade and
# lymphovascular invasion that the recipe holds.

# %%
if truth is not None:
    rows = []
    any_salvage = positives.assign(salvaged=(positives["salvage"].astype(object) != "none") * 1)
    for endpoint in ("time to recurrence", "disease-free survival"):
        fit = rn.cox(any_salvage, f"{surv(endpoint)} ~ salvaged")
        rows.append(
            {
                "endpoint": endpoint,
                "events, all positives": int(fit.glance()["n_events"].iloc[0]),
                "naive HR, any salvage, Firth": limits(fit.to_frame().iloc[0]),
                "true, naive": true_value(
                    "salvage, naive, from time zero", "any against none", endpoint
                ),
                "true, time-dependent": true_value(
                    "salvage, time-dependent", "any against none", endpoint
                ),
            }
        )
    show(pd.DataFrame(rows))

# %% [markdown]
# ## 9. Claim by claim
#
# `rn.reproduce` does all of the above in one call and judges each claim by [published
# rules](../docs/verdicts.md) on events per arm, width and direction of the interval. `because`
# gives the rule at work. "Confirmed" means: in these (synthetic) data. The rules are set so that,
# where nothing is true, a report confirms a claim in at most 5 % of cohorts.

# %%
claims = result.claims
show(
    claims[["statement", "endpoint", "events", "estimate_text", "verdict"]].rename(
        columns={"estimate_text": "estimate (95 % CI)"}
    )
)
show(claims[["statement", "estimand", "method", "because"]])

# %%
print(*result.answer, sep="\n\n")

# %%
figure, axes = plt.subplots(figsize=(8, 3.6), dpi=80, layout="constrained")
result.plot(axes)
axes.set_title(f"The estimate behind each judged claim{MARK}", loc="left", fontsize=10)
axes = None

# %% [markdown]
# ## 10. On your own file
#
# 1. Copy the study's codebook (`src/rnetstats/studies/duan2024/codebook.toml`) as `mine.toml`, and
#    write into it where your names, codes and units differ (`source`, `recode`, `unit_in`: see
#    [docs/codebook.md](../docs/codebook.md)). If your columns already have the study's names, you
#    need none.
# 2. Needed: `patient_id`, `margin_positive`, `method`, `location`, `nlr`, `size_mm`, `dfs_months`,
#    `recurrence`, `os_months`, `death`. Optional: `salvage_days`, `grade`, `lvi`, `centre`,
#    `enrolment_date`; and, with `required = false` in their tables of `mine.toml`, `salvage`, `age`
#    and `sex`.
# 3. Set `FILE = "mine.csv"` (and `CODEBOOK = "mine.toml"`) in the first cell and run all cells.
#    Columns with "true" values then show a dash; section 3's three worlds and section 7's drawn
#    cohorts stay synthetic and say so.
#
# The whole report, as one page to read on any device, comes from the command line:
#
# ```sh
# rnetstats reproduce duan2024 --data mine.csv --codebook mine.toml --output report
# ```
