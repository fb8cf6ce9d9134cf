"""Addresses of the findings."""

from __future__ import annotations

from django.urls import path

from motcua.web.findings import (
    agency,
    bulk,
    day,
    filters,
    library,
    lists,
    one,
    requests,
    set_apart,
    sheets,
    thresholds,
)

urlpatterns = [
    path("viec-cua-toi", day.mine, name="my-day"),
    path("phat-hien", lists.findings, name="findings"),
    path("phat-hien.xlsx", lists.workbook, name="findings-workbook"),
    path("phat-hien/viec", bulk.act, name="findings-act"),
    path("phat-hien/bo-loc", filters.act, name="findings-filters"),
    path("phat-hien/<int:number>", one.finding, name="finding"),
    path("phat-hien/<int:number>/nop", one.hand_in, name="finding-evidence"),
    path("chung-cu/<int:number>", one.decide_evidence, name="evidence-decision"),
    path("tep/<int:number>", one.file, name="attachment"),
    path("yeu-cau", requests.listed, name="requests"),
    path("yeu-cau/<int:number>", requests.shown, name="request"),
    path("yeu-cau/<int:number>.xlsx", sheets.download, name="request-workbook"),
    path("yeu-cau/<int:number>/excel", sheets.upload, name="request-upload"),
    path("don-vi/<str:code>", agency.agency, name="agency"),
    path("thu-vien-kiem-tra", library.checks, name="checks"),
    path("tai-khoan-may-su-co", set_apart.known, name="set-apart"),
    path("thu-vien-kiem-tra/<str:code>", thresholds.values, name="check-values"),
]
