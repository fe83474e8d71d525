"""Risk models in files: JSON without patients, whole or not at all, and readable later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import OptionError, OutputError, ReadError, RnetError
from rnetstats.prediction.model import RiskModel

STORED = Path(__file__).parent / "risk_model_schema_1.json"


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return rn.load_cohort("duan2024")


@pytest.fixture(scope="module")
def models(cohort: pd.DataFrame) -> dict[str, RiskModel]:
    fit = rn.logistic(cohort, "margin_positive ~ location + I(nlr > 4.44) + rcs(size_mm, 4)")
    cox = rn.cox(cohort, "Surv(dfs_months, dfs_event) ~ age + strata(lvi)")
    return {
        "wald": rn.risk_model(fit),
        "bootstrap": rn.risk_model(fit, resamples=20, seed=1),
        "cox": rn.risk_model(cox, horizon=36),
        "cox bootstrap": rn.risk_model(cox, horizon=36, resamples=20, seed=1),
    }


@pytest.mark.parametrize("name", ["wald", "bootstrap", "cox", "cox bootstrap"])
def test_a_saved_model_predicts_the_same(
    name: str, models: dict[str, RiskModel], cohort: pd.DataFrame, tmp_path: Path
) -> None:
    path = tmp_path / "model.json"
    models[name].save(path)
    again = RiskModel.load(path)
    pd.testing.assert_frame_equal(again.predict(cohort), models[name].predict(cohort))
    assert again.equation() == models[name].equation()
    assert again.seed == models[name].seed
    assert again.fingerprint == models[name].fingerprint
    far = cohort.head(1).assign(size_mm=60.0, age=130)
    with pytest.raises(RnetError, match="outside"):
        again.predict(far)
    assert [p.name for p in tmp_path.iterdir()] == ["model.json"]


def test_no_patient_is_in_the_file(models: dict[str, RiskModel], cohort: pd.DataFrame) -> None:
    text = json.dumps(models["bootstrap"].to_dict(), allow_nan=False)
    stored = json.loads(text)

    def longest(value: object) -> int:
        if isinstance(value, dict):
            return max([0, *map(longest, value.values())])
        return max([len(value), *map(longest, value)]) if isinstance(value, list) else 0

    p = len(models["bootstrap"].coef)
    assert longest(stored) == 20 * p, "nothing is as long as the data"
    assert len(cohort) > 20 * p


def test_a_model_written_by_schema_1_is_read() -> None:
    """The file was written once and is never written again: later versions must read it."""
    model = RiskModel.load(STORED)
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    assert stored["schema_version"] == 1
    new = {"location": ["upper", "lower"], "nlr": [5.0, 2.0], "size_mm": [8.0, 15.0]}
    found = model.predict(new)
    np.testing.assert_allclose(found["risk"], RISKS, rtol=1e-12)
    np.testing.assert_allclose(found[["conf_low", "conf_high"]], LIMITS, rtol=1e-12)
    assert model.performance == {"auc": {"apparent": 0.65, "corrected": 0.63}}


RISKS = [0.5787218046300322, 0.5128446741520086]
LIMITS = [[0.4205924402671277, 0.8021760921247089], [0.46066341208852357, 0.6799989512089779]]


def test_unknown_fields_are_left_and_newer_schemas_refused(
    models: dict[str, RiskModel], tmp_path: Path
) -> None:
    stored = models["wald"].to_dict()
    stored["fields"]["something_new"] = 1
    path = tmp_path / "m.json"
    path.write_text(json.dumps(stored), encoding="utf-8")
    assert RiskModel.load(path).outcome == "margin_positive"
    path.write_text(json.dumps({**stored, "schema_version": 99}), encoding="utf-8")
    with pytest.raises(RnetError, match="newer"):
        RiskModel.load(path)


def test_what_is_no_model_is_refused(models: dict[str, RiskModel], tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    with pytest.raises(ReadError, match="cannot be read"):
        RiskModel.load(path)
    path.write_bytes(b"\x80\x04pickle")
    with pytest.raises(ReadError, match="no JSON"):
        RiskModel.load(path)
    path.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(ReadError, match="no JSON"):
        RiskModel.load(path)
    for text in ("[1, 2]", "{}", '{"type": "LogisticResult"}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ReadError, match="holds no RiskModel"):
            RiskModel.load(path)
    for damage in ("spec", "coef", "variables"):
        stored = json.loads(json.dumps(models["wald"].to_dict()))
        del stored["fields"][damage]
        path.write_text(json.dumps(stored), encoding="utf-8")
        with pytest.raises(ReadError, match="damaged"):
            RiskModel.load(path)
    stored = json.loads(json.dumps(models["wald"].to_dict()))
    stored["fields"]["coef"]["$array"]["data"].pop()
    stored["fields"]["coef"]["$array"]["shape"] = [len(models["wald"].coef) - 1]
    path.write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(RnetError, match="finite coefficients"):
        RiskModel.load(path)


def test_a_failed_save_leaves_the_old_file(
    models: dict[str, RiskModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.json"
    models["wald"].save(path)
    before = path.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OutputError, match="No space left"):
        models["cox"].save(path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(OutputError, match="cannot be written"):
        models["cox"].save(tmp_path / "no" / "folder.json")


def test_performance_is_attached_and_kept(models: dict[str, RiskModel], tmp_path: Path) -> None:
    model = models["wald"].with_performance(
        {"auc": {"apparent": 0.7, "corrected": 0.66, "conf_low": 0.6, "conf_high": float("nan")}}
    )
    assert models["wald"].performance is None
    model.save(tmp_path / "m.json")
    assert RiskModel.load(tmp_path / "m.json").performance == {
        "auc": {"apparent": 0.7, "corrected": 0.66, "conf_low": 0.6}
    }
    for wrong in ({}, {"auc": 0.7}, {"auc": {"apparent": "high"}}, None):
        with pytest.raises(OptionError, match="performance"):
            model.with_performance(wrong)  # type: ignore[arg-type]


def test_a_validation_itself_is_no_performance(
    models: dict[str, RiskModel], cohort: pd.DataFrame
) -> None:
    judged = rn.validate(rn.logistic(cohort, "margin_positive ~ nlr"), resamples=4, seed=1)
    with pytest.raises(OptionError, match=r"performance\(\) of what validate\(\) returns"):
        models["wald"].with_performance(judged)  # type: ignore[arg-type]
    assert models["wald"].with_performance(judged.performance()).performance


def _leaves(stored: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to all that stands in a stored model, of long lists the first two."""
    parts = stored.items() if isinstance(stored, dict) else enumerate(stored[:2])
    for key, part in parts:
        yield (*path, key)
        if isinstance(part, (dict, list)):
            yield from _leaves(part, (*path, key))


