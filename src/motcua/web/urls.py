"""Addresses. Every page wants a signed-in person but those marked open in `console.doors`."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from motcua.web import gateway
from motcua.web.console import bridge, doors, dossier, lists

urlpatterns = [
    path("", bridge.bridge, name="bridge"),
    path("ho-so", lists.dossiers, name="dossiers"),
    path("ho-so.xlsx", lists.dossiers_workbook, name="dossiers-workbook"),
    path("ho-so/<path:code>", dossier.dossier, name="dossier"),
    path("phat-hien", lists.findings, name="findings"),
    path("phat-hien.xlsx", lists.findings_workbook, name="findings-workbook"),
    path("don-vi", lists.agencies, name="agencies"),
    path("tim", doors.search, name="search"),
    path("dang-nhap", doors.SignIn.as_view(), name="sign-in"),
    path("dang-xuat", LogoutView.as_view(), name="sign-out"),
    path("api/thanh-toan/xac-nhan", gateway.confirm, name="payment-confirm"),
    path("api/thanh-toan/tra-cuu", gateway.due, name="payment-due"),
    path("healthz", doors.health, name="health"),
]
handler403 = "motcua.web.console.doors.forbidden"
handler404 = "motcua.web.console.doors.not_found"
handler500 = "motcua.web.console.doors.broken"
