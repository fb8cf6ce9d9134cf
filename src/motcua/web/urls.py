"""Addresses. Every page wants a signed-in person but those marked open in `console.views`."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from motcua.web.console import views

urlpatterns = [
    path("", views.bridge, name="bridge"),
    path("ho-so", views.dossiers, name="dossiers"),
    path("ho-so.xlsx", views.dossiers_workbook, name="dossiers-workbook"),
    path("ho-so/<str:code>", views.dossier, name="dossier"),
    path("phat-hien", views.findings, name="findings"),
    path("don-vi", views.agencies, name="agencies"),
    path("tim", views.search, name="search"),
    path("dang-nhap", views.SignIn.as_view(), name="sign-in"),
    path("dang-xuat", LogoutView.as_view(), name="sign-out"),
    path("healthz", views.health, name="health"),
]
handler403 = "motcua.web.console.views.forbidden"
handler404 = "motcua.web.console.views.not_found"
handler500 = "motcua.web.console.views.broken"
