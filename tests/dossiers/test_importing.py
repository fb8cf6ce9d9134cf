"""Imports: real logs come in whole, nothing twice, and a fault names its place and changes nothing."""

from __future__ import annotations

import re
import threading
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars
import pytest
import xlsxwriter
from django.db import connection
from tests.story import DOSSIERS, EVENTS, Case, at

from motcua.catalogue.models import Agency
from motcua.dossiers import verify
from motcua.dossiers.importing import mapping
from motcua.dossiers.importing.run import Order, Refusal, import_files
from motcua.dossiers.models import DossierRow
from motcua.ledger.models import EventRow, PersonalValue
from motcua.rules.instants import Unreadable

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
NOW = at("2026-04-01T09:00")
MAPS = Path(__file__).resolve().parents[2] / "examples" / "maps"


@pytest.mark.parametrize(
    ("file", "rules", "cases", "events", "steps", "duplicates"),
    [
        ("receipt.csv", "receipt", 1434, 8577, 27, 0),
        ("08_receipt.xes.gz", "receipt", 1434, 8577, 27, 0),
        ("bpic15_1.xes.gz", "bpic15", 1199, 52217, 398, 19),
        ("helpdesk.xes.gz", "helpdesk", 4580, 21348, 13, 127),
        ("bpi17_sample.csv", "bpi17", 811, 9992, 20, 57),
        ("roadtraffic100traces.csv", "road-fines", 100, 390, 10, 0),
        ("15_bpic2020_permit_log_1t_per_variant.xes.gz", "permit-log", 1478, 26028, 51, 369),
    ],
)
def test_a_real_log_comes_in_whole_and_only_once(
    file: str, rules: str, cases: int, events: int, steps: int, duplicates: int, shared: Path, home: Path
) -> None:
    order = Order(files=(shared / "data" / "logs" / file,), home=home, at=NOW, map=mapping.read(MAPS / f"{rules}.toml"))
    result = import_files(order)
    assert (result.dossiers, result.events, result.refused) == (cases, events, 0)
    assert result.anomalies["duplicate_row"] == duplicates
    assert EventRow.objects.exclude(step="").values("step").distinct().count() == steps
    again = import_files(order)
    assert (again.dossiers, again.events) == (0, 0)


def _case() -> Case:
    case = Case()
    case.dossier("H99.12-260302-0001", applicant="Trần Thị Thử")
    case.dossier("H99.12-260302-0002")
    case.event("H99.12-260302-0001", "step_finished", "2026-03-05T08:00", step="thẩm định")
    case.event("H99.12-260302-0002", "finished", "2026-03-06T08:00")
    case.event("H99.12-260302-0001", "finished", "2026-03-06T09:00")
    return case


def _import(folder: Path, home: Path, **more: Any) -> Any:
    files = (folder / "dossiers.csv", folder / "events.csv")
    return import_files(Order(files=files, home=home, at=NOW, **{"create_missing": True, **more}))


def test_the_row_is_the_replay_and_the_chain_proves(home: Path, tmp_path: Path) -> None:
    _case().write(tmp_path)
    _import(tmp_path, home)
    assert verify.verify_projection()["ok"] and verify.verify_log(home / "keys")["ok"]
    assert PersonalValue.objects.filter(value="Trần Thị Thử").count() == 2
    assert "Trần" not in "".join(EventRow.objects.values_list("body", flat=True))


