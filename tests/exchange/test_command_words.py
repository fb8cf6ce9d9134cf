"""Every refusal of the portal leads to words that help."""

from __future__ import annotations

import pytest

from motcua.exchange import remedies
from motcua.web.console.sync_words import REMEDIES


def test_every_remedy_has_words() -> None:
    assert set(REMEDIES) == set(remedies.REMEDIES)


def test_equal_errors_of_different_dossiers_are_one() -> None:
    assert remedies.plain("Hồ sơ H99.01-260721-0001: GhiChu: nội dung quá dài") == "GhiChu: nội dung quá dài"


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        ("Hồ sơ X: GhiChu: nội dung quá dài (tối đa 2000 ký tự)", "shorten"),
        ("Hồ sơ X: không tìm thấy hồ sơ", "send_again"),
        ("Hồ sơ X: Thiếu NoiDungXuLy", "fill_in"),
        ("Hồ sơ X: NgayHenTra không đúng định dạng yyyyMMddHHmmss", "correct_date"),
        ("Hồ sơ X: TrangThai '11' không có trong danh mục trạng thái", "map_status"),
        ("Sai mã thủ tục", "map_procedure"),
        ("Tài khoản không được gửi thay cho đơn vị 'H98'", "map_unit"),
        ("Hệ thống bận", "ask_portal"),
    ],
)
def test_the_portals_words_name_the_remedy(error: str, remedy: str) -> None:
    assert remedies.remedy(error) == remedy
