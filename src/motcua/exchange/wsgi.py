"""The province's door as a process; its token comes by file, named in the environment."""

from __future__ import annotations

import os
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "motcua.web.settings")
django.setup()

from motcua.exchange import door  # noqa: E402 (Django first)

_file = os.environ.get("MOTCUA_PROVINCE_TOKEN_FILE")
application = door.application(token=Path(_file).read_text().strip() if _file else "")
