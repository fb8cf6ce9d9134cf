"""Addresses of the other comparisons."""

from __future__ import annotations

from django.urls import path

from motcua.web.compare import views

urlpatterns = [
    path("doi-chieu-khac", views.first, name="compare"),
    path("doi-chieu-khac/<slug:what>", views.comparison, name="comparison"),
    path("doi-chieu-khac/<slug:what>.xlsx", views.workbook, name="comparison-workbook"),
]