@pytest.mark.parametrize(
    ("column", "dossiers", "events"),
    [
        ("received_at", "A,1.0,H,desk,x,,2026-02-31T08:00,5d,", ""),
        ("allotted", "A,1.0,H,desk,x,,2026-03-02T08:00,5 days,", ""),
        ("channel", "A,1.0,H,fax,x,,2026-03-02T08:00,5d,", ""),
        ("kind", "A,1.0,H,desk,x,,2026-03-02T08:00,5d,", "A,closed,2026-03-03T08:00,,,,,,,,"),
        ("due_at", "A,1.0,H,desk,x,,2026-03-02T08:00,5d,", "A,extended,2026-03-03T08:00,,,,,,,,"),
        ("at", "A,1.0,H,desk,x,,2026-03-02T08:00,5d,", "A,finished,soon,,,,,,,,"),
        ("document", "A,1.0,H,desk,x,,2026-03-02T08:00,5d,", "A,suspended,2026-03-03T08:00,,,,,,,maybe,"),
        ("dossier", "A,1.0,H,desk,x,,2026-03-02T08:00,5d,", "B,finished,2026-03-03T08:00,,,,,,,,"),
        ("", "A,1.0,H,desk,x,,2026-03-02T08:00,5d,", "A,finished,2026-03-03"),
    ],
)
def test_a_fault_names_file_row_and_column_and_stores_nothing(
    column: str, dossiers: str, events: str, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "dossiers.csv").write_text(f"{DOSSIERS}\n{dossiers}\n")
    (tmp_path / "events.csv").write_text(f"{EVENTS}\n{events}")
    with pytest.raises(Refusal) as refusal:
        _import(tmp_path, home)
    fault = refusal.value.faults[0]
    assert fault.row == 2 and fault.column == column and fault.file.endswith(".csv")
    assert not DossierRow.objects.exists() and not EventRow.objects.exists()


def test_an_unknown_agency_is_refused_unless_it_may_be_created(home: Path, tmp_path: Path) -> None:
    _case().write(tmp_path)
    with pytest.raises(Refusal, match="not in the catalogue"):
        _import(tmp_path, home, create_missing=False)
    assert not DossierRow.objects.exists()


def test_a_dossier_that_stands_twice_is_refused(home: Path, tmp_path: Path) -> None:
    case = _case()
    case.dossier("H99.12-260302-0001")
    case.write(tmp_path)
    with pytest.raises(Refusal, match="row 4, column dossier"):
        _import(tmp_path, home)


def test_a_refused_row_refuses_its_whole_dossier_and_the_rest_goes_in(home: Path, tmp_path: Path) -> None:
    case = _case()
    case.event("H99.12-260302-0001", "finished", "32/03/2026")
    case.write(tmp_path)
    result = _import(tmp_path, home, keep_going=True)
    assert (result.dossiers, result.events, result.refused) == (1, 1, 1)
    assert "row 5" in Path(result.refusals).read_text().replace("events.csv,5", "row 5")


def test_a_byte_order_mark_crlf_and_decomposed_text_are_read_as_meant(home: Path, tmp_path: Path) -> None:
    _case().write(tmp_path)
    for name in ("dossiers.csv", "events.csv"):
        text = unicodedata.normalize("NFD", (tmp_path / name).read_text()).replace("\n", "\r\n")
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert _import(tmp_path, home).events == 3
    assert PersonalValue.objects.filter(value="Trần Thị Thử").exists()
    assert EventRow.objects.filter(step="thẩm định").exists()


def test_what_is_out_of_order_is_kept_and_listed(home: Path, tmp_path: Path) -> None:
    case = _case()
    case.event("H99.12-260302-0001", "step_finished", "2026-03-07T09:00", step="sau")
    case.event("H99.12-260302-0002", "step_finished", "2026-03-01T09:00", step="trước")
    case.event("H99.12-260302-0002", "step_finished", "2026-03-01T09:00", step="trước")
    case.write(tmp_path)
    result = _import(tmp_path, home)
    assert result.events == 6
    assert result.anomalies == {
        "step_after_end": 3, "goes_back_in_time": 2, "event_before_receipt": 2, "duplicate_row": 1,
    }  # fmt: skip


