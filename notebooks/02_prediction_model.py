# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Is it a prediction model? Four predictors of a positive margin, from cut-off to calculator
#
# **The patients in this notebook are synthetic.** They were drawn by a computer in the shape of
# Duan et al. 2024 (Eur J Surg Oncol, PII S0748-7983(24)00703-0): 527 patients with a rectal
# neuroendocrine tumour of up to 20 mm, endoscopic resection first, 181 positive margins. No
# estimate below says anything about real patients, and none is a result of the study.
#
# The study names four predictors of a positive margin: the method of resection, a tumour of the
# lower rectum, NLR > 4.44 and size > 14.89 mm. From four predictors to a model that may stand
# beside a patient is a long way. This notebook walks it, once as such models are usually made and
# judged, and once with every step repeated that the data had a say in. Because the cohorts are
# drawn, the right answer is known, and section 7 looks it up.
#
# **To run it on your own file**, set `FILE` in the next cell and run all cells. Sections 7 and 10
# stay synthetic and say so.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display

import rnetstats as rn

FILE = None  # your own file, for example "mine.csv"; None takes the synthetic cohort
CODEBOOK = "duan2024"  # or your own, "mine.toml", if your columns are named or coded otherwise

# %%
SEED = 527  # of resamples, permutations and drawn cohorts
RESAMPLES = 400
TRUTH = "as_published"  # what is true in the synthetic cohort; also "smooth" and "null"
NLR, SIZE = 4.44, 14.89  # the published cut-offs
THRESHOLDS = np.arange(5, 71) / 100  # risks of a positive margin at which one might act


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


def label(name):
    """Return the printed name of a column."""
    return cohort.attrs["rnetstats"]["labels"].get(name, name)


def panels(count=1, width=4.8, height=3.7):
    """Return small axes side by side."""
    size = (width * count, height)
    return plt.subplots(1, count, figsize=size, dpi=72, layout="constrained")[1]


def ready(data):
    """Return a cohort with the model's columns, without the method "other"."""
    data = data[data["method"].astype(object) != "other"].copy()
    data["method"] = data["method"].cat.remove_unused_categories()
    lower = (data["location"].astype(object) == "lower").astype(float)
    data["lower_rectum"] = lower.where(data["location"].notna())
    data.attrs["rnetstats"]["labels"] |= {"lower_rectum": "Lower rectum"}
    return data


# %%
if FILE is None:
    cohort = ready(rn.load_cohort("duan2024", truth=TRUTH))
else:
    cohort = ready(rn.read_cohort(FILE, codebook=CODEBOOK))
MARK = " (synthetic data)" if cohort.attrs["rnetstats"].get("synthetic") else ""
n, events = len(cohort), int(cohort["margin_positive"].sum())
say(f"{n} patients, {events} positive margins ({100 * events / n:.0f} %){MARK}.")

# %% [markdown]
# ## 1. Which decision is the model for?
#
# A risk is of use if it is known in time and if somebody would act on it. Two questions come
# before any statistics.
#
# **When?** The margin is read from the specimen and known within days. A prediction is therefore
# of use *before* the resection only, and may use nothing that the specimen tells: not the
# pathologist's size to a tenth of a millimetre, not lymphovascular invasion, not the grade unless
# from a biopsy.
#
# **What for?** One of the four predictors, the method, is itself the decision. "This patient's
# risk is 40 % under mEMR and 22 % under ESD" is a sentence about what an action would change, and
# needs that the patients of the two methods were alike in all else that matters: easy tumours may
# have been given to the one, difficult ones to the other. A prediction model does not promise
# that. It answers "how often is the margin positive among patients *like these, treated as these
# were*?", and could serve to refer a patient above some risk to a centre with more experience. The
# **threshold probability** of that decision, say 30 %, states a price: how many needless referrals
# are accepted for one that was due. Net benefit, below, weighs them so.
#
# ## 2. The published model
#
# The formula as published, with Firth's penalty, and by maximum likelihood as the study will have
# done. The published coefficients are not known to us: these are fits on the cohort above.

