"""Addresses. Every page wants a signed-in person but those marked open in `console.doors`."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.i18n import set_language

from motcua.web import gateway, metrics
from motcua.web.collector import urls as collector
from motcua.web.compare import urls as compare
from motcua.web.console import (
    bridge,
    certificate,
    doors,
    dossier,
    first_run,
    levels,
    lists,
    loading,
    pasted,
    sync,
    sync_tickets,
)
from motcua.web.evidence import urls as evidence
from motcua.web.findings import urls as findings
from motcua.web.notices import urls as notices
from motcua.web.orders import urls as orders
from motcua.web.papers import urls as papers
from motcua.web.people import urls as people
from motcua.web.rounds import urls as rounds
from motcua.web.training import urls as training
from motcua.web.warning import urls as warning

urlpatterns = [
    *people.urlpatterns,
    path("", bridge.bridge, name="bridge"),
    path("doi-chieu.xlsx", bridge.bridge_workbook, name="bridge-workbook"),
    path("doi-chieu.svg", bridge.bridge_picture, name="bridge-picture"),
    path("ho-so", lists.dossiers, name="dossiers"),
    path("ho-so.xlsx", lists.dossiers_workbook, name="dossiers-workbook"),
    path("ho-so/<path:code>/thoi-han", certificate.certificate, name="certificate"),
    path("ho-so/<path:code>", dossier.dossier, name="dossier"),
    path("nguyen-nhan", lists.findings, name="causes"),
    path("nguyen-nhan.xlsx", lists.findings_workbook, name="causes-workbook"),
    path("nap-du-lieu", loading.loading, name="loading"),
    path("nap-du-lieu/<int:number>", loading.load, name="load"),
    path("nap-du-lieu/<int:number>/tu-choi.xlsx", loading.refused_workbook, name="load-refused"),
    path("nap-du-lieu/<int:number>/mot-phia.xlsx", loading.match_workbook, name="load-match"),
    path("tra-ma", pasted.paste, name="paste"),
    path("tra-ma/<str:name>.xlsx", pasted.pasted_workbook, name="pasted-workbook"),
    path("tra-ma/<str:name>", pasted.pasted, name="pasted"),
    path("don-vi", lists.agencies, name="agencies"),
    path("muc-du-lieu", levels.levels, name="levels"),
    path("cai-dat", first_run.first_run, name="first-run"),
    path("danh-sach-dau-tien", first_run.first_lists, name="first-lists"),
    path("bieu-trung", first_run.logo, name="logo"),
    path("trang-dau", doors.home, name="home"),
    path("tim", doors.search, name="search"),
    path("ngon-ngu", login_not_required(set_language), name="language"),
    path("dang-xuat", LogoutView.as_view(), name="sign-out"),
    path("api/thanh-toan/xac-nhan", gateway.confirm, name="payment-confirm"),
    path("api/thanh-toan/tra-cuu", gateway.due, name="payment-due"),
    path("dong-bo", sync.board, name="sync"),
    path("dong-bo/ma", sync.codes, name="sync-codes"),
    path("dong-bo/ma.xlsx", sync.codes_workbook, name="sync-codes-workbook"),
    path("dong-bo/viec", sync.act, name="sync-act"),
    path("dong-bo/phieu", sync_tickets.listed, name="tickets"),
    path("dong-bo/phieu/moi", sync_tickets.new, name="ticket-new"),
    path("dong-bo/phieu/<str:number>.xlsx", sync_tickets.workbook, name="ticket-workbook"),
    path("dong-bo/phieu/<str:number>", sync_tickets.shown, name="ticket"),
    *evidence.urlpatterns,
    *warning.urlpatterns,
    *notices.urlpatterns,
    *orders.urlpatterns,
    *papers.urlpatterns,
    *collector.urlpatterns,
    *training.urlpatterns,
    *compare.urlpatterns,
    *findings.urlpatterns,
    *rounds.urlpatterns,
    path("healthz", doors.health, name="health"),
    path("metrics", metrics.metrics, name="metrics"),
]
handler403 = "motcua.web.console.doors.forbidden"
handler404 = "motcua.web.console.doors.not_found"
handler500 = "motcua.web.console.doors.broken"
