"""What helps against a refusal, told from the portal's words; a code, for which the door has words."""

from __future__ import annotations

import re

_OF_DOSSIER = re.compile(r"^Hồ sơ \S+: ")

#: (words of a refusal, in lower case, all of which it holds) → what helps. The first that fits.
_SIGNS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("quá dài",), "shorten"),
    (("không tìm thấy hồ sơ",), "send_again"),
    (("đã tồn tại",), "send_again"),
    (("thiếu",), "fill_in"),
    (("mã thủ tục",), "map_procedure"),
    (("matthc",), "map_procedure"),
    (("thủ tục", "không"), "map_procedure"),
    (("định dạng",), "correct_date"),
    (("trạng thái",), "map_status"),
    (("gửi thay",), "map_unit"),
    (("đơn vị", "không"), "map_unit"),
    (("không trả lời riêng",), "look_into"),
)
#: Every code that `remedy` can answer with; the door has words for each.
REMEDIES = ("shorten", "send_again", "map_procedure", "correct_date", "map_status", "map_unit", "fill_in", "look_into",
            "ask_portal")  # fmt: skip
#: What may be different the next time, without anybody's doing.
_PASSING = frozenset({"send_again", "ask_portal"})


def remedy(error: str) -> str:
    """What helps; `ask_portal` where the words are none that we know."""
    text = error.lower()
    return next((code for signs, code in _SIGNS if all(sign in text for sign in signs)), "ask_portal")


def plain(error: str) -> str:
    """The portal's words without the dossier that they are about, so that equal errors count together."""
    return _OF_DOSSIER.sub("", error)


def may_pass(error: str) -> bool:
    """Whether it is worth trying again before a person is asked."""
    return remedy(error) in _PASSING