# %%
FOUR = f"method + lower_rectum + I(nlr > {NLR}) + I(size_mm > {SIZE})"
published = rn.logistic(cohort, f"margin_positive ~ {FOUR}")
ml = rn.logistic(cohort, f"margin_positive ~ {FOUR}", penalty=None)
both = published.to_frame().merge(ml.to_frame(), on=["term", "level"], suffixes=("", "_ml"))
both = both[both["term"] != "(Intercept)"]
show(
    pd.DataFrame(
        {
            "predictor": [published.label(term) for term in both["term"]],
            "level": both["level"],
            "OR, Firth": both["estimate"].round(2),
            "95 % CI": [
                f"{a:.2f} to {b:.2f}" for a, b in zip(both.conf_low, both.conf_high, strict=True)
            ],
            "OR, maximum likelihood": both["estimate_ml"].round(2),
        }
    )
)

# %% [markdown]
# For risks, Firth's penalty has a price: it draws them towards one half. `risk_model` therefore
# keeps the slopes and finds the intercept again, by default (**FLIC**), so that the mean risk is
# the observed share. With 181 events the difference is small; with 12 it is not.

# %%
model = rn.risk_model(published)
raw = rn.risk_model(published, intercept="model")
known = cohort[list(model.variables)].dropna()
share = cohort.loc[known.index, "margin_positive"].mean()
say(
    f"Observed {100 * share:.2f} %; mean risk with Firth's own intercept",
    f"{100 * raw.predict(known)['risk'].mean():.2f} %, with FLIC",
    f"{100 * model.predict(known)['risk'].mean():.2f} %.",
)

# %% [markdown]
# The same with 12 events: recurrence as a yes/no outcome, follow-up ignored (an example of rare
# events, no analysis to be copied).

# %%
rare = rn.logistic(cohort, "recurrence ~ lower_rectum + nlr + size_mm")
few = cohort[["recurrence", "lower_rectum", "nlr", "size_mm"]].dropna()
means = {k: rn.risk_model(rare, intercept=k).predict(few)["risk"].mean() for k in ("model", "flic")}
say(
    f"{int(few['recurrence'].sum())} recurrences, {100 * few['recurrence'].mean():.2f} %;",
    f"mean risk {100 * means['model']:.2f} % with Firth's own intercept (too high by a factor of",
    f"{means['model'] / few['recurrence'].mean():.2f}), {100 * means['flic']:.2f} % with FLIC.",
)

# %% [markdown]
# Odds ratios are not a model; an equation is. A paper that prints odds ratios without the intercept
# has published nothing that anyone could use, or test.

# %%
print(model.equation(digits=4))

# %% [markdown]
# A model also has a **domain**: the values it was made of. All tumours here are at most 20 mm. A
# tumour of 60 mm is refused, with the reason, instead of being given the risk of one of 16 mm.

# %%
odd = known.head(3).copy()
odd["size_mm"] = [8.0, 18.0, 60.0]
show(model.predict(odd, outside="flag").round(3).assign(size_mm=odd["size_mm"]))
try:
    model.predict(odd)
except rn.errors.DataError as error:
    print(error)

# %% [markdown]
# ## 3. Apparent performance: it looks fine
#
# Three questions. **Discrimination**: do patients with a positive margin have the higher risks
# (AUC)? **Calibration**: of those told 40 %, are 40 % positive? **Net benefit**: is acting on the
# model better than acting on everybody, or on nobody?

# %%
named = {"cut-offs": model}
separated = rn.discrimination(cohort, "margin_positive ~ 1", models=named)
agrees = rn.calibration(cohort, "margin_positive ~ 1", models=named)
useful = rn.decision_curve(
    cohort, "margin_positive ~ 1", models=named, thresholds=THRESHOLDS, action="referral"
)
left, middle, right = panels(3, height=4.5)
separated.plot(left)
agrees.plot(middle)
useful.plot(right)
show(separated)

# %%
show(agrees.levels()[["level", "meaning", "verdict", "finding"]])

# %% [markdown]
# Calibration is perfect on average, and has to be: the intercept was fitted to make it so, the
# slope nearly so. Every figure above is **apparent**, the model judged by the patients who made
# it. It tells how well the model fits, not how well it predicts.
#
# ## 4. The cut-offs
#
# "NLR > 4.44" and "size > 14.89 mm" have the look of a search: the value is taken at which the two
# groups differ most. Among many tries the best one looks good even where nothing is there, so the
# P value must be that of the whole search.

