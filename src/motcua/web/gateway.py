"""The province's door for the payment gateway: confirmations come in, and what a dossier owes is told.

Open to a stranger since the gateway has no account here: a confirmation proves itself by its checksum, and the door
is shut while no gateway is named. What a dossier owes carries a name, so it is told to listed addresses only.
"""

from __future__ import annotations

import os

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from motcua.mirror import gateway
from motcua.payments import collect
from motcua.wire import payments

_MAX_BODY = 64 * 1024


@csrf_exempt
@login_not_required
@require_POST
def confirm(request: HttpRequest) -> JsonResponse:
    """A payment is confirmed (N→P)."""
    if "MOTCUA_GATEWAY" not in os.environ:
        return JsonResponse({"MaLoi": "99", "MoTaLoi": "Chưa khai báo cổng thanh toán"}, status=404)
    if len(request.body) > _MAX_BODY:
        return JsonResponse({"MaLoi": "99", "MoTaLoi": "Nội dung quá dài"}, status=413)
    return JsonResponse(collect.confirmed(request.body, gateway=gateway.named(), now=timezone.now()))


@csrf_exempt
@login_not_required
@require_POST
def due(request: HttpRequest) -> JsonResponse:
    """What a dossier owes (N→P)."""
    listed = os.environ.get("MOTCUA_GATEWAY_HOSTS", "").split(",")
    if request.META.get("REMOTE_ADDR") not in listed:
        return JsonResponse(payments.build_unknown("Địa chỉ gọi không có trong danh sách"), status=403)
    if len(request.body) > _MAX_BODY:
        return JsonResponse(payments.build_unknown("Nội dung quá dài"), status=413)
    return JsonResponse(collect.due(request.body, now=timezone.now()))
