"""Addresses of papers and of the meeting's material."""

from __future__ import annotations

from django.urls import path

from motcua.web.papers import desk, drafting, table

urlpatterns = [
    path("giao-ban", table.meeting, name="meeting"),
    path("giao-ban/tai-lieu.<str:kind>", table.material, name="meeting-file"),
    path("van-ban", desk.listed, name="papers"),
    path("van-ban/moi", drafting.new, name="paper-new"),
    path("van-ban/dau-van-ban", desk.letterhead, name="paper-head"),
    path("van-ban/<int:number>", desk.paper, name="paper"),
    path("van-ban/<int:number>/tep.<str:kind>", desk.file, name="paper-file"),
]