# %%
found = {
    name: rn.cutpoint(cohort, f"margin_positive ~ {name}", permutations=1999, seed=SEED)
    for name in ("nlr", "size_mm")
}
for result in found.values():
    show(result.display())
naive = rn.cutpoint(
    cohort, "margin_positive ~ nlr", method="minimum-p", permutations=1999, seed=SEED
)
row = naive.to_frame().iloc[0]
say(
    "Had the NLR nothing to do with the margin, a search over these values that reports the",
    f"smallest P would find P < 0.05 in {100 * row['type_one_error']:.0f} % of studies. Here that",
    f"smallest P is {row['p_unadjusted']:.3f}; adjusted for the search it is {row['p_value']:.2f}.",
)

# %% [markdown]
# A large P is no proof that there is no threshold: in the cohort `as_published` both thresholds are
# real. Few patients lie beyond them, and a search that looks everywhere sees little anywhere.
#
# Where the search would have ended in other samples of the same patients: bars show how often each
# cut-off is chosen. (They are no confidence interval. A cut-off converges too slowly for the
# bootstrap to give one.)

# %%
again = {name: result.resampling(resamples=RESAMPLES, seed=SEED) for name, result in found.items()}
for axes, distribution in zip(panels(2), again.values(), strict=True):
    distribution.plot(axes)
for name, distribution in again.items():
    spread = distribution.glance().iloc[0]
    say(
        f"{label(name)}: {spread['estimate']:g} on these",
        f"patients, chosen again in {100 * spread['share_at_estimate']:.0f} % of resamples; the",
        f"middle 95 % of cut-offs run from {spread['q025']:g} to {spread['q975']:g}.",
    )

# %% [markdown]
# **14.89 mm cannot be.** Sizes are recorded in whole or half millimetres. A search returns an
# observed value or the middle between two neighbours. The text keeps the two decimals, for they
# say how far the number was rounded.

# %%
show(rn.cut_resolution(None, f"{SIZE}", step=0.5))

# %% [markdown]
# **What cutting costs.** A cut-off treats 15 mm and 20 mm as alike, 14.5 mm and 15 mm as worlds
# apart. Three models on the same rows, the two numbers cut, straight, or as a spline, in three
# synthetic worlds: in `as_published` risk truly jumps at the published values, in `smooth` it
# rises steadily, in `null` it does not change.

# %%
WORLDS = ("as_published", "smooth", "null")
rows = []
costs = {}
for world in WORLDS:
    costs[world] = rn.dichotomising_cost(
        ready(rn.load_cohort("duan2024", truth=world)),
        "margin_positive ~ method + lower_rectum + nlr + size_mm",
        cuts={"nlr": NLR, "size_mm": SIZE},
    )
    table = costs[world].to_frame().set_index("model")
    cell = {"truth (synthetic data)": world}
    for name in table.index:
        chi2, df = table.loc[name, ["lr_chi2", "df"]]
        cell[f"chi-square (df), {name}"] = f"{chi2:.1f} ({df:.0f})"
    for name in table.index:
        cell[f"AUC, {name}"] = f"{table.loc[name, 'auc']:.3f}"
    rows.append(cell)
show(pd.DataFrame(rows))
for axes, world in zip(panels(3), WORLDS, strict=True):
    costs[world].plot(axes, variable="size_mm")
    axes.set_title(f"{world} (synthetic data)", loc="left", fontsize=10)
lost = costs["smooth"].glance().iloc[0]
say(
    f"In the world `smooth`, {lost['n']:.0f} patients with both numbers cut tell as much as",
    f"{lost['effective_n']:.0f} with the numbers as they are.",
)

# %% [markdown]
# The larger chi-square, for its degrees of freedom, holds the more of what the two numbers know.
# Cutting is right where nature cuts, which it hardly ever does, and where it does not, the cut
# throws away patients. One cannot tell the worlds apart by a small P at the cut-off.
# [docs/cutpoints.md](../docs/cutpoints.md) repeats all this in 1,000 cohorts of each world.
#
# ## 5. The whole recipe, validated
#
# **Optimism** is what the apparent figure owes to chance: all that was fitted, searched and
# selected was so on the same patients. The bootstrap measures it by making the model again in
# each resample and judging it there and in the original patients. This works if *everything* is
# repeated. `rn.recipe` writes down everything: here candidates screened one by one at P <= 0.05,
# NLR and size cut where Youden's index is largest. (What the study screened is not known to us;
# this recipe is a common one. Two of its candidates, grade and lymphovascular invasion, are read
# from the specimen: had they been selected, the model would come too late.)