@pytest.mark.parametrize("kind", ["wald", pytest.param("cox", marks=pytest.mark.slow)])
def test_a_damaged_part_is_refused_or_does_no_harm(
    models: dict[str, RiskModel], cohort: pd.DataFrame, kind: str
) -> None:
    whole = json.dumps(models[kind].to_dict())
    refused = 0
    for path in _leaves(json.loads(whole)):
        for wrong in (None, "zz", []):
            stored = part = json.loads(whole)
            for key in path[:-1]:
                part = part[key]
            part[path[-1]] = wrong
            try:  # whatever is wrong is told on reading, not by a bare error at a prediction
                RiskModel.from_dict(stored).predict(cohort[:2], outside="extrapolate")
            except RnetError:
                refused += 1
            except (AttributeError, LookupError, TypeError, ValueError, Warning) as error:
                pytest.fail(f"{path} = {wrong!r}: {error!r}")
    assert refused > 100


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda s: s.pop("fields"), "KeyError"),
        (lambda s: s.update(schema_version="x"), "ValueError"),
        (lambda s: s.update(schema_version=float("inf")), "OverflowError"),
        (lambda s: s["options"].update(conf_level=95), "conf_level is 95"),
        (lambda s: s["fields"].update(horizon=12), "a horizon and no baseline hazard"),
        (lambda s: s["fields"]["summary"].update(n="many"), "its n is 'many'"),
        (lambda s: s["fields"]["summary"].update(n_events=-1), "its n_events is -1"),
        (lambda s: s["fields"]["summary"].pop("n_events"), "not both counted"),
        (lambda s: s["fields"]["variables"].pop("nlr"), "nlr is not described"),
        (lambda s: s["fields"]["variables"]["nlr"].update(low=99), "range of nlr is 99 to"),
        (lambda s: s["fields"]["leverage"].update(largest=None), "leverage"),
        (lambda s: s["fields"]["covariance"]["$array"]["data"].__setitem__(0, -1), "eigenvalues"),
    ],
)
def test_what_is_damaged_is_named(models: dict[str, RiskModel], edit: Any, told: str) -> None:
    check_damage(models["wald"], edit, told)


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda f: f.pop("draw_hazard"), "draw_hazard is no table of a row a resample"),
        (lambda f: f.pop("draws"), "hazards of resamples and not their coefficients"),
        (lambda f: f["draw_hazard"]["$array"].update(shape=[40, 1]), "draw_hazard is no table"),
        (lambda f: f["baseline"].update(events=[3]), "events of its baseline are no number a"),
        (lambda f: f.pop("horizon"), "its horizon is None"),
        (lambda f: f.update(labels=[1]), "labels is no table of names"),
        (lambda f: f["labels"].update(size_mm=3), "a label is no text"),
        (lambda f: f.update(summary=True), "summary is no table of names"),
        (lambda f: f.update(method=3), "method is no text"),
        (lambda f: f.update(notes=True), "its notes are no texts"),
        (lambda f: f.update(notes=[3]), "its notes are no texts"),
    ],
)
def test_what_is_damaged_of_a_time_or_in_words_is_named(
    models: dict[str, RiskModel], edit: Any, told: str
) -> None:
    check_damage(models["cox bootstrap"], lambda stored: edit(stored["fields"]), told)


def check_damage(model: RiskModel, edit: Any, told: str) -> None:
    stored = json.loads(json.dumps(model.to_dict()))
    edit(stored)
    with pytest.raises(ReadError, match=f"This RiskModel is damaged: .*{told}"):
        RiskModel.from_dict(stored)


def test_a_performance_of_another_horizon_is_refused(models: dict[str, RiskModel]) -> None:
    data = rn.load_cohort("duan2024")
    fit = rn.cox(data, "Surv(dfs_months, dfs_event) ~ age")
    model = rn.risk_model(fit, horizon=60)
    judged = rn.validate(fit, time=36, resamples=5, seed=1).performance()
    assert judged["ici"]["horizon"] == 36.0
    with pytest.raises(OptionError, match="is that of risks by 36; the model gives risks by 60"):
        model.with_performance(judged)
    with pytest.raises(OptionError, match="the risk of an outcome without a time"):
        models["wald"].with_performance(judged)
    right = rn.validate(fit, time=60, resamples=5, seed=1).performance()
    attached = model.with_performance(right)
    assert attached.performance == right
    assert RiskModel.from_dict(attached.to_dict()).performance == right
    typed = {"ici": {"corrected": 0.01}}  # without a horizon it is the reader's to know
    assert model.with_performance(typed).performance == typed
