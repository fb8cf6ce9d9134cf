"""Addresses of the collector."""

from __future__ import annotations

from django.urls import path

from motcua.web.collector import messages, traffic

urlpatterns = [
    path("diem-thu", traffic.board, name="collector"),
    path("diem-thu/ban-tin", messages.listed, name="collector-messages"),
    path("diem-thu/ban-tin.xlsx", messages.workbook, name="collector-workbook"),
    path("diem-thu/ban-tin/<int:number>", messages.shown, name="collector-message"),
]