# %%
others = [name for name in ("age", "sex", "grade", "lvi") if name in cohort]
others = [name for name in others if cohort[name].notna().all()]
candidates = ["method", "lower_rectum", "nlr", "size_mm", *others]
usual = rn.recipe(
    "margin_positive ~ " + " + ".join(candidates),
    cut={"nlr": "youden", "size_mm": "youden"},
    select="univariable",
)
print(*usual.steps(), sep="\n")
WORDS = {
    "auc": "AUC",
    "slope": "Calibration slope",
    "brier": "Brier score",
    "nagelkerke_r2": "Nagelkerke's R2",
    "ici": "Integrated calibration index",
}
common = {"resamples": RESAMPLES, "thresholds": THRESHOLDS, "seed": SEED}
whole = rn.validate(usual, cohort, **common)
folded = rn.validate(usual, cohort, method="cv", indices=list(WORDS), **common)


def ended_in(made, data):
    """Fit the formula in which a recipe ended, as if it had been known beforehand."""
    terms = [name for name in made.to_frame()["term"].unique() if name != "(Intercept)"]
    return rn.logistic(data, "margin_positive ~ " + (" + ".join(terms) or "1"))


final = usual.fit(cohort, seed=SEED)
fixed = rn.validate(ended_in(final, cohort), **common)

# %% [markdown]
# Beside it, the validation as it is usually done and reported: the formula in which the recipe
# ended is refitted in every resample, its terms and cut-offs as if they had fallen from the sky
# (`validate(fit)`).


# %%
def corrected(validation, index):
    """Write a corrected index with its limits, where it has any."""
    row = validation.to_frame().set_index("index").loc[index]
    if np.isnan(row["conf_low"]):
        return f"{row['corrected']:.3f}"
    return f"{row['corrected']:.3f} ({row['conf_low']:.3f} to {row['conf_high']:.3f})"


apparent = whole.to_frame().set_index("index")["apparent"]
show(
    pd.DataFrame(
        {
            "index": list(WORDS.values()),
            "apparent": [f"{apparent[name]:.3f}" for name in WORDS],
            "corrected, design held fixed": [corrected(fixed, name) for name in WORDS],
            "corrected, whole recipe": [corrected(whole, name) for name in WORDS],
            "whole recipe, cross-validated": [corrected(folded, name) for name in WORDS],
        }
    )
)
slope = whole.corrected("slope")
gain = apparent["auc"] - 0.5
say(
    f"Of the apparent AUC's {gain:.3f} above one half, {whole.corrected('auc') - 0.5:.3f} are left",
    f"when the whole recipe is repeated, and {fixed.corrected('auc') - 0.5:.3f} when the design is",
    f"held fixed. The corrected slope is {slope:.2f}: a difference of 1 between two patients'",
    f"predicted log odds is expected to be one of {slope:.2f} in new patients.",
)
for note in whole.notes:
    print("note:", note)

# %% [markdown]
# What the resamples chose. A candidate with a frequency of 60 % would have been missing from four
# in ten published models; a cut-off with wide limits would have been another number.

# %%
chosen = whole.inclusion()
terms = chosen[chosen["kind"] == "term"]
cuts = chosen[chosen["kind"] == "value"]
show(
    pd.DataFrame(
        {
            "candidate": [label(name) for name in terms["choice"]],
            "selected here": ["yes" if value else "no" for value in terms["original"]],
            "selected in resamples": [f"{100 * value:.0f} %" for value in terms["frequency"]],
        }
    )
)
show(
    pd.DataFrame(
        {
            "choice": cuts["choice"],
            "here": cuts["original"].round(2),
            "median": cuts["median"].round(2),
            "middle 95 %": [
                f"{a:.2f} to {b:.2f}" for a, b in zip(cuts.low, cuts.high, strict=True)
            ],
        }
    )
)

# %% [markdown]
# Selection also makes coefficients too large: a candidate is taken when chance was on its side.
# Below, by how much the mean coefficient of the resamples that took it exceeds that of the model of
# all candidates. (Where a cut-off is searched, the resamples do not speak of one coefficient; their
# rows are left out.)

