"""Every Excel file that leaves the house is made with this workbook: in a training house each sheet says so."""

from __future__ import annotations

from typing import Any

import xlsxwriter

from motcua.catalogue import training

_RED = "#A8201A"


class Workbook(xlsxwriter.Workbook):  # type: ignore[misc] # the library has no types
    """A workbook in which texts stay texts: what a stranger typed is no formula and no link."""

    def __init__(self, stream: Any, options: dict[str, Any] | None = None) -> None:
        safe = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        super().__init__(stream, {**safe, **(options or {})})

    def close(self) -> None:
        """Marks the sheets where this is a training house, and writes the file."""
        if training.is_on():
            for sheet in self.worksheets():
                sheet.set_header(f'&C&"-,Bold"&22&K{_RED[1:]}{training.MARK}')
                sheet.set_tab_color(_RED)
                # Beside the title: it floats above the cells, so it moves nothing and no formula sees it.
                sheet.insert_textbox(
                    0, 3, training.MARK,
                    {"width": 220, "height": 44, "x_offset": 40, "y_offset": 2, "object_position": 3,
                     "font": {"bold": True, "size": 20, "color": _RED}, "align": {"horizontal": "center",
                     "vertical": "middle"}, "fill": {"none": True}, "line": {"color": _RED, "width": 2},
                     "description": training.MARK},
                )  # fmt: skip
        super().close()
