"""How the page ``docs/validation.md`` begins."""

from __future__ import annotations

__all__ = ["INTRODUCTION"]

INTRODUCTION = """\
# What the methods do when the truth is known

Cohorts are drawn from a recipe whose true values are known, each is analysed by every method,
and the answers are compared with the truth. **Few events** means cohorts of {few_n} patients
with {few_d} expected recurrences, the size of the study; **many events** means {many_n}
patients with {many_d}. Three truths are used: *as_published* (the published claims hold; the
hazard ratio of a positive margin is 6 before salvage), *smooth* (the same predictors act
linearly) and *null* (no predictor of the margin, no effect of the margin or of salvage; here
the last column is the level of each test, elsewhere its power).

How to read the tables:

- **true value** and biases are on the log scale for odds and hazard ratios, and plain
  probabilities for Kaplan-Meier. Where a fitted model is not the generating one, the true value
  is what it tends to in an unlimited cohort (the least-false value), by numerical integration.
- **infinite**: share of cohorts in which the estimate has no finite value. Such an estimator
  has no mean, so its mean bias is a dash; the median bias always exists.
- **covers**: share of 95 % intervals that contain the true value. **above** and **below**: the
  whole interval lies above or below it. **no interval**: the method gives none, which counts as
  not covering.
- **fixed totals**: the same with exactly {few_d} (or {many_d}) recurrences in each cohort.
  Conditioning on the total changes coverage, which is why the main columns let it vary.
- Monte Carlo standard errors stand in brackets, shares in percent. A coverage of 95 % has an
  error of {error} with {few_r} cohorts. Where the estimand is a test, only its rejections at
  the 5 % level are given.
- *ML, Wald* and *ML, profile*: maximum likelihood; *Firth, profile*: Firth's penalty. The exact
  P of the log-rank test takes about a second a cohort; its Monte Carlo form with 199
  permutations, whose level is the same, stands for it as *permutation*.

Each setting with free totals was drawn {few_r} times with few events and at least {many_r} times
with many; with fixed totals, {few_x} and {many_x} times. Seed {seed}. The page is written by
`python docs/build_validation.py`, which also fails when a requirement below is not met.
"""
