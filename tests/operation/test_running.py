"""Running it: jobs and their silence, the doctor, accounts and keys, logs, the health address."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError
from django.test import Client
from tests.served import PATIENCE_S, running
from tests.story import at

from motcua.accounts.models import User
from motcua.catalogue.models import Agency
from motcua.cli.demo import free_port
from motcua.cli.main import run
from motcua.jobs import lease
from motcua.jobs.models import Job
from motcua.ledger import audit
from motcua.ledger.models import Change

databases = pytest.mark.django_db(databases=["default", "mirror"])
for_real = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NOON = at("2026-03-10T12:00")


def _run(name: str, work: Any, when: datetime, holder: str = "a") -> lease.Run | None:
    return lease.run(name, work, every_s=60, holder=holder, clock=lambda: when)


@databases
def test_a_job_runs_when_it_is_due_and_tells_how_it_went() -> None:
    assert _run("extract", lambda: 7, NOON) == lease.Run(7, "")
    assert _run("extract", lambda: 8, NOON + timedelta(seconds=59)) is None
    assert _run("extract", lambda: 1 // 0, NOON + timedelta(seconds=60)) == lease.Run(
        0, "ZeroDivisionError: integer division or modulo by zero"
    )
    job = lease.health(now=NOON + timedelta(seconds=70))[0]
    assert (job["heartbeat_age_s"], job["failures"], job["silent"]) == (10, 1, False)
    assert _run("extract", lambda: 9, NOON + timedelta(seconds=120)) == lease.Run(9, "")
    assert lease.health(now=NOON + timedelta(seconds=130))[0]["failures"] == 0


@databases
def test_two_workers_do_not_run_one_job_and_a_dead_ones_lease_runs_out() -> None:
    inner: list[lease.Run | None] = []
    _run("seal", lambda: len(inner.append(_run("seal", lambda: 1, NOON, "b")) or inner), NOON, "a")
    assert inner == [None]
    Job.objects.filter(name="seal").update(leased_until=NOON + lease.LEASE, next_run_at=NOON)
    assert _run("seal", lambda: 1, NOON + timedelta(seconds=1), "b") is None
    assert _run("seal", lambda: 1, NOON + lease.LEASE, "b") == lease.Run(1, "")


@databases
def test_a_job_that_says_nothing_for_three_turns_is_silent_but_not_while_it_works() -> None:
    _run("extract", lambda: 7, NOON)
    assert lease.silent(now=NOON + timedelta(seconds=240)) == []
    assert lease.silent(now=NOON + timedelta(seconds=241)) == ["extract"]
    Job.objects.update(leased_until=NOON + timedelta(seconds=300))
    assert lease.silent(now=NOON + timedelta(seconds=241)) == []


@for_real
def test_a_long_job_keeps_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_RENEW_S", 0.05)
    later = NOON + timedelta(seconds=90)
    instants = iter([NOON])

    def work() -> int:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if Job.objects.filter(leased_until=later + lease.LEASE).exists():
                return 1
            time.sleep(0.02)
        return 0

    assert lease.run("extract", work, every_s=60, holder="a", clock=lambda: next(instants, later)) == lease.Run(1, "")


def _answer(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


@for_real
def test_the_doctor_shows_jobs_their_errors_and_their_silence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 0
    assert _answer(capsys)["jobs"] == []
    assert run(["work", "--once", "--json"]) == 0
    assert run(["doctor", "--json"]) == 0
    capsys.readouterr()
    Job.objects.filter(name="extract").update(heartbeat_at=at("2026-03-10T12:00"))
    Job.objects.filter(name="seal").update(error="OSError: No space left on device", failures=4)
    assert run(["doctor", "--json"]) == 1
    told = _answer(capsys)
    assert (told["silent"], told["failing"]) == (["extract"], ["seal"])
    assert any("job seal failed 4 times: OSError" in fault for fault in told["faults"])
    assert run(["doctor"]) == 1
    assert "! job extract is silent" in capsys.readouterr().out


def test_the_doctor_names_a_database_that_is_away_or_not_migrated(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "motcua.cli", "doctor", "--json"]
    env = {**os.environ, "MOTCUA_HOME": str(tmp_path), "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nowhere"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    databases = json.loads(done.stdout)["databases"]
    assert "cannot be reached" in databases["default"]["fault"] and "cannot be reached" in databases["mirror"]["fault"]


def test_a_worker_that_is_told_to_stop_ends_in_order_and_logs_one_object_a_line(tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if "DATABASE_URL" not in key}
    env["MOTCUA_HOME"] = str(tmp_path)
    worker = subprocess.Popen(
        [sys.executable, "-m", "motcua.cli", "work"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert worker.stderr
    lines = [json.loads(worker.stderr.readline()) for _ in range(2)]
    worker.send_signal(signal.SIGTERM)
    out, rest = worker.communicate(timeout=60)
    lines += [json.loads(line) for line in rest.splitlines()]
    assert (worker.returncode, out) == (0, "")
    assert (lines[0]["event"], lines[1]["event"], lines[-1]["event"]) == ("started", "job", "stopped")
    assert all(line["level"] == "info" and line["at"].endswith("Z") for line in lines)


@databases
def test_accounts_are_added_locked_and_given_passwords_and_every_change_is_kept(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Agency.objects.create(code="H99.12", name="Một")
    secret = tmp_path / "password.txt"
    secret.write_text("một-mật-khẩu-dài\n")
    given = ["--password-file", str(secret)]
    assert run(["user", "add", "an", "--role", "unit_head", "--agency", "H99.12", *given]) == 0
    client = Client()
    assert client.login(username="an", password="một-mật-khẩu-dài")
    assert run(["user", "lock", "an"]) == 0
    assert client.get("/").status_code == 302, "an open session ends with the lock"
    assert run(["user", "unlock", "an"]) == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("another-password\n"))
    assert run(["user", "password", "an"]) == 0
    assert Client().login(username="an", password="another-password")
    capsys.readouterr()
    assert run(["user", "list", "--json"]) == 0
    assert _answer(capsys)["users"][0]["posts"] == ["unit_head H99.12"]
    assert [change.key for change in Change.objects.order_by("pk")] == ["an"] * 4
    assert "password" not in json.dumps(list(Change.objects.values_list("after", flat=True)[:3]))
    assert audit.verify()["ok"]


@databases
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["add", "an", "--role", "king"], "'king' is none of"),
        (["add", "an", "--role", "clerk"], "name it with --agency"),
        (["add", "an", "--agency", "H00"], "no such agency"),
        (["add", "hai từ"], "cannot be that"),
        (["add", "an", "--password-file", "/nowhere"], "/nowhere: cannot be read"),
        (["add", "an"], "at least 10 characters"),
        (["add", "BINH"], "exists already"),
        (["lock", "an"], "there is no such account"),
        (["password", "an"], "there is no such account"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_account_that_cannot_be_is_refused_in_one_line(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], told: str
) -> None:
    User.objects.create_user("binh", password="x" * 12)
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    assert run(["user", *words]) == 2
    error = capsys.readouterr().err
    assert told in error and len(error.splitlines()) == 1
    assert User.objects.count() == 1 and not Change.objects.exists()


@databases
def test_a_key_is_made_when_asked_for_and_old_ones_still_prove(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["keys", "list", "--json"]) == 0
    assert _answer(capsys) == {"signing": None, "keys": []} and not (home / "keys").exists()
    signing = []
    for _ in range(2):
        assert run(["keys", "rotate", "--json"]) == 0
        signing.append(_answer(capsys)["signing"])
    assert run(["keys", "list", "--json"]) == 0
    assert _answer(capsys) == {"signing": signing[1], "keys": sorted(signing)}
    assert Change.objects.filter(table="keys").count() == 2


@databases
def test_the_health_address_answers_a_stranger_and_says_when_the_database_is_away(client: Client) -> None:
    assert client.get("/healthz").json() == {"ok": True}
    with patch("django.db.models.query.QuerySet.exists", side_effect=OperationalError("the server closed")):
        reply = client.get("/healthz")
    assert (reply.status_code, reply.json()["ok"]) == (503, False)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_server_that_is_told_to_stop_leaves_nobody_behind(tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if "DATABASE_URL" not in key}
    env["MOTCUA_HOME"] = str(tmp_path)
    port = free_port()
    command = [sys.executable, "-m", "motcua.cli", "serve", "--port", str(port)]
    with running(command, f"http://127.0.0.1:{port}/healthz", env=env):
        assert run(["serve", "--port", str(port)]) == 2, "two servers do not share a port"
    assert not _listens(port)


def test_a_server_ends_even_if_it_is_told_to_while_it_begins(tmp_path: Path) -> None:
    """A worker that is just being made does not hear it: the server does not wait for that one for ever."""
    env = {key: value for key, value in os.environ.items() if "DATABASE_URL" not in key}
    env |= {"MOTCUA_HOME": str(tmp_path), "GRANIAN_WORKERS_KILL_TIMEOUT": "1"}
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "motcua.cli", "serve", "--port", str(port)], env=env)
    while not _listens(port):
        assert server.poll() is None
        time.sleep(0.01)
    server.terminate()
    server.wait(PATIENCE_S)
    assert not _listens(port)


@pytest.mark.parametrize("words", [["--port", "80000"], ["--host", "300.1.1.1"], ["--workers", "0"]], ids=" ".join)
def test_an_address_that_cannot_be_served_on_is_refused_in_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["serve", *words]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_error_of_the_web_is_logged_as_one_object_with_its_trace(tmp_path: Path) -> None:
    """A process of its own: the tests' runner takes the handlers of this one."""
    script = (
        "from motcua.cli.home import open_home; open_home()\n"
        "from unittest.mock import patch; from django.test import Client\n"
        "with patch('motcua.web.console.doors.DossierRow.objects.exists', side_effect=ValueError('lỗi')):\n"
        "    Client(raise_request_exception=False).get('/healthz')\n"
    )
    env = {key: value for key, value in os.environ.items() if "DATABASE_URL" not in key}
    env["MOTCUA_HOME"] = str(tmp_path)
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=60)
    line = json.loads(done.stderr.splitlines()[-1])
    assert (line["level"], line["logger"]) == ("error", "django.request")
    assert "ValueError: lỗi" in line["exception"]


@pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="an embedded home migrates itself")
def test_a_database_that_is_not_there_or_empty_is_told_in_one_line(tmp_path: Path) -> None:
    url = urlsplit(os.environ["DATABASE_URL"])
    env = {**os.environ, "MOTCUA_HOME": str(tmp_path)}
    for database, told in (("nowhere", "cannot be used"), ("postgres", "run motcua migrate")):
        env["DATABASE_URL"] = url._replace(path=f"/{database}").geturl()
        command = [sys.executable, "-m", "motcua.cli", "user", "list"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and told in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
