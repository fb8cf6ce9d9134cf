"""One population, three engines, one answer: DuckDB, Polars and, where it is installed, Spark."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from tests.story import Case

from motcua.inspection import engines

pytestmark = pytest.mark.skipif(
    "DATABASE_URL" in os.environ, reason="engines read Parquet, whatever the database; they run in the SQLite suite"
)

#: Runs many commands in one process: an engine starts once.
_RUN = "import json, sys; from motcua.cli.main import run; [run(words) for words in json.loads(sys.argv[1])]"


def _java() -> int:
    """The major version of the machine's Java; 0 where there is none."""
    if shutil.which("java") is None:
        return 0
    done = subprocess.run(["java", "-XshowSettings:properties", "-version"], capture_output=True, text=True)
    versions = [line.split("=")[1].strip() for line in done.stderr.splitlines() if "java.specification.version" in line]
    return int(float(versions[0])) if versions else 0


spark = pytest.mark.skipif(
    importlib.util.find_spec("pyspark") is None or _java() < 17,
    reason="Spark wants pyspark and Java 17: `make test-spark` installs the first",
)


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a home with a sample province, and a delta over its facts."""
    folder = tmp_path_factory.mktemp("province")
    env = {**os.environ, "MOTCUA_HOME": str(folder / "home"), "MOTCUA_SPARK_MASTER": "local[2]"}
    _motcua(env, "demo", "--dossiers", "300", "--seed", "11", "--no-serve", "--bare", "--json")
    case = Case()
    case.dossier("H99.12-260302-9001")
    case.event("H99.12-260302-9001", "received", "2026-03-02T08:30")
    case.event("H99.12-260302-9001", "finished", "2026-03-12T09:00")
    dossiers, events, _ = case.write(folder)
    _motcua(env, "import", str(dossiers), str(events), "--create-missing", "--json")
    _motcua(env, "extract", "--json")
    assert any((folder / "home" / "facts" / "pairs").glob("delta*.parquet")), "Spark reads a delta over a base too"
    return env


def _motcua(env: Mapping[str, str], *words: str) -> None:
    command = [sys.executable, "-m", "motcua.cli", *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def questions() -> list[list[str]]:
    """Every kind of figure, as the facts stand and as they stood forty days ago."""
    now = timezone.now().replace(microsecond=0)
    asked = [
        ["bridge", "--by", "agency"],
        ["bridge", "--measure", "reception", "--by", "procedure"],
        ["bridge", "--measure", "open", "--by", "month", "--policy", "statutory"],
        ["rates", "--by", "field"],
        ["rates", "--by", "agency", "--verdict", "true"],
        ["rates", "--verdict", "shown"],
        ["inspect"],
    ]
    return [
        [*words, "--json", "--as-of", instant.isoformat()] for words in asked for instant in (now, now - timedelta(40))
    ]


def _answers(env: Mapping[str, str], questions: list[list[str]], engine: str) -> list[dict[str, Any]]:
    """What an engine answers, without the age of the facts."""
    asked = json.dumps([[*words, "--engine", engine] for words in questions])
    done = subprocess.run([sys.executable, "-c", _RUN, asked], env=env, capture_output=True, text=True, timeout=600)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(questions), done.stderr[-4000:]
    return [{key: value for key, value in answer.items() if key != "facts_age_s"} for answer in answers]


@pytest.fixture(scope="module")
def golden(province: dict[str, str], questions: list[list[str]]) -> list[dict[str, Any]]:
    """DuckDB's answers, which hold something to differ about."""
    answers = _answers(province, questions, "duckdb")
    assert answers[0]["late_shown"] > answers[0]["late_true"] > 0
    assert answers[0]["late_shown"] != answers[1]["late_shown"]
    assert len(answers[-2]["findings"]) > 20
    return answers


@pytest.mark.parametrize("engine", ["polars", pytest.param("spark", marks=spark)])
def test_an_engine_gives_the_golden_answers(
    province: dict[str, str], questions: list[list[str]], golden: list[dict[str, Any]], engine: str
) -> None:
    for words, expected, given in zip(questions, golden, _answers(province, questions, engine), strict=True):
        assert given == expected, words


def test_rows_in_memory_stay_apart_and_a_hundred_questions_start_no_more_threads(tmp_path: Path) -> None:
    engine = engines.engine("duckdb")
    engine.connection.execute(f"COPY (SELECT '' AS dossier) TO '{tmp_path / 'shape.parquet'}' (FORMAT parquet)")
    shape = engine.scan([str(tmp_path / "shape.parquet")])
    many = [engine.rows({"dossier": np.array([f"H99-{n}"], object)}, like=shape) for n in range(20)]
    assert [engine.collect(frame) for frame in many] == [[{"dossier": f"H99-{n}"}] for n in range(20)]
    with engine.kept(many[3]) as kept:
        assert engine.collect(kept) == [{"dossier": "H99-3"}]
    before = len(os.listdir("/proc/self/task"))
    others = [engines.engine("duckdb") for _ in range(100)]
    assert all(other.collect(other.scan([str(tmp_path / "shape.parquet")])) == [{"dossier": ""}] for other in others)
    assert len(os.listdir("/proc/self/task")) == before
    with pytest.raises(Exception, match="kept_"):
        others[0].connection.table("kept_21")  # what one question keeps is no other's


def test_an_engine_that_is_not_there_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    with pytest.raises(engines.MissingEngine, match=r"motcua\[spark\].*Java 17"):
        engines.engine("spark")


def test_an_unknown_engine_is_refused_with_those_there_are() -> None:
    with pytest.raises(engines.Unreadable, match="duckdb, polars, spark"):
        engines.engine("excel")
