"""The address of the training house."""

from __future__ import annotations

from django.urls import path

from motcua.web.training import pages

urlpatterns = [path("tap-huan", pages.house, name="training")]
