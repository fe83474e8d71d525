"""What the part of ``docs/validation.md`` on treatments says around its tables."""

from __future__ import annotations

__all__ = ["HEADING", "INTRODUCTION", "REQUIRED"]

HEADING = "## Methods for a treatment, when the truth is known"

INTRODUCTION = """\
Cohorts of patients with a positive margin: **many events** means {many_n} patients with
{many_d} expected recurrences, **few events** {few_n} patients with {few_d}, as in the study. A
confounder, measured at the start in {level} % of patients, multiplies the hazard of recurrence by
{confounding}; it multiplies the hazard of a treatment during follow-up, or the odds of one chosen
at the start, by {choice}. Death ({death} % by 60 months) and the end of follow-up ({first} to
{last} months) depend on nothing. Two truths are used:

- *effect*: from its start on the treatment multiplies the hazard of recurrence by {ratio}; during
  follow-up it comes after {early} months, where it comes at all.
- *null*: the treatment does nothing; during follow-up it comes after {late} months.

(Nine in ten delays lie between these months.) The landmark and the grace period end at month
{early_grace} under *effect* and {late_grace} under *null*. Fine and Gray's model is judged on
cohorts of its own, in which hazards of the subdistribution are proportional.

How to read the tables, besides what is said at the top:

- **Each method has a question of its own, and its own true value.** A hazard ratio of treated by a
  landmark, the ratio at the time, and the difference between two strategies are different numbers
  in one and the same world; a method is judged by the number that it estimates. True values are
  found by numerical integration: a least-false value where the model is not the generating one,
  for strategies the risks in a world where everybody follows them and nobody is censored.
- The **naive** analysis is read here as what it is taken for: ever against never treated for the
  hazard ratio of the treatment; the crude ratio of groups that chose for that in the whole cohort.
  Nothing is required of it.
- **true value** is a hazard ratio, a risk, a difference of risks or of months; **median bias** is
  on the log scale for ratios. **median width** is upper over lower limit for ratios (as ×3.0), else
  upper less lower limit.
- **no interval**: the method gives none, mostly by its own rule of too few events (fewer than 5 in
  an arm, or an arm without events in more than 5 % of resamples). **covers** counts a cohort
  without an interval as not covered, **covers, of those given** leaves it out.
- **excludes no effect**: share of cohorts whose interval excludes no effect, **in favour** those
  in which it does so for the treatment. Under *null* the first is the level of the test, where the
  true value is no effect.
- *robust*: the score of the weights taken as known, of which the package says that it is mostly too
  wide; *bootstrap*: percentiles of {resamples} resamples of patients, the score or model refitted.

With many events {many_closed} cohorts or more were drawn for limits in closed form and
{many_resampled} or more for resampled ones; with few events {few_closed} and {few_resampled}. A
coverage of 95 % has an error of {closed_error} percentage points in {many_closed} cohorts and
{resampled_error} in {many_resampled}. Seed {seed}. Written by
`python docs/build_validation.py --only treatment`.
"""

REQUIRED = """\
With many events the intervals of every method but the naive one cover their own true value in 95 %
of cohorts, within three Monte Carlo errors (so that tests under *null* keep their level of 5 %);
limits that take the score as known may cover more often. With few events nothing is required.
Methods that miss are run again, with the others of their kind, on twice as many cohorts."""
