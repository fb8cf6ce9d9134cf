"""Dossier, gateway and bank: each payment in exactly one class, sums that add up, lists read as banks write them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from tests.story import at

from motcua.dossiers.importing.sources import Fault
from motcua.payments import lists
from motcua.payments.lists import dong
from motcua.payments.reconcile import Booked, Class, Ours, Theirs, reconcile
from motcua.rules.instants import Unreadable

DAY = at("2026-03-02T09:00")
LATER = Booked(line=999, at=at("2026-03-31T00:00"), amount=1, about="lãi tiền gửi")
OURS = Ours(reference="TT1", dossier="H99.12-260302-0001", amount=50_000, at=DAY, duty="lệ phí", transaction="GD1")
THEIRS = Theirs(reference="TT1", transaction="GD1", amount=50_000, at=DAY, dossier="H99.12-260302-0001")
BOOKED = Booked(line=1, at=DAY, amount=50_000, about="Thanh toan TT1 qua Cong")


def _again(line: Booked, number: int, **changes: object) -> Booked:
    return replace(line, line=number, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ours", "theirs", "booked", "found"),
    [
        ([OURS], [THEIRS], [BOOKED], Class.AGREE),
        ([OURS], [THEIRS], [replace(BOOKED, about="GD1")], Class.AGREE),
        ([OURS], [THEIRS], [replace(BOOKED, about="nộp hồ sơ H99.12-260302-0001")], Class.AGREE),
        ([OURS], [THEIRS], [replace(BOOKED, amount=20_000), _again(BOOKED, 2, amount=30_000)], Class.AGREE),
        ([], [THEIRS], [BOOKED], Class.MISSING_HERE),
        ([OURS], [], [BOOKED], Class.MISSING_GATEWAY),
        ([OURS], [THEIRS], [], Class.MISSING_BANK),
        ([OURS], [], [], Class.ONLY_HERE),
        ([], [THEIRS], [], Class.ONLY_GATEWAY),
        ([], [], [BOOKED], Class.ONLY_BANK),
        ([OURS], [THEIRS], [replace(BOOKED, amount=45_000)], Class.AMOUNT_DIFFERS),
        ([OURS], [replace(THEIRS, amount=5)], [BOOKED], Class.AMOUNT_DIFFERS),
        ([OURS], [replace(THEIRS, dossier="H99.12-260302-0002")], [BOOKED], Class.WRONG_DOSSIER),
        ([OURS], [THEIRS], [replace(BOOKED, about="TT1 H99.12-260302-0009")], Class.WRONG_DOSSIER),
        ([OURS], [THEIRS], [BOOKED, _again(BOOKED, 2)], Class.DOUBLE_PAID),
        ([OURS], [THEIRS, replace(THEIRS, transaction="GD2")], [BOOKED], Class.DOUBLE_PAID),
        ([OURS], [THEIRS], [BOOKED, _again(BOOKED, 2, amount=-50_000)], Class.REFUNDED),
        ([OURS], [THEIRS], [BOOKED, _again(BOOKED, 2), _again(BOOKED, 3, amount=-50_000)], Class.REFUNDED),
        ([OURS], [THEIRS], [BOOKED, _again(BOOKED, 2, amount=-10_000)], Class.AMOUNT_DIFFERS),
        ([replace(OURS, asked=False)], [], [BOOKED], Class.NOT_ASKED),
        ([replace(OURS, at=LATER.at)], [replace(THEIRS, at=LATER.at)], [], Class.AWAITING_BANK),
    ],
    ids=["agree by reference", "agree by transaction", "agree by dossier and amount", "in two parts", "missing here",
         "missing at the gateway", "missing at the bank", "only here", "only at the gateway", "only at the bank",
         "bank booked less", "gateway states less", "gateway names another dossier", "bank names another dossier",
         "booked twice", "taken twice", "refunded", "surplus refunded", "partly refunded", "never asked",
         "paid on the last day"],
)  # fmt: skip
def test_a_payment_falls_in_its_class(
    ours: list[Ours], theirs: list[Theirs], booked: list[Booked], found: Class
) -> None:
    report = reconcile(ours, theirs, [*booked, LATER])
    assert [p.found for p in report.payments if p.reference != f"#{LATER.line}"] == [found]


def test_a_duty_paid_under_two_references_is_paid_twice_by_the_later() -> None:
    second = replace(OURS, reference="TT2", transaction="GD2", at=DAY + timedelta(minutes=5))
    report = reconcile([second, OURS], [THEIRS, replace(THEIRS, reference="TT2", transaction="GD2")],
                       [BOOKED, _again(BOOKED, 2, about="TT2"), LATER])  # fmt: skip
    assert [(p.reference, p.found) for p in report.payments][:2] == [("TT1", Class.AGREE), ("TT2", Class.DOUBLE_PAID)]
    other = replace(second, duty="phí thẩm định")
    report = reconcile([other, OURS], [THEIRS, replace(THEIRS, reference="TT2", transaction="GD2")],
                       [BOOKED, _again(BOOKED, 2, about="TT2"), LATER])  # fmt: skip
    assert {p.found for p in report.payments[:2]} == {Class.AGREE}


def test_a_period_takes_a_payment_whole_though_the_bank_books_it_later() -> None:
    paid = at("2026-02-28T22:00")
    sides = ([replace(OURS, at=paid)], [replace(THEIRS, at=paid)], [BOOKED, LATER])
    february = reconcile(*sides, start=at("2026-02-01"), end=at("2026-03-01"))
    assert [p.found for p in february.payments] == [Class.AGREE]
    assert [p.reference for p in reconcile(*sides, start=at("2026-03-01"), end=at("2026-04-01")).payments] == ["#999"]


references = st.sampled_from([f"TT{n}" for n in range(6)])
dossiers = st.sampled_from([f"H99.12-260302-000{n}" for n in range(4)])
money = st.sampled_from([10_000, 20_000, 50_000])
moments = st.integers(0, 60 * 24 * 20).map(lambda minutes: DAY + timedelta(minutes=minutes))
all_ours = st.lists(
    st.builds(Ours, reference=references, dossier=dossiers, amount=money, at=moments,
              duty=st.sampled_from(["", "phí"]), transaction=st.sampled_from(["", "GD1", "GD2"]), asked=st.booleans()),
    max_size=8, unique_by=lambda row: row.reference,
)  # fmt: skip
all_theirs = st.lists(
    st.builds(Theirs, reference=references, transaction=st.sampled_from(["GD1", "GD2", "GD3"]), amount=money,
              at=moments, dossier=st.one_of(st.just(""), dossiers)),
    max_size=8, unique_by=lambda row: (row.reference, row.transaction),
)  # fmt: skip
abouts = st.one_of(references, dossiers, st.sampled_from(["", "phí ngân hàng", "GD2", "chuyen tien TT3, TT4"]))
all_booked = st.lists(
    st.builds(Booked, line=st.integers(1, 10_000), at=moments, amount=st.one_of(money, money.map(lambda n: -n)),
              reference=st.one_of(st.just(""), references, st.just("LẠ")), about=abouts),
    max_size=10, unique_by=lambda row: row.line,
)  # fmt: skip


@given(all_ours, all_theirs, all_booked)
def test_every_row_is_in_one_payment_and_the_sums_are_those_of_the_sides(
    ours: list[Ours], theirs: list[Theirs], booked: list[Booked]
) -> None:
    report = reconcile(ours, theirs, booked)
    sums, total = report.sums(), report.total()
    assert sum(s.count for s in sums.values()) == total.count == len(report.payments)
    for side, rows in (("here", ours), ("gateway", theirs), ("bank", booked)):
        assert sum(getattr(s, side) for s in sums.values()) == getattr(total, side) == sum(r.amount for r in rows)
    assert sorted(row.line for p in report.payments for row in p.booked) == sorted(row.line for row in booked)
    for found, s in sums.items():
        assert len(report.of(found)) == s.count
    agreed = sums[Class.AGREE]
    assert agreed.here == agreed.gateway == agreed.bank


@given(all_ours, all_theirs, all_booked, st.randoms())
def test_the_order_of_the_rows_decides_nothing(ours: list[Ours], theirs: list[Theirs], booked: list[Booked], random: object) -> None:  # fmt: skip  # noqa: E501
    def told(*sides: list[object]) -> list[tuple[str, Class, int]]:
        return [(p.reference, p.found, p.bank) for p in reconcile(*sides).payments]  # type: ignore[arg-type]

    first = told(list(ours), list(theirs), list(booked))
    sides = [list(ours), list(theirs), list(booked)]
    for side in sides:
        random.shuffle(side)  # type: ignore[attr-defined]
    assert told(*sides) == first


# ---- lists ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "amount"),
    [("50.000", 50_000), ("50,000", 50_000), ("50000", 50_000), ("1.250.000,00", 1_250_000), ("50000.0", 50_000),
     ("1,250,000.00", 1_250_000), ("-50.000 đ", -50_000), ("(1.000)", -1_000), ("12 500 VND", 12_500)],
)  # fmt: skip
def test_an_amount_is_whole_dong(text: str, amount: int) -> None:
    assert dong(text) == amount


@pytest.mark.parametrize("text", ["1.5", "5,50", "50.0000", "", "năm mươi", "1e5", "12.345.67"])
def test_what_is_no_whole_amount_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        dong(text)


@given(st.integers(0, 10**12), st.sampled_from([".", ","]))
def test_grouping_an_amount_changes_nothing(amount: int, sign: str) -> None:
    assert dong(f"{amount:,}".replace(",", sign)) == amount


def test_a_banks_list_is_found_below_its_titles(tmp_path: Path) -> None:
    path = tmp_path / "sao-ke.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["NGÂN HÀNG MẪU"])
        sheet.write_row(1, 0, ["Sao kê tài khoản 0123"])
        sheet.write_row(3, 0, ["Ngày GD", "Số bút toán", "Nợ", "Có", "Diễn giải"])
        sheet.write_row(4, 0, ["02/03/2026 09:15", "BT1", "", 50000, "Thanh toan TT1"])
        sheet.write_row(5, 0, ["03/03/2026", "BT2", "50.000", "", "Hoan tien TT1"])
        sheet.write_row(6, 0, ["", "", "50.000", "50.000", "Tổng phát sinh"])
        sheet.write_row(7, 0, ["", "", "", "", "Người lập"])
    assert [(row.line, row.amount, row.transaction) for row in lists.read(path)] == [
        (5, 50_000, "BT1"), (6, -50_000, "BT2"),
    ]  # fmt: skip
    path = tmp_path / "sao-ke.csv"
    path.write_text(
        "Sao kê\nNgày,Số tiền,Nội dung\n02/03/2026,50.000,TT1\nTổng,,\n,50.000,Tổng cộng\n", encoding="utf-8"
    )
    rows = lists.read(path)
    assert [(row.line, row.at, row.amount, row.about) for row in rows] == [(3, at("2026-03-02"), 50_000, "TT1")]


@pytest.mark.parametrize(
    "text",
    ["Ngày giao dịch/Transaction date;Số tiền ghi có (VND);Nội dung\n02/03/2026;50.000;TT1\n02/03/2026;0;TT2\n",
     "Sao kê\n\nNgày;PS nợ;PS có;Diễn giải\n2026-03-02 00:00;;50000;TT1\n",
     "date\tamount\tabout\n20260302000000\t50000\tTT1\n"],
    ids=["bilingual headings, semicolons", "titles above", "tabs"],
)  # fmt: skip
def test_a_list_is_read_however_the_bank_writes_it(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8-sig")
    assert [(row.at, row.amount, row.about) for row in lists.read(path)] == [(at("2026-03-02"), 50_000, "TT1")]


def test_a_real_day_and_a_number_of_a_workbook_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        sheet.write_row(0, 0, ["Ngày", "Số tiền", "Nội dung"])
        sheet.write_datetime(1, 0, at("2026-03-02T09:15").replace(tzinfo=None), day)
        sheet.write_row(1, 1, [1_250_000.0, "TT1"])
    assert [(row.at, row.amount) for row in lists.read(path)] == [(at("2026-03-02T09:15"), 1_250_000)]


@pytest.mark.parametrize(
    ("row", "place"),
    [("31/02/2026,5,a", "row 2, column Ngày"), ("02/03/2026,5.5,a", "row 2, column Số tiền"),
     (",5,a", "row 2, column Ngày")],
)  # fmt: skip
def test_a_bad_row_is_named_and_nothing_is_taken(row: str, place: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"Ngày,Số tiền,Nội dung\n{row}\n", encoding="utf-8")
    with pytest.raises(Fault, match=place):
        lists.read(path)


def test_a_file_without_the_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(Fault, match="không tìm thấy bảng"):
        lists.read(path)
