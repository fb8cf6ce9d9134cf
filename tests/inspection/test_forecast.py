"""Forecasts: nothing of the future is used, what is promised is kept, and the naive way answers where it is better."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motcua.inspection.columns import MISSING
from motcua.inspection.forecast import backtest, calibration, model, usual
from motcua.inspection.forecast.features import NAMES, Load, matrix
from motcua.inspection.forecast.history import (
    History,
    as_of,
    late,
    minutes,
    open_at,
    remaining,
    with_ends,
    with_limits,
)
from motcua.inspection.forecast.usual import expit, logit
from motcua.rules.instants import Unreadable
from motcua.rules.workdays import viet_nam

DAY = 86_400
START = 1_735_700_400  # 10:00 on 1 January 2025 in Viet Nam


def province(
    count: int = 1500, seed: int = 3, *, noise: float = 0.5, drift: float = 0.0, telling: float = 1.0
) -> History:
    """An invented history: dossiers of two procedures go through three steps; a hidden kind makes some slow.

    The kind shows in what the second step is (`telling`: how surely), so there is something to learn.
    """
    random = np.random.default_rng(seed)
    received = np.sort(START + random.integers(0, 500 * DAY, count))
    agency = np.where(np.arange(count) % 2 == 0, "H99.1", "H99.2").astype(object)
    slow = random.random(count) < np.where(agency == "H99.1", 0.8, 0.1)
    procedure = np.where(random.random(count) < 0.5, "1.000001", "1.000002").astype(object)
    states = ("registered", "step_finished:nhận", "step_finished:thẩm định")
    known: list[int] = []
    state: list[int] = []
    starts = [0]
    finish = np.zeros(count, np.int64)
    later = 1 + drift * (received - START) / (500 * DAY)
    for n in range(count):
        pace = later[n] * np.exp(random.normal(0, noise, 3)) * (1.5 if procedure[n] == "1.000002" else 1.0)
        first = received[n] + int(1.5 * DAY * pace[0])
        second = first + int(2.0 * DAY * pace[1])
        finish[n] = second + int((9.0 if slow[n] else 2.5) * DAY * pace[2])
        known += [int(received[n]), first, second, int(finish[n])]
        state += [0, 1, 2, 1]
        starts.append(len(known))
    due = received + np.where(procedure == "1.000002", 14, 10) * DAY
    return History(
        code=np.array([f"H99-{n:05d}" for n in range(count)], object), procedure=procedure,
        agency=agency,
        channel=np.full(count, "online", object), calendar=np.full(count, "vn", object), calendars={"vn": viet_nam()},
        received_at=received, finish_at=finish, finish_known_at=finish, due_at=due,
        starts=np.array(starts, np.int64), known_at=np.array(known, np.int64), state=np.array(state, np.int32),
        pausing=np.zeros(len(known), bool), states=states, due_starts=np.arange(count + 1), due_known=received,
        due_value=due, due_paused=np.full(count, MISSING),
    )  # fmt: skip


@pytest.fixture(scope="module")
def past() -> History:
    return province()


@pytest.fixture(scope="module")
def middle(past: History) -> int:
    return int(np.quantile(past.received_at, 0.7))


@pytest.fixture(scope="module")
def learned(past: History, middle: int) -> model.Model:
    return model.train(past, middle)


def test_a_model_learns_nothing_of_what_came_after_it(past: History, middle: int, learned: model.Model) -> None:
    """Everything after the split is changed beyond recognition; the model stays the same to the last digit."""
    after = past.known_at > middle
    changed = replace(
        past,
        state=np.where(after, 0, past.state).astype(np.int32),
        finish_at=np.where(past.finish_known_at > middle, past.finish_at + 400 * DAY, past.finish_at),
        finish_known_at=np.where(past.finish_known_at > middle, past.finish_known_at + 400 * DAY, past.finish_known_at),
    )
    assert model.train(changed, middle).plain() == learned.plain()


def test_a_state_of_the_past_holds_what_was_known_then(past: History, middle: int) -> None:
    states = open_at(past, [middle])
    cut = open_at(as_of(past, middle), [middle])
    for name in ("dossier", "state", "acts", "left", "in_state", "elapsed"):
        assert np.array_equal(getattr(states, name), getattr(cut, name)), name
    entered_later = replace(past, known_at=past.known_at + 3 * DAY)
    assert (open_at(entered_later, [middle]).acts <= 4).all()
    assert len(open_at(entered_later, [int(past.received_at[0]) + DAY])) == 0, "nothing was entered yet"


def test_lateness_is_decided_by_the_due_instant_and_not_by_the_end(past: History, middle: int) -> None:
    """Else slow dossiers would be missing among the decided ones, and every share would be too low."""
    states = open_at(past, [middle - 30 * DAY])
    is_late, decided = late(past, states, middle)
    rows = states.dossier
    assert (decided == (states.due_at <= middle)).all()
    assert (is_late[decided] == (past.finish_at[rows] > past.due_at[rows])[decided]).all()
    took, done = remaining(past, states, middle)
    assert (done == (past.finish_at[rows] <= middle)).all() and (took >= 0).all()


def test_the_estimate_beats_every_naive_forecast_where_there_is_something_to_learn(past: History) -> None:
    report = backtest.run(past, splits=(0.65,))
    assert report["skill"]["brier"]["from"] > 0 and report["skill"]["log_loss"]["from"] > 0
    assert report["chosen"]["calibration_error"] < 0.08
    assert report["remaining"]["covered"] >= report["remaining"]["promised"] - 0.03
    assert report["groups"]["covered"] >= report["groups"]["promised"] - 0.1
    assert report["groups"]["from"] < report["groups"]["covered"] <= report["groups"]["to"] + 1e-9
    before = report["skill_before"]["brier"]
    assert before["saved"] >= report["skill"]["brier"]["saved"], "the best afterwards is the harder one to beat"
    json.dumps(report, default=float)
    assert "better than the best naive forecast" in backtest.told(report)


def test_a_wait_that_runs_on_weekends_too_is_foretold_by_the_calendar() -> None:
    """What hangs out for eight days ends on the eighth, however many of them were worked."""
    whole = province(400)
    first = whole.known_at[whole.starts[:-1] + 2]
    ends = first + 8 * DAY
    last = whole.starts[1:] - 1
    known = whole.known_at.copy()
    known[last] = ends
    due = ends + np.where(np.arange(400) % 4 < 2, 18, -18) * 3_600
    past = replace(whole, known_at=known, finish_at=ends, finish_known_at=ends, due_at=due, due_value=due)
    until = past.ends_at
    spans = usual.Spans.known(past, int(past.received_at[0]), until)
    states = open_at(past, (first + 4 * DAY)[100:300:5])
    states = states[(states.state == 2) & (states.left > 0)]
    is_late, _ = late(past, states, until)
    took, done = remaining(past, states, until)
    made = usual.learned(past, states, took, done.astype(float), is_late, done, spans)
    told = {name: np.abs(expit(score) - is_late).mean() for name, score in usual.scores(past, states, made).items()}
    assert told["days_in_step"] < 0.1 < told["time_in_step"] / 2
    assert told["days_by_step"] <= told["share_uncalibrated"] + 1e-9


def test_intervals_keep_their_promise_while_the_province_grows_slower() -> None:
    report = backtest.run(province(600, seed=5, drift=0.5), splits=(0.65,))
    assert report["remaining"]["covered"] >= report["remaining"]["promised"] - 0.05
    assert report["groups"]["covered"] >= 0.7


def test_the_naive_way_answers_where_the_committee_is_surely_worse(
    past: History, middle: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "_columns", lambda raw, median: np.full((len(raw["trees"]), len(model.MEMBERS)), 3.0))
    made = model.train(past, middle)
    assert made.chosen == made.beside in usual.NAIVE and made.trust < 0.05
    states = open_at(past, [middle])
    states = states[states.left > 0]
    naive = made.maps[made.beside].shares(made.learned.raw(past, states, Load.of(past, middle))[made.beside])
    assert np.abs(made.estimate(past, states).share - naive).max() < 0.1
    assert made.trials["committee"]["log_loss"] > made.trials[made.chosen]["log_loss"]


def test_too_little_history_is_refused_with_the_numbers_and_leaves_the_rule(past: History) -> None:
    few = province(120)
    until = few.ends_at
    with pytest.raises(Unreadable, match=r"11\d dossiers came due, [2-6]\d of them late"):
        model.train(few, until)
    rule = model.slack_only(few, until)
    assert rule.chosen == "slack" and rule.learned.late is None
    assert rule.learned.usual.like(usual.groups(few, open_at(few, [until - 20 * DAY]))).quantiles.shape[1] > 5


def test_a_kept_model_answers_as_the_learned_one(past: History, middle: int, learned: model.Model) -> None:
    again = model.Model.read(json.loads(json.dumps(learned.plain())))
    states = open_at(past, [middle])
    one, other = (each.estimate(past, states, Load.of(past, middle)) for each in (learned, again))
    assert np.array_equal(one.share, other.share) and np.array_equal(one.most, other.most)
    assert (one.low <= one.share).all() and (one.share <= one.high).all() and (one.least <= one.most).all()
    with pytest.raises(Unreadable, match="another version"):
        model.Model.read({**learned.plain(), "format": "motcua warning 0"})
    with pytest.raises(Unreadable, match="damaged"):
        model.Model.read({**learned.plain(), "late": {"base": 0.0}})


def test_no_person_is_a_feature(past: History, middle: int) -> None:
    assert not {name for name in NAMES if any(word in name for word in ("actor", "person", "holder", "applicant"))}
    assert not {name for name in History.__slots__ if name in ("actor", "holder", "applicant")}
    states = open_at(past, [middle])
    rows = matrix(past, states, model.slack_only(past, middle).learned.usual, Load.of(past, middle))
    assert rows.shape == (len(states), len(NAMES)) and np.isfinite(rows).all()


def test_a_log_without_ends_and_limits_gets_them_by_the_stated_rule(past: History) -> None:
    bare = replace(
        past, finish_at=np.full(len(past), MISSING), finish_known_at=np.full(len(past), MISSING),
        due_at=np.full(len(past), MISSING), due_value=np.full(len(past), MISSING),
    )  # fmt: skip
    ended = with_ends(bare)
    done = ended.finish_at != MISSING
    assert 0.9 < done.mean() < 1 and (ended.finish_at[done] == past.finish_at[done]).all()
    limited = with_limits(ended, past.ends_at, 0.75)
    rows = np.flatnonzero(done)
    took = minutes(past, rows, past.received_at[rows], past.finish_at[rows])
    allowed = minutes(past, rows, past.received_at[rows], limited.due_at[rows])
    assert 0.7 < (took <= allowed).mean() < 0.8
    assert with_limits(past, past.ends_at) is past, "due instants that are stated stay"


# ---- the parts --------------------------------------------------------------------------------------------------

scores = st.lists(st.tuples(st.floats(-3, 3), st.booleans()), min_size=2, max_size=40)


@given(scores)
def test_pools_rise_and_keep_the_whole(pairs: list[tuple[float, bool]]) -> None:
    x, y = np.array([p[0] for p in pairs]), np.array([float(p[1]) for p in pairs])
    highest, share = calibration.pooled(x, y, np.ones(len(x)))
    assert (np.diff(share) >= 0).all() and (np.diff(highest) > 0).all() and highest[-1] == x.max()
    assert share.min() >= 0 and share.max() <= 1


@given(scores, st.floats(-3, 3))
def test_the_venn_abers_pair_holds_the_share_between_it(pairs: list[tuple[float, bool]], at: float) -> None:
    x, y = np.array([p[0] for p in pairs]), np.array([float(p[1]) for p in pairs])
    low, high = calibration.venn_abers(x, y, np.ones(len(x)), np.array([at]))
    assert low[0] <= high[0] + 1e-9


def test_a_calibrated_score_comes_true_and_its_interval_holds_the_truth() -> None:
    random = np.random.default_rng(1)
    score = random.normal(0, 1.5, 4000)
    truth = expit(0.7 * score - 0.5)
    made = calibration.fitted(score, (random.random(4000) < truth).astype(float), np.arange(4000), np.arange(4000) % 4)
    assert float(np.abs(made.shares(score) - truth).mean()) < 0.03
    low, high = made.interval(score, 1.645)
    assert float(((low <= truth) & (truth <= high)).mean()) > 0.9


def test_intervals_that_missed_the_next_round_reach_further() -> None:
    """Each period has a level of its own: the intervals of the periods before are judged on the next."""
    random = np.random.default_rng(6)

    def reach(level: float) -> float:
        fold = np.repeat(np.arange(4), 400)
        score = random.normal(0, 1, 1600)
        late_ = random.random(1600) < expit(score + level * np.array([0.0, 0.1, -0.1, 1.0])[fold])
        empty = np.zeros(1600)
        pool = model._Pool(
            dossier=np.arange(1600), at=np.arange(1600), fold=fold, scores={"committee": score},
            late=late_.astype(float), ends=empty, took=empty, weight=empty, of_late=np.ones(1600, bool),
            of_ends=np.ones(1600, bool),
        )  # fmt: skip
        return pool.reach("committee")

    assert reach(0.0) < 2.0 < reach(3.0)


def test_the_conformal_margin_covers_what_it_promises() -> None:
    random = np.random.default_rng(2)
    kept = [
        float((random.normal(0, 1, 500) <= calibration.margin(random.normal(0, 1, 200), np.ones(200), 0.9)).mean())
        for _ in range(200)
    ]
    assert 0.89 <= float(np.mean(kept)) <= 0.93


def test_slow_ends_that_a_cut_hides_weigh_more() -> None:
    past = province(600)
    until = int(np.quantile(past.received_at, 0.6))
    states = open_at(past, usual.instants(until - 25 * DAY, until, 25)[:-1])
    took, done = remaining(past, states, until)
    weight = usual.weights(states, took, done, until, past)
    truth, _ = remaining(past, states, past.ends_at + DAY)
    naive, weighed = np.median(took[done]), np.average(truth[done] > np.median(truth), weights=weight[done])
    assert naive < np.median(truth), "the ends that are known are the quick ones"
    assert abs(weighed - 0.5) < abs(float((truth[done] > np.median(truth)).mean()) - 0.5)


def test_exported_trees_answer_as_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    from motcua.inspection.forecast import trees

    seen: dict[str, Any] = {}
    fit = HistGradientBoostingClassifier.fit

    def spied(self: Any, rows: Any, *more: Any, **options: Any) -> Any:
        seen["rows"], seen["grown"] = rows, fit(self, rows, *more, **options)
        return seen["grown"]

    monkeypatch.setattr(HistGradientBoostingClassifier, "fit", spied)
    random = np.random.default_rng(4)
    rows = random.normal(size=(500, 5))
    made = trees.classifier(rows, (rows[:, 0] + rows[:, 1] ** 2 > 0.7).astype(float), np.ones(500))
    expected = seen["grown"].decision_function(seen["rows"])
    assert np.allclose(made.predict(rows), expected)
    assert np.allclose(trees.Trees.read(json.loads(json.dumps(made.plain()))).predict(rows), expected)


def test_log_odds_and_shares_undo_each_other() -> None:
    share = np.linspace(0.01, 0.99, 50)
    assert np.allclose(expit(logit(share)), share)
