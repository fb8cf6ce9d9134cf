"""Addresses of early warning."""

from __future__ import annotations

from django.urls import path

from motcua.web.warning import pages

urlpatterns = [
    path("canh-bao-som", pages.warnings, name="warnings"),
    path("canh-bao-som.xlsx", pages.workbook, name="warnings-workbook"),
]
