"""Addresses of tasks and of the leader's page."""

from __future__ import annotations

from django.urls import path

from motcua.web.orders import board, giving, leader, rules, task

urlpatterns = [
    path("giao-viec", board.board, name="directives"),
    path("giao-viec.xlsx", board.workbook, name="directives-workbook"),
    path("giao-viec/moi", giving.new, name="directive-new"),
    path("giao-viec/quy-tac", rules.rules, name="directive-rules"),
    path("giao-viec/<int:number>", task.task, name="directive"),
    path("giao-viec/<int:number>/viec", task.act, name="directive-act"),
    path("giao-viec/<int:number>/ho-so", task.dossiers, name="directive-dossiers"),
    path("giao-viec/<int:number>/ho-so.xlsx", task.dossiers_workbook, name="directive-dossiers-workbook"),
    path("lanh-dao", leader.leader, name="leader"),
]