def test_a_workbook_comes_in_through_a_map(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "log.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for line, row in enumerate([("Nhật ký", "", ""), ("Mã", "Bước", "Lúc"), ("A1", "Ký", "06/03/2026 15:00")]):
            sheet.write_row(line, 0, row)
    (tmp_path / "map.toml").write_text(
        'create_missing = true\ndates = ["%d/%m/%Y %H:%M"]\n[reading]\nskip_rows = 1\n[case]\nid = "Mã"\n'
        'procedure = {value = "p"}\nagency = {value = "a"}\n[event]\nactivity = "Bước"\nat = "Lúc"\n'
    )
    result = import_files(Order(files=(path,), home=home, at=NOW, map=mapping.read(tmp_path / "map.toml")))
    assert (result.dossiers, result.events) == (1, 1)
    assert EventRow.objects.get(seq=2).at == at("2026-03-06T15:00")


def test_an_event_log_without_a_time_stamp_says_where(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    path.write_text(
        '<log><trace><string key="concept:name" value="A"/><event><string key="concept:name" value="x"/></event>'
        "</trace></log>"
    )
    with pytest.raises(Unreadable, match="event 1 of trace 'A' has no time stamp"):
        import_files(Order(files=(path,), home=home, at=NOW, map=mapping.read(MAPS / "helpdesk.toml")))
    assert not EventRow.objects.exists()


def test_a_row_without_all_its_columns_refuses_its_dossier_and_the_rest_goes_in(home: Path, tmp_path: Path) -> None:
    _case().write(tmp_path)
    events = tmp_path / "events.csv"
    events.write_text(events.read_text() + "H99.12-260302-0001,step_finished,2026-03-0")
    with pytest.raises(Refusal, match=r"events.csv, row 5: 3 columns where the header has 11"):
        _import(tmp_path, home)
    result = _import(tmp_path, home, keep_going=True)
    assert (result.dossiers, result.refused) == (1, 1)
    assert DossierRow.objects.get().code == "H99.12-260302-0002"


def test_a_line_cut_off_inside_the_code_leaves_no_dossier_of_the_file_safe(home: Path, tmp_path: Path) -> None:
    _case().write(tmp_path)
    events = tmp_path / "events.csv"
    events.write_text(events.read_text() + "H99.12-26030")
    with pytest.raises(Refusal, match="row 5"):
        _import(tmp_path, home, keep_going=True)
    assert not DossierRow.objects.exists()


def test_a_row_that_names_no_dossier_is_counted_and_a_row_of_commas_is_an_empty_row(home: Path, tmp_path: Path) -> None:
    _case().write(tmp_path)
    dossiers, events = tmp_path / "dossiers.csv", tmp_path / "events.csv"
    dossiers.write_text(f"{dossiers.read_text()},,,,,,,,\n")
    events.write_text(f"{events.read_text()},finished,2026-03-06T09:00,,,,,,,,\n")
    result = _import(tmp_path, home, keep_going=True)
    assert (result.dossiers, result.refused) == (2, 1)
    assert Path(result.refusals).read_text().count("dossier,is empty") == 1


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (f"{DOSSIERS}\nA,1.0,H,desk,Nguy\xe3,,,5d,\n".encode("latin-1"), "row 2: not UTF-8 text"),
        (DOSSIERS.encode("utf-16"), "row 1: not UTF-8 text"),
        (DOSSIERS.replace(",", ";").encode(), "row 1: the columns are parted by ';'"),
        (f"{DOSSIERS}\nA,1.0,H,desk,{'x' * 200_000},,,5d,\n".encode(), "row 2: a text of more than 131,072 characters"),
    ],
    ids=["latin", "UTF-16", "semicolons", "a huge text"],
)
def test_a_file_that_is_no_canonical_text_says_where_and_what_to_do(
    content: bytes, place: str, home: Path, tmp_path: Path
) -> None:
    _case().write(tmp_path)
    (tmp_path / "dossiers.csv").write_bytes(content)
    with pytest.raises(Refusal, match=place):
        _import(tmp_path, home)


def test_a_refused_dossier_leaves_nothing_in_the_catalogue(home: Path, tmp_path: Path) -> None:
    case = _case()
    case.dossier("H99.13-260302-0001", agency="H99.13", received_at="2026-02-30T08:00")
    case.write(tmp_path)
    _import(tmp_path, home, keep_going=True)
    assert list(Agency.objects.values_list("code", flat=True)) == ["H99.12"]


