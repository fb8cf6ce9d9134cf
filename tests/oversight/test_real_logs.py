"""The checks on a log that nobody here wrote: what they must leave alone, and the few faults that it really has."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.story import at

from motcua.dossiers.importing import mapping
from motcua.dossiers.importing.run import Order, import_files
from motcua.oversight import extract, scan
from motcua.oversight.figures import Question

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "mirror"])
MAPS = Path(__file__).resolve().parents[2] / "examples" / "maps"
END = at("2012-01-23T22:00")


def test_an_honest_log_bears_only_the_signs_that_it_states(home: Path, shared: Path) -> None:
    log = shared / "data" / "logs" / "receipt.csv"
    if not log.exists():
        pytest.skip("the receipt log is not on this machine")
    import_files(Order(files=(log,), map=mapping.read(MAPS / "receipt.toml"), home=home, at=END, create_missing=True))
    extract.run(home=home, at=END)
    found = scan.scan(home, Question(as_of=END), now=END)
    signs = Counter(sign.check for sign in found.signs)
    # 414 past their deadline, of whom nobody knows what the portal shows, 4 whose steps are older than their receipt.
    assert signs == {"overdue": 414, "not_enough_data": 414, "impossible_times": 4}
    # What the log does not hold is said: ends that nobody is named for, a day without its time.
    assert found.looked("bulk_closing").missing == {"actors": 1}
    assert found.looked("work_after_end").missing == {"end_time": 63}
    for code in ("shared_account", "night_clicks", "rest_day_clicks"):
        assert found.looked(code).looked_at > 20, code
