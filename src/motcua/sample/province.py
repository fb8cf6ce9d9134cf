"""The invented province: agencies, procedures and people. Code H99 is not assigned to any real one."""

from __future__ import annotations

import random
from dataclasses import dataclass

from motcua.rules.clock import Mode

_FIELDS = (
    ("G99-HT", "Hộ tịch"), ("G99-CT", "Chứng thực"), ("G99-DD", "Đất đai"), ("G99-XD", "Xây dựng"),
    ("G99-KD", "Đăng ký kinh doanh"), ("G99-LD", "Lao động"), ("G99-MT", "Môi trường"), ("G99-GT", "Giao thông"),
)  # fmt: skip
_SUBJECTS = ("Đăng ký", "Cấp mới", "Cấp lại", "Điều chỉnh", "Gia hạn", "Xác nhận", "Chuyển nhượng", "Thẩm định")
_DEPARTMENTS = ("Nội vụ", "Tư pháp", "Tài chính", "Xây dựng", "Công Thương", "Y tế", "Giáo dục", "Nông nghiệp",
                "Khoa học", "Văn hóa", "Ngoại vụ", "Dân tộc", "Quản lý khu", "Thanh tra", "Văn phòng")  # fmt: skip
_PLACES = ("An", "Bình", "Cát", "Đông", "Gành", "Hoài", "Ích", "Kim", "Lộc", "Mỹ", "Nhơn", "Phú", "Quy", "Sơn", "Tây",
           "Vân", "Xuân", "Yên")  # fmt: skip
_TAILS = ("Hòa", "Thạnh", "Lâm", "Giang", "Khê", "Trung", "Thượng", "Hải")
_FAMILY = ("Trần", "Lê", "Phạm", "Hoàng", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô")
_GIVEN = ("An", "Bích", "Cường", "Dung", "Đạt", "Giang", "Hạnh", "Khánh", "Lan", "Minh", "Nga", "Oanh", "Phúc",
          "Quỳnh", "Sang", "Thảo", "Uyên", "Vinh", "Xuân", "Yến")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """An agency and how busy it is."""

    code: str
    name: str
    level: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """A procedure, its limit and its steps."""

    code: str
    name: str
    field: str
    allotted: str
    mode: Mode
    level: str
    steps: tuple[str, ...]
    payment_pauses: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Province:
    """Everything that stays the same while dossiers come and go."""

    agencies: tuple[Agency, ...]
    fields: tuple[tuple[str, str], ...]
    procedures: tuple[Procedure, ...]


def province(seed: int) -> Province:
    """Few large departments, many small communes, sixty procedures. The same for the same seed."""
    draw = random.Random(f"province {seed}")
    agencies = [
        Agency(code=f"H99.{number:02}", name=f"Sở {name} tỉnh Mẫu", level="department", weight=draw.uniform(8, 25))
        for number, name in enumerate(_DEPARTMENTS, 1)
    ]
    names = [f"{head} {tail}" for tail in _TAILS for head in _PLACES][:135]
    agencies += [
        Agency(
            code=f"H99.{100 + number}", name=f"UBND {'phường' if number <= 25 else 'xã'} {name}", level="commune",
            weight=draw.paretovariate(1.6),
        )
        for number, name in enumerate(names, 1)
    ]  # fmt: skip
    procedures = []
    for number in range(60):
        field, title = _FIELDS[number % len(_FIELDS)]
        commune = field in ("G99-HT", "G99-CT", "G99-DD") and number % 3 != 2
        days = draw.choice((1, 2, 3, 3, 5) if commune else (3, 5, 7, 10, 15, 20))
        procedures.append(
            Procedure(
                code=f"9.{990001 + number}",
                name=f"{_SUBJECTS[number // len(_FIELDS)]} {title.lower()} mẫu số {number + 1}",
                field=field,
                allotted=f"{days}d",
                mode=Mode.DAY_END if number % 4 == 0 else Mode.KEEP_CLOCK,
                level="commune" if commune else "department",
                steps=("Thẩm định hồ sơ", "Trình ký") if days <= 3 else ("Phân công", "Thẩm định hồ sơ", "Trình ký"),
                payment_pauses=field == "G99-DD",
            )
        )
    procedures += [
        Procedure(
            code="9.990098", name="Thẩm định mẫu số 98", field="G99-XD", allotted="30d", mode=Mode.DAY_END,
            level="department", steps=("Phân công", "Thẩm định hồ sơ", "Trình ký"),
        ),
        Procedure(
            code="9.990099", name="Xác nhận nhanh mẫu số 99", field="G99-CT", allotted="1d", mode=Mode.DAY_END,
            level="commune", steps=("Thẩm định hồ sơ",),
        ),
    ]  # fmt: skip
    return Province(agencies=tuple(agencies), fields=_FIELDS, procedures=tuple(procedures))


def person(draw: random.Random) -> str:
    """An invented name."""
    return f"{draw.choice(_FAMILY)} {draw.choice(('Thị', 'Văn', 'Minh', 'Ngọc'))} {draw.choice(_GIVEN)}"