def test_a_killed_import_leaves_no_personal_values_in_a_scratch_database(home: Path, tmp_path: Path) -> None:
    _case().write(tmp_path)
    scratch = home / "imports" / "staging-4194305-0a.sqlite3"  # above the greatest process number
    scratch.parent.mkdir(parents=True)
    scratch.write_bytes(b"what a killed import left")
    _import(tmp_path, home)
    assert not scratch.exists()


_XES = (
    '<log><trace><string key="concept:name" value="A"/><event><string key="concept:name" value="x"/>'
    '<date key="time:timestamp" value="2026-03-02T08:00:00+07:00"/></event>'
    '<event><string key="concept:name" value="y"/></event></trace>'
    '<trace><string key="concept:name" value="B"/></trace>'
    '<trace><string key="concept:name" value="C"/><event><string key="concept:name" value="x"/>'
    '<date key="time:timestamp" value="2026-03-02T08:00:00+07:00"/></event></trace></log>'
)


def test_traces_without_stamps_or_events_are_left_out_where_that_is_asked_for(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    path.write_text(_XES)
    order = Order(files=(path,), home=home, at=NOW, map=mapping.read(MAPS / "helpdesk.toml"), keep_going=True)
    result = import_files(order)
    assert (result.dossiers, result.refused) == (1, 2)
    assert DossierRow.objects.get().code == "C"


def test_a_parquet_file_comes_in_through_a_map(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    polars.DataFrame(
        {
            "Mã": [7.0, 7.0],
            "Bước": ["Nhận", "Ký"],
            "Lúc": [at("2026-03-02T08:00"), at("2026-03-06T15:00:30")],
            "Người": ["Lan", None],
        }
    ).write_parquet(path)
    (tmp_path / "map.toml").write_text(
        'create_missing = true\n[case]\nid = "Mã"\nprocedure = {value = "p"}\nagency = {value = "a"}\n'
        '[event]\nactivity = "Bước"\nat = "Lúc"\nactor = "Người"\n'
    )
    result = import_files(Order(files=(path,), home=home, at=NOW, map=mapping.read(tmp_path / "map.toml")))
    assert (result.dossiers, result.events) == (1, 2)
    assert DossierRow.objects.get().code == "7"
    assert [(row.actor, row.at) for row in EventRow.objects.filter(seq__gt=1).order_by("seq")] == [
        ("Lan", at("2026-03-02T08:00")), ("", at("2026-03-06T15:00:30")),
    ]  # fmt: skip


@pytest.mark.parametrize("blank", ["", "\n"], ids=["title above the header", "an empty line between"])
def test_lines_above_the_header_are_skipped_as_they_are_counted_in_the_file(
    blank: str, home: Path, tmp_path: Path
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"NHẬT KÝ\n{blank}Mã;Bước;Lúc\nA1;Ký;2026-03-06 15:00\n")
    (tmp_path / "map.toml").write_text(
        f'create_missing = true\n[reading]\nskip_rows = {1 + len(blank)}\ndelimiter = ";"\n[case]\nid = "Mã"\n'
        'procedure = {value = "p"}\nagency = {value = "a"}\n[event]\nactivity = "Bước"\nat = "Lúc"\n'
    )
    assert import_files(Order(files=(path,), home=home, at=NOW, map=mapping.read(tmp_path / "map.toml"))).events == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("recieved = 'x'", "recieved is none of"),
        ("[reading]\ndelimiter = ';;'", "delimiter = ';;' cannot be used"),
        ("[reading]\nencoding = 'utf-99'", "encoding 'utf-99' is not known"),
        ("[reading]\nrows = 3", "rows is none of delimiter"),
        ("[case]\nid = 1", "id is a column, a list of columns"),
        ("[case]\nid = 'a'\nagency = {value = '{unit}'}", "may hold {source} and {file} only"),
        ("case = 1", "case = 1 is not what is read there"),
    ],
    ids=["an unknown word", "two delimiters", "an encoding", "a reading", "a number", "a fact", "no table"],
)
def test_a_map_that_cannot_be_used_says_why(text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(text)
    with pytest.raises(Unreadable, match=re.escape(complaint)):
        mapping.read(tmp_path / "map.toml")


def test_a_column_that_the_file_does_not_have_is_named_with_those_it_has(home: Path, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("case:concept:name,activity,time:timestamp\nA,x,2026-03-06 15:00\n")
    order = Order(files=(tmp_path / "log.csv",), home=home, at=NOW, map=mapping.read(MAPS / "helpdesk.toml"))
    with pytest.raises(Unreadable, match="column concept:name: there is no such column; the columns are: case:concept"):
        import_files(order)


@pytest.mark.django_db(transaction=True, databases=["default", "mirror"])
def test_two_imports_of_the_same_files_at_once_store_everything_once(home: Path, tmp_path: Path) -> None:
    case = _case()
    for number in range(3, 60):
        case.dossier(f"H99.12-260302-{number:04d}")
        case.event(f"H99.12-260302-{number:04d}", "finished", "2026-03-06T08:00")
    case.write(tmp_path)
    together = threading.Barrier(2)

    def one() -> Any:
        together.wait()
        try:
            return _import(tmp_path, home)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        results = [run.result() for run in [pool.submit(one), pool.submit(one)]]
    assert sum(result.dossiers for result in results) == 59
    assert sum(result.events for result in results) == 60
    assert verify.verify_projection()["ok"] and verify.verify_log(home / "keys")["ok"]


def test_what_a_later_file_brings_is_judged_with_what_came_before(home: Path, tmp_path: Path) -> None:
    code = "H99.12-260302-0001"
    first, second = Case(), Case()
    first.dossier(code)
    first.event(code, "suspended", "2026-03-03T08:00")
    second.event(code, "resumed", "2026-03-04T08:00")
    second.event(code, "finished", "2026-03-05T08:00")
    third = Case()
    third.event(code, "step_finished", "2026-03-06T08:00", step="sau")
    found = []
    for number, case in enumerate((first, second, third)):
        folder = tmp_path / str(number)
        folder.mkdir()
        case.write(folder)
        found.append(dict(_import(folder, home).anomalies))
    assert found == [{}, {}, {"step_after_end": 1}]


def test_another_row_of_a_known_dossier_is_listed_once(home: Path, tmp_path: Path) -> None:
    code = "H99.12-260302-0001"
    events, changed = Case(), Case()
    events.event(code, "finished", "2026-03-05T08:00")
    changed.dossier(code, due="2026-03-20T17:00")
    _case().write(tmp_path)
    _import(tmp_path, home)
    for folder, case in ((tmp_path / "events", events), (tmp_path / "changed", changed)):
        folder.mkdir()
        case.write(folder)
    _import(tmp_path / "events", home)  # no row of dossiers.csv, so nothing to compare
    assert not _import(tmp_path, home).anomalies
    assert [dict(_import(tmp_path / "changed", home).anomalies) for _ in range(2)] == [{"header_differs": 1}, {}]
    assert verify.verify_projection()["ok"]


def test_an_optional_column_that_a_file_lacks_is_named_with_what_may_have_been_meant(
    home: Path, tmp_path: Path
) -> None:
    path = tmp_path / "log.csv"
    path.write_text("case,step,when,officer\nH99.12-260302-0001,Thụ lý,2026-03-03T08:00,An\n", encoding="utf-8")
    (tmp_path / "map.toml").write_text(
        'create_missing = true\n[case]\nid = "case"\nprocedure = {value = "p"}\nagency = {value = "a"}\n'
        'applicant = "owner"\n[event]\nactivity = "step"\nat = "when"\nactor = "oficer"\n'
    )
    result = import_files(Order(files=(path,), home=home, at=NOW, map=mapping.read(tmp_path / "map.toml")))
    assert result.events == 1 and result.absent == [
        "log.csv: [case] applicant stays empty: no column 'owner'",
        "log.csv: [event] actor stays empty: no column 'oficer'; did the map mean 'officer'?",
    ]
