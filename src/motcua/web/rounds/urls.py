"""Addresses of rounds."""

from __future__ import annotations

from django.urls import path

from motcua.web.rounds import answers, pages, papers, planning, reading_pages

urlpatterns = [
    path("dot-kiem-tra", pages.listed, name="rounds"),
    path("dot-kiem-tra/moi", planning.new, name="round-new"),
    path("dot-kiem-tra/<int:number>", pages.shown, name="round"),
    path("dot-kiem-tra/<int:number>/ke-hoach", planning.change, name="round-plan"),
    path("dot-kiem-tra/<int:number>/mau", pages.sample, name="round-sample"),
    path("dot-kiem-tra/<int:number>/mau.json", pages.record, name="round-record"),
    path("dot-kiem-tra/<int:number>/ket-qua.xlsx", pages.workbook, name="round-workbook"),
    path("dot-kiem-tra/<int:number>/doc", reading_pages.next_, name="round-next"),
    path("dot-kiem-tra/<int:number>/doc/<path:code>", reading_pages.item, name="round-item"),
    path("dot-kiem-tra/<int:number>/giay-to/<int:file>", reading_pages.document, name="round-document"),
    path("dot-kiem-tra/<int:number>/giai-trinh", answers.answers, name="round-answers"),
    path("dot-kiem-tra/<int:number>/van-ban/<str:kind>.<str:form>", papers.paper, name="round-paper"),
]
