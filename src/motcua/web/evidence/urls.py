"""Addresses of evidence packs."""

from __future__ import annotations

from django.urls import path

from motcua.web.evidence import pages

urlpatterns = [
    path("goi-chung-cu", pages.pack, name="evidence"),
    path("goi-chung-cu/kiem-tra", pages.check, name="evidence-check"),
]
