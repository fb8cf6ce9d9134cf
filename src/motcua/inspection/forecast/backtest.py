"""The back-test: learn up to an instant, forecast the dossiers that were open afterwards, look what became of them.

Nothing of the future is used: acts, due instants and ends are those known at the instant of each state; the model, its
choice between candidates, calibration and margins come from before the split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from motcua.inspection.estimates import beta_quantile
from motcua.inspection.forecast import calibration
from motcua.inspection.forecast.features import Load
from motcua.inspection.forecast.history import Floats, History, late, open_at, remaining, with_ends, with_limits
from motcua.inspection.forecast.model import (
    COVERAGE,
    GROUP_COVERAGE,
    STATISTICAL,
    Model,
    measures,
    train,
)
from motcua.inspection.forecast.usual import NAIVE, instants
from motcua.rules.instants import Unreadable

#: Where the history is split, as shares of the receipts; each model forecasts the states up to the next split.
SPLITS = (0.5, 0.6, 0.7, 0.8)
_TESTED = 60


def run(
    past: History, *, splits: Sequence[float] = SPLITS, statistical: bool = True, limit_quantile: float = 0.75,
    seed: int = 7,
) -> dict[str, Any]:  # fmt: skip
    """The report of a back-test over several splits. Raises `Unreadable` where no split has enough behind it.

    Keys: `splits` (each with what was chosen), `states`, `dossiers`, `undecided`, `late_share`, `candidates`
    (measures of each, calibrated before the split), `chosen` (the model as it would have answered), `best_naive`,
    `skill` (the share of the best naive one's Brier score and log loss that the model saves, with the interval of
    9 in 10 over dossiers), `skill_before` (likewise, against the naive one that each model's own trials had chosen),
    `remaining` (coverage and width), `groups` (coverage of the intervals of chances, with its exact interval).
    """
    past = with_ends(past)
    stated = float((past.due_at != np.iinfo(np.int64).min).mean()) if len(past) else 0.0
    marks = [int(v) for v in np.quantile(past.received_at, splits)] if len(past) else []
    found: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    for number, (low, high) in enumerate(zip(marks, [*marks[1:], past.ends_at], strict=True)):
        known = with_limits(past, low, limit_quantile)
        try:
            model = train(known, low, statistical=statistical, seed=seed)
        except Unreadable as error:
            told.append({"share": splits[number], "at": low, "refused": str(error)})
            continue
        tested = _tested(known, model, low, high, number)
        if tested is None:
            told.append({"share": splits[number], "at": low, "refused": "nothing was open and decided afterwards"})
            continue
        found.append(tested)
        told.append({"share": splits[number], "at": low, "chosen": model.chosen, "trust": model.trust,
                     "beside": model.beside, "dossiers": model.dossiers, "states": len(tested["late"])})  # fmt: skip
    if not found:
        raise Unreadable(told[-1]["refused"] if told else "there is no history to test on")
    return _report(found, told, stated)


def _tested(past: History, model: Model, low: int, high: int, number: int) -> dict[str, Any] | None:
    states = open_at(past, instants(low, high, _TESTED + 1)[:-1])
    states = states[states.left > 0]
    is_late, decided = late(past, states, past.ends_at)
    undecided = int((~decided).sum())
    if not bool(decided.any()):
        return None
    load = Load.of(past, high)
    estimate = model.estimate(past, states, load)
    raw = model.learned.raw(past, states, load)
    beside = model.beside or model.chosen
    took, done = remaining(past, states, past.ends_at)
    surely_missed = ~done & (took > estimate.most)
    return {
        "dossier": states.dossier[decided],
        "fold": np.full(int(decided.sum()), number),
        "late": is_late[decided].astype(float),
        "share": estimate.share[decided],
        "low": estimate.low[decided],
        "high": estimate.high[decided],
        "left": states.left[decided],
        "candidates": {name: model.score(raw, name)[decided] for name in model.maps},
        "beside": model.maps[beside].shares(raw[beside])[decided],
        "maps": model,
        "undecided": undecided,
        "known_end": done | surely_missed,
        "inside": done & (took >= estimate.least - 1) & (took <= estimate.most + 1),
        "width": estimate.most - estimate.least,
        "of": states.dossier,
    }


def _report(found: list[dict[str, Any]], told: list[dict[str, Any]], stated: float) -> dict[str, Any]:
    def every(name: str) -> Any:
        return np.concatenate([each[name] for each in found])

    is_late, share, dossier, fold = every("late"), every("share"), every("dossier"), every("fold")
    every_name = (*NAIVE, "time_in_step", "days_in_step", "age", *STATISTICAL)
    names = [n for n in every_name if all(n in each["maps"].maps for each in found)]
    shares = {n: np.concatenate([each["maps"].maps[n].shares(each["candidates"][n]) for each in found]) for n in names}
    judged = {n: measures(s, is_late) for n, s in shares.items()}
    best = {m: min((n for n in NAIVE if n in judged), key=lambda n: judged[n][m]) for m in ("brier", "log_loss")}
    inside, known_end = every("inside"), every("known_end")
    of = every("of")
    weight = 1 / np.bincount(of)[of]
    ends = known_end
    return {
        "splits": told,
        "stated_limits": stated,
        "states": len(is_late),
        "dossiers": len(np.unique(dossier)),
        "undecided": sum(each["undecided"] for each in found),
        "late_share": float(is_late.mean()),
        "candidates": judged,
        "chosen": measures(share, is_late),
        "best_naive": best,
        "skill": {m: _saved(share, shares[name], is_late, dossier, m) for m, name in best.items()},
        "skill_before": {m: _saved(share, every("beside"), is_late, dossier, m) for m in best},
        "remaining": {
            "promised": COVERAGE,
            "covered": float(np.average(inside[ends], weights=weight[ends])) if bool(ends.any()) else None,
            "covered_of_states": float(inside[ends].mean()) if bool(ends.any()) else None,
            "median_width_minutes": float(np.median(every("width"))),
            "unknown": int((~ends).sum()),
        },
        "groups": _groups(share, every("low"), every("high"), is_late, dossier, fold),
    }  # fmt: skip


def _saved(share: Floats, other: Floats, is_late: Floats, dossier: Any, measure: str) -> dict[str, float]:
    """What is saved of another forecast's loss, and where that lies with 9 in 10.

    Dossiers are drawn anew for the interval: states of one dossier stand or fall together.
    """

    def loss(value: Floats) -> Floats:
        kept = np.clip(value, 0.001, 0.999)
        if measure == "brier":
            return (value - is_late) ** 2
        return -(is_late * np.log(kept) + (1 - is_late) * np.log(1 - kept))

    _, place = np.unique(dossier, return_inverse=True)
    ours, theirs = np.bincount(place, loss(share)), np.bincount(place, loss(other))
    draws = np.random.default_rng(11).poisson(1.0, (400, len(ours)))
    saved = 1 - (draws @ ours) / np.maximum(draws @ theirs, 1e-12)
    whole = 1 - measures(share, is_late)[measure] / measures(other, is_late)[measure]
    return {"saved": whole, "from": float(np.quantile(saved, 0.05)), "to": float(np.quantile(saved, 0.95))}


def _groups(
    share: Floats, low: Floats, high: Floats, is_late: Floats, dossier: Any, fold: Any
) -> dict[str, float | int | None]:
    """How many groups of like forecasts had a late share within their interval, chance in the group allowed for."""
    held = total = 0
    widths: list[float] = []
    for rows in calibration.groups(share, dossier, fold):
        weight = 1 / np.bincount(dossier[rows])[dossier[rows]]
        n = float(weight.sum())
        seen = float(np.average(is_late[rows], weights=weight))
        least, most = float(np.average(low[rows], weights=weight)), float(np.average(high[rows], weights=weight))
        chance = [1.645 * float(np.sqrt(max(p * (1 - p), 0.5 / n) / n)) for p in (least, most)]
        middle = float(np.average(share[rows], weights=weight))
        under, over = np.hypot(middle - least, chance[0]), np.hypot(most - middle, chance[1])
        held += middle - under <= seen <= middle + over
        total += 1
        widths.append(most - least)
    return {
        "promised": GROUP_COVERAGE,
        "covered": float(held / total) if total else None,
        "held": int(held),
        "groups": total,
        **_exact(int(held), total),
        "mean_width": float(np.mean(widths)) if widths else None,
    }


def _exact(held: int, total: int) -> dict[str, float]:
    """Where the share that is held lies with 9 in 10 (Clopper and Pearson 1934): few groups tell little."""
    low, high = (
        float(beta_quantile(level, np.array([max(a, 1e-9)]), np.array([max(b, 1e-9)]))[0])
        for level, a, b in ((0.05, held, total - held + 1), (0.95, held + 1, total - held))
    )
    return {"from": low, "to": high}


def told(report: Mapping[str, Any]) -> str:
    """The report as text."""
    chosen, ends, groups = report["chosen"], report["remaining"], report["groups"]
    lines = [
        f"{report['states']} states of {report['dossiers']} dossiers, {report['late_share']:.0%} late;"
        f" {report['undecided']} states left out: not decided when the history ends;"
        f" {report['stated_limits']:.0%} of the dossiers state a due instant",
    ]
    for split in report["splits"]:
        what = split.get("chosen") or f"refused: {split['refused']}"
        if split.get("beside"):
            what = f"committee {split['trust']:.0%}, {split['beside']} {1 - split['trust']:.0%}"
        lines.append(f"  split at {split['share']:.0%} of the receipts: {what}")
    lines.append(f"{'':<22}{'Brier':>9}{'log loss':>10}{'AUC':>8}{'calibration error':>20}")
    judged = sorted(report["candidates"].items(), key=lambda each: each[1]["brier"])
    for name, found in [("answered", chosen), *judged]:
        mark = "*" if name == report["best_naive"]["brier"] else " "
        lines.append(
            f"{mark}{name:<21}{found['brier']:>9.4f}{found['log_loss']:>10.4f}{found['auc']:>8.3f}"
            f"{found['calibration_error']:>20.3f}"
        )
    for measure, word in (("brier", "Brier score"), ("log_loss", "log loss")):
        skill = report["skill"][measure]
        verdict = "better than" if skill["from"] > 0 else "worse than" if skill["to"] < 0 else "no different from"
        lines.append(
            f"{word}: {skill['saved']:+.1%} ({skill['from']:+.1%} to {skill['to']:+.1%}),"
            f" {verdict} the best naive forecast afterwards, {report['best_naive'][measure]} (*)"
        )
        before = report["skill_before"][measure]
        lines.append(
            f"{'':<{len(word)}}  {before['saved']:+.1%} ({before['from']:+.1%} to {before['to']:+.1%})"
            " against the naive forecast that the trials before each split had chosen"
        )
    if ends["covered"] is not None:
        lines.append(
            f"interval of the remaining time: promised {ends['promised']:.0%} of dossiers, kept {ends['covered']:.0%};"
            f" median width {ends['median_width_minutes'] / 480:.1f} working days"
        )
    if groups["covered"] is not None:
        lines.append(
            f"interval of the chance: promised {groups['promised']:.0%} of groups, kept"
            f" {groups['held']} of {groups['groups']} ({groups['from']:.0%} to {groups['to']:.0%});"
            f" mean width {groups['mean_width']:.2f}"
        )
    return "\n".join(lines)


__all__ = ["SPLITS", "run", "told"]
