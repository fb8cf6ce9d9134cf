"""Addresses of evidence packs."""

from __future__ import annotations

from django.urls import path

from motcua.web.evidence import pages

urlpatterns = [
    path("goi-chung-cu", pages.pack, name="evidence"),
    path("goi-chung-cu/yeu-cau/<int:number>", pages.order, name="evidence-order"),
    path("goi-chung-cu/yeu-cau/<int:number>/tai-ve", pages.order_file, name="evidence-order-file"),
    path("goi-chung-cu/kiem-tra", pages.check, name="evidence-check"),
]