# %%
taken = whole.selection()
taken = taken[~taken["term"].isin(list(usual.cut))]
show(
    pd.DataFrame(
        {
            "candidate": [label(name) for name in taken["term"]],
            "level": taken["level"],
            "log odds ratio, all candidates": taken["global_coef"].round(2),
            "selected in resamples": [f"{100 * value:.0f} %" for value in taken["frequency"]],
            "too large when selected, by": [f"{v:.0f} %" for v in taken["conditional_bias"]],
        }
    )
)

# %%
left, right = panels(2)
whole.plot(left, kind="calibration")
whole.plot(right, kind="net_benefit")
benefit = whole.decision_curve()
best = benefit[["treat_all", "treat_none"]].max(axis=1)
for name in ("apparent", "corrected"):
    better = benefit.loc[benefit[name] > best + 1e-6, "threshold"]
    words = f"between {better.min():.2f} and {better.max():.2f}" if len(better) else "nowhere"
    say(f"Better than acting on all and on nobody, {name}: thresholds {words}.")

# %% [markdown]
# ## 6. Stability: the same patient, other resamples
#
# Indices average over patients. A patient has one risk, and wants to know how much of it is the
# luck of the sample. Each patient's risk by the models of the resampled recipes:

# %%
shaken = rn.stability(usual, cohort, resamples=200, seed=SEED)
left, right = panels(2)
shaken.plot(left)
shaken.plot(right, kind="classification")
at = shaken.glance().iloc[0]
crossed = shaken.classification().set_index("threshold")["unstable"]
say(
    f"On average a resampled model moves a patient's risk by {100 * at['mape']:.0f} percentage",
    "points; half of the patients have risks that spread over more than",
    f"{100 * at['width_median']:.0f} points (middle 95 % of models). At a threshold of 30 %,",
    f"{100 * crossed.loc[0.3]:.0f} % of patients would be sent the other way by more than one",
    "model in ten.",
)

# %% [markdown]
# ## 7. Looking up the answer
#
# Is the corrected figure right? With real patients nobody knows. With drawn ones we draw more:
# cohorts of the study's size under `smooth` and `null` (totals right on average, not fixed). On
# each the recipe is carried out (the four predictors, both cut-offs searched), validated, and its
# model judged in 20,000 patients who had no part in it.

# %%
COHORTS = 16
four = rn.recipe(
    "margin_positive ~ method + lower_rectum + nlr + size_mm",
    cut={"nlr": "youden", "size_mm": "youden"},
)
quick = {"resamples": 100, "indices": ["auc"]}
rows = []
for world in ("smooth", "null"):
    draw = {"truth": world, "totals": "free"}
    crowd = ready(rn.draw_cohort("duan2024", patients=20_000, seed=SEED, **draw).data)
    for seed in range(1, COHORTS + 1):
        data = ready(rn.draw_cohort("duan2024", seed=seed, **draw).data)
        made = four.fit(data)
        fit = ended_in(made, data)
        boot = rn.validate(four, data, seed=seed, **quick)
        cv = rn.validate(four, data, method="cv", seed=seed, **quick)
        real = rn.discrimination(crowd, "margin_positive ~ 1", models={"it": made}).to_frame()
        rows.append(
            {
                "truth": world,
                "apparent": boot.to_frame()["apparent"].iloc[0],
                "design held fixed": rn.validate(fit, seed=seed, **quick).corrected("auc"),
                "whole recipe, bootstrap": boot.corrected("auc"),
                "whole recipe, cross-validated": cv.corrected("auc"),
                "among 20,000 others": real["auc"].iloc[0],
            }
        )
drawn = pd.DataFrame(rows)
*JUDGED, TRUE = [name for name in drawn if name != "truth"]
mean = drawn.groupby("truth", sort=False)[[*JUDGED, TRUE]].mean()
show(mean.round(3).reset_index().rename(columns={"truth": "mean AUC (synthetic data)"}))
miss = drawn[JUDGED].sub(drawn[TRUE], axis=0).groupby(drawn["truth"], sort=False)
off = miss.mean().map("{:+.3f}".format) + " (" + miss.sem().map("{:.3f}".format) + ")"
show(off.reset_index().rename(columns={"truth": "distance from the truth (its standard error)"}))

