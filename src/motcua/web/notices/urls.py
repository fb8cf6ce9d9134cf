"""Addresses of notices."""

from __future__ import annotations

from django.urls import path

from motcua.web.notices import pages, settings_page

urlpatterns = [
    path("thong-bao", pages.listed, name="notices"),
    path("thong-bao/viec", pages.act, name="notices-act"),
    path("thong-bao/noi-nhan", settings_page.channels, name="notices-channels"),
]
