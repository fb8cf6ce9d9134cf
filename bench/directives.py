"""The daily look at many tasks over many units, beside asking each task's figure alone, in the same run."""

from __future__ import annotations

import os
import resource
import time
from datetime import timedelta

from bench import imports
from bench.report import tell

DOSSIERS, TASKS = int(os.environ.get("BENCH_DOSSIERS", "50000")), int(os.environ.get("BENCH_TASKS", "200"))
#: So many tasks are asked one by one for the comparison.
_ALONE = 10


def main() -> dict[str, float]:
    """Runs and prints the comparison."""
    with imports.province(DOSSIERS) as (home, now):
        from motcua.catalogue.models import Agency
        from motcua.directives import orders, progress, standing, targets
        from motcua.directives.models import Directive, Progress
        from motcua.oversight import extract
        from motcua.rules.instants import local_day

        extract.run(home=home, at=now, full=True)
        units = tuple(Agency.objects.values_list("code", flat=True))
        metrics = sorted(targets.METRICS)
        for n in range(TASKS):
            metric = metrics[n % len(metrics)]
            orders.give(
                title=f"Nhiệm vụ {n}", metric=metric, cause="late_entry" if metric == "cause" else "",
                target=500 if not targets.METRICS[metric].most else 0, agencies=units,
                due_on=local_day(now) + timedelta(days=7), by="bench", at=now,
            )  # fmt: skip
        found: dict[str, float] = {"dossiers": DOSSIERS, "tasks": TASKS, "units": len(units)}
        start = time.perf_counter()
        for task in Directive.objects.order_by("pk")[:_ALONE]:
            progress.look(home, task.pk, at=now)
        found["alone_ms_per_task"] = (time.perf_counter() - start) / _ALONE * 1000
        start = time.perf_counter()
        progress.look_at_all(home, at=now + timedelta(minutes=15))
        found["all_s"] = time.perf_counter() - start
        found["all_ms_per_task"] = found["all_s"] / TASKS * 1000
        rows = [
            Progress(directive=task, on=local_day(now) - timedelta(days=day), at=now, value=0, parts={})
            for task in Directive.objects.all() for day in range(1, 90)
        ]  # fmt: skip
        Progress.objects.bulk_create(rows, batch_size=1_000)
        start = time.perf_counter()
        standing.standings(today=local_day(now), scope=None)
        found["board_after_90_days_s"] = time.perf_counter() - start
        found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found["ratio"] = found["all_ms_per_task"] / found["alone_ms_per_task"]
    tell("directives", found)
    return found


if __name__ == "__main__":
    main()