# %%
COLOURS = ("#D55E00", "#CC79A7", "#0072B2", "#009E73", "black")
TICKS = ("apparent", "design\nfixed", "recipe,\nbootstrap", "recipe,\ncross-val.", "truth")
by_world = drawn.groupby("truth", sort=False)
for axes, (world, part) in zip(panels(2, height=3.2), by_world, strict=True):
    for k, (name, colour) in enumerate(zip([*JUDGED, TRUE], COLOURS, strict=True)):
        jitter = np.linspace(-0.15, 0.15, len(part))
        axes.scatter(k + jitter, part[name], s=14, color=colour)
        axes.hlines(part[name].mean(), k - 0.3, k + 0.3, color=colour)
    axes.set_xticks(range(len(TICKS)), TICKS)
    axes.set_ylim(0.4, 0.75)
    axes.axhline(0.5, color="grey", linewidth=0.7, linestyle=":")
    axes.set_ylabel("AUC")
    axes.set_title(f"{world} (synthetic data)", loc="left", fontsize=10)

# %% [markdown]
# Each dot is a cohort, each line a mean. The apparent AUC promises something even where there is
# nothing. The usual correction takes off the smaller part of the excess, for it does not know of
# the search. Repeating the whole recipe takes off most of it by the bootstrap, all or a little more
# by cross-validation. Why not all by the bootstrap? Each resampled model is tested on the original
# patients, and most of those who made it are among them; a search, which jumps from one value to
# another, makes the most of that. Where cut-offs are searched, look at both. And no correction is
# right for each cohort: the dots scatter around the lines.
#
# ## 8. Shrinkage, and how shaky it is
#
# A slope below 1 can be built in: the coefficients are multiplied by a factor, or penalised
# (ridge). Both are estimated from the same patients, and badly so when these are few: the column
# on the right gives the middle 95 % over resamples.

# %%
straight = rn.logistic(cohort, "margin_positive ~ method + lower_rectum + nlr + size_mm")
shrunken = {
    how: rn.shrink(straight, method=how, resamples=200, seed=SEED)
    for how in ("heuristic", "bootstrap", "ridge-aic")
}
rows = []
for how, result in shrunken.items():
    low, high = result.range()
    rows.append(
        {
            "method": how,
            "what": result.what,
            "amount": f"{result.amount:.2f}",
            "in 95 % of resamples": f"{low:.2f} to {high:.2f}",
        }
    )
show(pd.DataFrame(rows))
axes = panels()
shrunken["ridge-aic"].plot(axes)
axes = None

# %% [markdown]
# Shrinkage mends the slope on average. It does not mend a cut-off or a selection, and in a small
# sample, where it is needed most, its amount is known worst.
#
# ## 9. What 181 events support, and what 12 do
#
# Riley's criteria: expected shrinkage of at least 0.9, little optimism in R2, and the overall risk
# known to within 5 percentage points. The parameters that count are those *looked at*: each
# candidate, level, spline term and searched cut-off. The performance to be put in is the one to
# be *expected*: here the AUC corrected for the whole recipe, and for recurrence 15 % of the R2
# that could be had, the customary guess where nothing is known.

# %%
expected = max(round(whole.corrected("auc"), 2), 0.55)
margin_support = rn.supported_parameters(n, events, c_statistic=expected)
recurrences = int(cohort["recurrence"].sum())
years = cohort["dfs_months"].mean() / 12
recurrence_support = rn.supported_parameters(
    len(cohort),
    recurrences,
    outcome="survival",
    mean_follow_up=years,
    timepoint=5,
    r2_nagelkerke=0.15,
)
show(margin_support.display())
show(recurrence_support.display())
spent = sum(
    max(cohort[c].nunique() - 1, 1) if cohort[c].dtype == "category" else 1 for c in candidates
)
searched = len(usual.cut)
needed = rn.sample_size(
    outcome="binary", parameters=spent + searched, prevalence=events / n, c_statistic=expected
)
say(
    f"At an expected AUC of {expected:.2f}, {events} positive margins support",
    f"{margin_support.parameters} parameters; the recipe looked at {spent}, and at {searched}",
    f"searched cut-offs besides. It would have needed {needed.n:,} patients.",
    f"The {recurrences} recurrences support {recurrence_support.parameters}.",
)

