"""The web server's application: `motcua serve` runs it."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "motcua.web.settings")
application = get_wsgi_application()

from motcua.catalogue import training  # noqa: E402 (Django first)

training.shut_if_on()
