"""Addresses of the pages about people."""

from __future__ import annotations

from django.urls import path

from motcua.web.people import account, activation, importing, own, sign_in, unit

urlpatterns = [
    path("dang-nhap", sign_in.sign_in, name="sign-in"),
    path("dang-nhap/lop-hai", sign_in.second_step, name="second-step"),
    path("dang-nhap/tai-khoan-chung", sign_in.ask, name="sign-on"),
    path("dang-nhap/tro-ve", sign_in.back, name="sign-on-back"),
    path("kich-hoat", activation.activate, name="activate"),
    path("kich-hoat/<str:code>", activation.link, name="activation-link"),
    path("trang-cua-toi", own.own, name="own"),
    path("trang-cua-toi/chuc-danh", own.choose_post, name="own-post"),
    path("trang-cua-toi/mat-khau", own.password, name="own-password"),
    path("trang-cua-toi/hai-lop", own.own_factors, name="own-factors"),
    path("trang-cua-toi/dang-xuat", own.sign_out_elsewhere, name="own-sign-out"),
    path("tai-khoan", unit.accounts, name="accounts"),
    path("tai-khoan.xlsx", unit.workbook, name="accounts-workbook"),
    path("tai-khoan/nhan", unit.proposal, name="accounts-proposal"),
    path("tai-khoan/cap-phieu", unit.invite, name="accounts-invite"),
    path("tai-khoan/moi", account.new, name="account-new"),
    path("tai-khoan/<int:number>", account.account, name="account"),
    path("tai-khoan/mau.xlsx", importing.template, name="accounts-template"),
    path("tai-khoan/danh-sach", importing.give, name="accounts-give"),
    path("tai-khoan/danh-sach/<int:number>", importing.look, name="accounts-list"),
    path("tai-khoan/danh-sach/<int:number>/tu-choi.xlsx", importing.refused_workbook, name="accounts-refused"),
]
NAMES = frozenset(str(page.name) for page in urlpatterns)