# %% [markdown]
# ## 10. Missing values belong into the recipe
#
# Leaving out patients with a missing value wastes those who have the others, and is biased if
# values are missing for a reason. Filling them in *once, before* validating lets each resample see
# what was learned from the patients it is tested on. So imputation is a step of the recipe, and is
# repeated like the others. Below, a synthetic cohort loses values of three columns.

# %%
holes = rn.draw_cohort(
    "duan2024", truth=TRUTH, seed=SEED, missing={"nlr": 0.2, "size_mm": 0.1, "location": 0.05}
).data
holes = ready(holes).drop(columns=["salvage", "salvage_days", "salvage_months"])
show(rn.missing_patterns(holes[["margin_positive", "method", "lower_rectum", "nlr", "size_mm"]]))
plan = "margin_positive ~ method + lower_rectum + nlr + size_mm"
rows = []
for words, times in (("complete patients only", None), ("imputed inside the recipe", 5)):
    judged = rn.validate(
        rn.recipe(plan, impute=times),
        holes,
        resamples=60,
        indices=["auc", "slope", "brier"],
        seed=SEED,
    )
    glance = judged.glance().iloc[0]
    rows.append(
        {
            "synthetic data": words,
            "patients": int(glance["n"]),
            "positive margins": int(glance["n_events"]),
            "AUC, corrected": corrected(judged, "auc"),
            "slope, corrected": corrected(judged, "slope"),
            "Brier score, corrected": corrected(judged, "brier"),
        }
    )
show(pd.DataFrame(rows))

# %% [markdown]
# The Brier scores of the two rows are of different patients, and no contest. What differs by
# design is whom the model speaks for: all, or those whose file was complete.
#
# ## 11. Handing it over
#
# A model is handed over whole: its equation and domain in a file (`model.json`, without patients),
# its validation attached, the checklist filled. An offline page can compute the risk, but is not
# made of every model: rules on the *corrected* performance decide. First the model of the usual
# recipe:

# %%
folder = Path(tempfile.mkdtemp())
first = final.with_performance(whole.performance())
try:
    rn.calculator(first, output=folder / "first.html")
    print("A calculator was made.")
except rn.errors.OptionError as error:
    print(error)

# %% [markdown]
# Then a modest one: the four predictors named beforehand, no cut-off, no selection, slopes
# shrunken, all of it validated.

# %%
modest = rn.recipe(plan, shrink="heuristic")
checked = rn.validate(modest, cohort, **common)
last = modest.fit(cohort, seed=SEED).with_performance(checked.performance())
say(
    f"Corrected AUC {corrected(checked, 'auc')}; slope {checked.corrected('slope'):.2f};",
    f"integrated calibration index {checked.corrected('ici'):.3f}.",
)
last.save(folder / "model.json")
try:
    rn.calculator(last, output=folder / "calculator.html")
except rn.errors.OptionError as error:
    print(error)
print(*sorted(path.name for path in folder.iterdir()), sep="\n")

# %% [markdown]
# The same from the command line: `rnetstats calculator model.json --output calculator.html`. On
# paper, the nomogram: points for each value, the risk of their sum. It is the equation drawn, no
# better and no worse than it.

# %%
axes = panels(width=7.5, height=4.2)
last.nomogram().plot(axes)
axes = None

# %% [markdown]
# The TRIPOD+AI checklist, as far as the objects can fill it; the rest is the authors' to write.

# %%
checklist = rn.tripod_checklist(last, validation=checked, recipe=modest)
counts = checklist.glance().iloc[0]
say(f"{counts['by_package']} of {counts['items']} items are filled; {counts['open']} are open.")
filled = checklist.display()
show(filled[checklist.to_frame()["filled_by"].to_numpy() == "package"])
(folder / "tripod.md").write_text(checklist.to_markdown(), encoding="utf-8")
axes = None

# %% [markdown]
# ## What to take away
#
# 1. Say which decision, and when, before fitting.
# 2. A cut-off found on the data is a parameter, an unstable one, and costs more than it shows.
# 3. Validate the recipe, not the formula it ended in. Held fixed, the design hides its own
#    optimism (section 7).
# 4. Report the corrected slope and net benefit beside the AUC, and the stability of each risk.
# 5. Count what was looked at against what the events support; for 12 events that is hardly
#    anything, and the honest output is no model.
#
# More: [docs/prediction.md](../docs/prediction.md).
