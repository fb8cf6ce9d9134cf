"""What every test shares: a home of its own, the real data where it lies, and a database by choice."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck, settings

from motcua.web import settings as web_settings

# A busy machine is no fault of a property.
settings.register_profile("suite", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("suite")
# A home of each process's own: the locks lie there. Django's settings were read before this file.
if "MOTCUA_HOME" not in os.environ or "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["MOTCUA_HOME"] = tempfile.mkdtemp(prefix="motcua-test-")
    atexit.register(shutil.rmtree, os.environ["MOTCUA_HOME"], ignore_errors=True)
    django_settings.HOME = web_settings.HOME = Path(os.environ["MOTCUA_HOME"])
    for each in django_settings.DATABASES.values():
        if "sqlite3" in each["ENGINE"]:  # the embedded ones lie there too: two runs in one tree keep apart
            each["TEST"]["NAME"] = str(django_settings.HOME / Path(each["TEST"]["NAME"]).name)
# A fifth of a second for each password of each test would be minutes in all. Processes of their own take the time.
django_settings.PASSWORD_HASHERS = ["tests.quick.QuickHasher"]
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # the browser's driver runs an event loop beside live servers

_ROOT = Path(__file__).resolve().parent.parent


#: Files of minutes, the longest first: begun last, one of them would keep a single process busy at the end.
LONG = (
    "web/test_console.py", "journeys/test_demo.py", "operation/test_install.py", "operation/test_backup.py",
    "rounds/test_procedure.py", "web/test_training.py", "directives/test_directives.py", "findings/test_pages.py",
    "rounds/test_draw.py", "web/test_orders.py", "exchange/test_crashes.py", "inspection/test_bridge.py",
    "inspection/test_engines.py", "findings/test_update.py", "notices/test_notices.py", "web/test_loading.py",
    "findings/test_walk.py", "web/test_rounds.py", "web/test_walks_of_orders.py", "oversight/test_explain.py",
    "exchange/test_campaign.py", "evidence/test_packs.py", "directives/test_unanswered.py", "operation/test_running.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; the others as they lie in the tree."""
    place = {str(_ROOT / "tests" / name): n for n, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(str(item.path), len(LONG)))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the project; tests that need it are skipped, visibly, where it is absent."""
    folder = Path(os.environ.get("MOTCUA_SHARED", _ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("the real data (../shared) is not on this machine")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for facts and files."""
    from motcua.web import settings

    monkeypatch.setenv("MOTCUA_HOME", str(tmp_path))
    monkeypatch.setattr(settings, "HOME", tmp_path)
    from django.conf import settings as live

    monkeypatch.setattr(live, "HOME", tmp_path, raising=False)
    return tmp_path


@pytest.fixture(autouse=True, scope="session")
def _every_part_is_on() -> Iterator[None]:
    """Tests speak to the whole house where nothing was chosen; those of the parts choose."""
    from motcua.catalogue import parts

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "AT_FIRST", parts.PARTS)
        yield


#: What Django itself writes after a migration stays between tests, and need not be written again.
_STAY = ("django_migrations", "django_content_type", "auth_permission")
#: PostgreSQL takes far longer to truncate a hundred tables than to delete the few rows that a test wrote.
_DELETE = f"""
DO $$ DECLARE
    name text;
    guarded text[] := ARRAY(SELECT DISTINCT event_object_table FROM information_schema.triggers);
BEGIN
    FOREACH name IN ARRAY guarded LOOP EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', name); END LOOP;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN {_STAY}
    LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
    SET CONSTRAINTS ALL IMMEDIATE;
    FOREACH name IN ARRAY guarded LOOP EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', name); END LOOP;
END $$
"""


@pytest.fixture(autouse=True, scope="session")
def _emptying_tests_may_empty_the_log() -> Iterator[None]:
    """The log refuses to be emptied, rightly; between tests its triggers step aside."""
    from django.core.management.commands.flush import Command
    from django.db import connections, transaction

    def empty(self: Command, *, database: str, **options: Any) -> None:
        connection = connections[database]
        with transaction.atomic(using=database), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(_DELETE)
                return
            triggers = cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            tables = cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for name, _ in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
            for (name,) in tables:
                if name not in _STAY and not name.startswith("sqlite_"):
                    cursor.execute(f"DELETE FROM {name}")
            for _, sql in triggers:
                cursor.execute(sql)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Command, "handle", empty)
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The plugin's, and no session outlives the tests: PostgreSQL drops no database that a thread or process uses."""
    from django.db import connections

    yield
    with django_db_blocker.unblock():
        for connection in connections.all():
            if connection.vendor == "postgresql":
                name = connection.settings_dict["NAME"]
                connection.close()
                with connection._nodb_cursor() as cursor:
                    cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
                    cursor.execute(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name]
                    )
