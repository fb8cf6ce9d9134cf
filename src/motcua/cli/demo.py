"""`motcua demo`: an invented province, acted out for real: desk, log, delivery over HTTP, faults, read-back, bridge."""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motcua.cli import demo_inspection, demo_people, demo_walks
from motcua.cli.output import DONE, FALLS_SHORT, answer, fail, say

if TYPE_CHECKING:
    from motcua.sample.acts import Measure
    from motcua.sample.plan import Fault, Plan, Planned

_FAR = timedelta(days=3650)
#: The measures in which faults are planted; `open` and `finished` are parts of `all`.
_LOOKED_AT: tuple[Measure, ...] = ("all", "reception")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    command = commands.add_parser("demo", help="an invented province with planted faults, and its first bridge")
    command.add_argument("--dossiers", type=int, default=4000, metavar="N")
    command.add_argument("--seed", type=int, default=2026, metavar="S")
    command.add_argument("--host", default="127.0.0.1", metavar="H", help="with --training: where others reach it")
    command.add_argument("--port", type=int, default=8765, metavar="P")
    command.add_argument("--no-serve", action="store_true", help="make it, and do not serve it")
    command.add_argument("--bare", action="store_true", help="the bridge alone: no findings, tasks, rounds, warnings")
    command.add_argument("--fresh", action="store_true", help="make an existing demo anew")
    command.add_argument("--training", action="store_true", help="as a training house: marked, and nothing leaves it")
    command.set_defaults(run=_demo)


def _demo(args: argparse.Namespace) -> int:
    from motcua.cli.home import empty, home, open_home

    if args.dossiers < 100:
        fail("--dossiers: a demo needs at least 100")
    folder = home()
    marker = folder / "demo.json"
    used = (folder / "motcua.sqlite3").exists()
    if args.training and os.environ.get("DATABASE_URL"):
        fail("a training house is an embedded one: unset DATABASE_URL, set MOTCUA_HOME to an empty folder")
    if not args.training and args.host != "127.0.0.1":
        fail("--host is for --training; the demo answers on this machine only")
    if used and not marker.exists():
        fail(f"{folder} holds other data; set MOTCUA_HOME to an empty folder for the demo")
    kept = json.loads(marker.read_text()) if used else {}
    unfinished = used and "until" not in kept
    if unfinished:
        say(f"the demo in {folder} was not finished; it is made anew")
    if not args.no_serve and not _is_free(args.port):
        fail(f"port {args.port} is in use; choose another with --port")
    if used and (args.fresh or unfinished):
        open_home()
        empty(folder)
        used = False
    started = time.monotonic()
    open_home()
    if not used:
        marker.write_text(json.dumps({"seed": args.seed, "dossiers": args.dossiers}))
        document, kept = _build(folder, args)
    else:
        say(f"the demo in {folder} is used as it stands (--fresh makes it anew)")
        document = _inspect(folder, kept["planted"], datetime.fromisoformat(kept["until"]))
    document["seconds"] = round(time.monotonic() - started, 1)
    from motcua.cli.pictures import bridge_text

    def text() -> str:
        planted = document.get("planted")
        lines = [bridge_text(document["bridge"]), ""]
        if planted is not None:
            lines.append(
                f"Lỗi cài sẵn: tìm thấy {planted['found']}/{planted['planted']}, thừa {len(planted['unexpected'])}, "
                f"sai nguyên nhân {len(planted['wrong'])}. ({document['seconds']} giây)"
            )
        return "\n".join(lines)

    if not args.json:
        answer(args, document, text)  # the bridge first: the rest takes a while
    if "lived" not in kept and not args.bare:
        _live(folder, kept)
    if args.training:
        _train(folder)
    document["sign_in"] = {"password": demo_people.PASSWORD, "people": demo_people.told()}
    document["walks"] = demo_walks.told(kept["planted"], kept.get("lived", {}))
    kept |= {"sign_in": document["sign_in"], "walks": document["walks"]}
    marker.write_text(json.dumps(kept, ensure_ascii=False, indent=1))
    if args.json:
        answer(args, document)
    planted = document.get("planted") or {}
    status = DONE if not (planted.get("wrong") or planted.get("unexpected")) else FALLS_SHORT
    if args.no_serve:
        return status
    host = args.host if args.training else "127.0.0.1"
    return _serve(args.port, host, folder if args.training else None, walks=document["walks"])


def _live(folder: Path, kept: dict[str, Any]) -> None:
    """The week of inspection that fills the rooms, and what of it is remembered."""
    from dataclasses import asdict

    from django.utils import timezone

    say("6/6 một tuần kiểm tra: dấu hiệu, giải trình, nhiệm vụ, giao ban, đợt kiểm tra, cảnh báo…")
    kept["lived"] = asdict(demo_inspection.live(folder, at=timezone.now()))


def train(host: str, port: int) -> int:
    """`motcua serve --training`: a training house, made where none is yet, with its own portal and worker."""
    words = argparse.Namespace(
        dossiers=4000,
        seed=2026,
        port=port,
        host=host,
        no_serve=False,
        fresh=False,
        bare=False,
        training=True,
        json=False,
    )
    return _demo(words)


def _train(folder: Path) -> None:
    """Makes the demo a training house and remembers it, for those who start over. Raises `Unreadable`."""
    from django.utils import timezone

    from motcua.catalogue import training
    from motcua.cli.home import account
    from motcua.web.training import again

    if not training.is_on():
        training.begin(password=demo_people.PASSWORD, invented=True, by=account(), at=timezone.now())
        again.remember(folder)


def _serve(
    port: int, host: str = "127.0.0.1", training: Path | None = None, *, walks: Sequence[dict[str, Any]] = ()
) -> int:
    import signal

    from motcua.cli.mirror import PORT

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a stopped service stops its children, as Ctrl-C does
    mirror = PORT if _is_free(PORT) else free_port()
    say(f"\nMở http://{host}:{port}/ (Ctrl-C để dừng). Đăng nhập, mật khẩu {demo_people.PASSWORD}:")
    say("\n".join(demo_people.lines()))
    say("\n".join(["\nCác lượt đi thử:", *demo_walks.lines(walks)]))
    with ExitStack() as stack:
        stack.enter_context(_server("motcua.mirror.wsgi:application", mirror, {}))
        if training is not None:
            stack.enter_context(_running(["work"], _own_portal(training, mirror)))
        web = stack.enter_context(_server("motcua.web.wsgi:application", port, {}, host))
        try:
            return web.wait()
        except KeyboardInterrupt:
            return DONE


def _own_portal(folder: Path, port: int) -> dict[str, str]:
    """The settings by which a training house delivers to its own mirror, whatever those of the machine say."""
    secret = folder / "training-portal.password"
    with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("demo-password")
    return {
        "NATIONAL_PORTAL_URL": f"http://127.0.0.1:{port}", "NATIONAL_PORTAL_USER": "demo-h99",
        "NATIONAL_PORTAL_PASSWORD_FILE": str(secret), "NATIONAL_PORTAL_UNIT": "H99", "MOTCUA_REPAIR": "off",
    }  # fmt: skip


@contextmanager
def _server(app: str, port: int, env: dict[str, str], host: str = "127.0.0.1") -> Iterator[subprocess.Popen[bytes]]:
    """A server process for as long as the block runs."""
    from motcua.cli.mirror import granian

    with _process(granian(app, host, port, env), env) as process:
        yield process


def _running(words: list[str], env: dict[str, str]) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """A command of ours for as long as the block runs."""
    return _process([sys.executable, "-m", "motcua.cli", *words], env)


@contextmanager
def _process(command: list[str], env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env={**os.environ, **env}, stdout=sys.stderr, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# ---- acting the plan out ----------------------------------------------------------------------------------------


def _build(folder: Path, args: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """The province as far as its bridge: the document, and what is to be kept once all is done."""
    from django.utils import timezone

    from motcua.catalogue import parts
    from motcua.cli import sample
    from motcua.cli.home import account
    from motcua.rules.instants import VIET_NAM
    from motcua.sample.plan import plan
    from motcua.sample.province import province

    now = timezone.now().astimezone(VIET_NAM).replace(second=0, microsecond=0)
    say("1/6 lập kế hoạch một tỉnh mẫu…")
    planned = plan(province(args.seed), count=args.dossiers, seed=args.seed, since=now - timedelta(days=150), until=now)
    _catalogue(planned)
    parts.choose(("oversight", "exchange"), by=account(), at=now)
    demo_people.bring_in(_busiest_wards(planned))
    say(f"2/6 {len(planned.dossiers)} hồ sơ qua một cửa…")
    act_out(planned, now)
    faults = folder / "demo-faults.json"
    faults.write_text(json.dumps(_server_faults(planned), ensure_ascii=False))
    port = free_port()
    say("3/6 gửi lên Cổng quốc gia (máy chủ mô phỏng) qua HTTP…")
    with _server("motcua.mirror.wsgi:application", port, {"MOTCUA_MIRROR_FAULTS": str(faults)}):
        deliver(planned, f"http://127.0.0.1:{port}", now)
    say("5/6 trích dữ kiện, đối chiếu…")
    planted = [_told(fault) for fault in planned.faults]
    document = _inspect(folder, planted, now)
    sample.write(folder / "lists", planned)
    kept = {"seed": args.seed, "dossiers": args.dossiers, "until": now.isoformat(), "planted": planted}
    return document, kept


def _busiest_wards(planned: Plan) -> list[str]:
    """The communes, those with most dossiers first."""
    counted = Counter(dossier.agency.code for dossier in planned.dossiers)
    communes = [agency.code for agency in planned.province.agencies if agency.level == "commune"]
    return sorted(communes, key=lambda code: (-counted[code], code))


def _catalogue(planned: Plan) -> None:
    from motcua.catalogue.folding import fold
    from motcua.catalogue.models import Agency, Field, Procedure, ProcessStep
    from motcua.mirror import catalogue
    from motcua.wire.codes import procedure_core

    province = planned.province
    Agency.objects.bulk_create(
        Agency(code=a.code, name=a.name, folded=fold(a.name), level=a.level) for a in province.agencies
    )
    Field.objects.bulk_create(Field(code=code, name=name) for code, name in province.fields)
    procedures = Procedure.objects.bulk_create(
        Procedure(
            code=p.code, core=procedure_core(p.code), name=p.name, folded=fold(p.name), field=p.field, level=p.level,
            allotted=p.allotted, mode=str(p.mode), payment_pauses=p.payment_pauses,
        )
        for p in province.procedures
    )  # fmt: skip
    ProcessStep.objects.bulk_create(
        ProcessStep(procedure=row, order=order, name=name)
        for row, p in zip(procedures, province.procedures, strict=True)
        for order, name in enumerate(p.steps, 1)
    )
    names = dict(province.fields)
    catalogue.seed()
    catalogue.store(
        catalogue.published(
            catalogue.procedure(
                p.code,
                p.name,
                number=str(n),
                field=p.field,
                field_name=names[p.field],
                days=p.allotted[:-1],
                level="3" if p.level == "commune" else "1",
                fee="",  # no payment is kept here: with a fee every dossier would lack one
            )
        )
        for n, p in enumerate(province.procedures, 1)
    )


def act_out(planned: Plan, now: datetime) -> None:
    """Performs every act: the rules decide each one, the log keeps them in batches."""
    from django.db import transaction

    from motcua.dossiers import log
    from motcua.sample.acted import acted

    for start in range(0, len(planned.dossiers), 500):
        entries = [(d.code, "desk", acted(d)) for d in planned.dossiers[start : start + 500]]
        with transaction.atomic():
            log.store_many(entries, stored_at=now)


def _server_faults(planned: Plan) -> list[dict[str, Any]]:
    """What the sandbox does to which message; a few outages make the back-off work."""
    records, steps = "DongBoHoSoMC", "CapNhatTienDoHoSoMC"
    struck: dict[str, list[tuple[str, int, str]]] = {
        "update_refused": [(records, 9, "refuse")],
        "accepted_not_shown": [(records, 9, "accept_not_apply"), (steps, 9, "accept_not_apply")],
        "step_lost": [(steps, 9, "accept_not_apply")],
        "only_return_sent": [(records, 9, "accept_not_apply"), (steps, 9, "accept_not_apply")],
        "missing_there": [(records, 0, "accept_not_apply"), (steps, 0, "accept_not_apply")],
        "late_answer_not_there": [(records, 0, "accept_not_apply"), (steps, 0, "accept_not_apply")],
        "answer_refused": [(records, 2, "refuse")],
        "answer_not_shown": [
            (kind, status, "accept_not_apply") for kind in (records, steps) for status in (2, 4, 9, 10)
        ],
        "answer_step_lost": [(steps, status, "accept_not_apply") for status in (2, 5)],
    }
    entries: list[dict[str, Any]] = [
        {"code": fault.dossier, "service": service, "status": status, "kind": kind,
         "message": "GhiChu: nội dung quá dài"}
        for fault in planned.faults
        for service, status, kind in struck.get(fault.how, ())
    ]  # fmt: skip
    hit = {fault.dossier for fault in planned.faults}
    honest = [d.code for d in planned.dossiers if d.code not in hit]
    for code, kind in zip(honest[:: max(len(honest) // 6, 1)], ("lose", "error_500") * 3, strict=False):
        entries.append({"code": code, "service": records, "status": 2, "kind": kind, "times": 1})
    return entries


class FaultyClient:
    """A client with the faults of real ones (contract §6): what it sends is not what it was given to send."""

    def __init__(self, portal: Any, planned: Plan) -> None:
        from motcua.catalogue import calendars

        self.portal, self.url = portal, portal.url
        self.faults = {fault.dossier: fault for fault in planned.faults if fault.leg == "sync"}
        self.due = {dossier.code: dossier.due_at for dossier in planned.dossiers}
        self.submitted = {dossier.code: dossier.submitted_at for dossier in planned.dossiers}
        self.calendar = calendars.load("vn")

    def call(self, service: str, **arguments: Any) -> Any:
        """Alters the items of its dossiers, leaves some out, and believes that all arrived."""
        from motcua.mirror.client import Reply

        data = arguments.get("data")
        if data is None:
            return self.portal.call(service, **arguments)
        kept = [self._altered(service, dict(item)) for item in data]
        sent = [item for item in kept if item is not None]
        reply = self.portal.call(service, **{**arguments, "data": sent}) if sent else Reply(0, "thành công")
        single = [(item["MaHoSo"], reply.error_code, reply.message) for item in sent]
        answers = iter(single if len(sent) == 1 else reply.items)
        items = tuple(
            (data[n]["MaHoSo"], 0, "thành công") if item is None else next(answers) for n, item in enumerate(kept)
        )
        return Reply(reply.error_code if len(data) == 1 else 0, reply.message, None, items, reply.raw)

    def _workdays_later(self, at: datetime, days: int) -> datetime:
        """The closing of a later working day: late whatever holidays lie between."""
        from motcua.rules.instants import local_day

        return self.calendar.closing(self.calendar.add_workdays(local_day(at), days))

    def _altered(self, service: str, item: dict[str, Any]) -> dict[str, Any] | None:
        from motcua.wire import dates

        fault = self.faults.get(item["MaHoSo"])
        how = fault.how if fault else ""
        if service == "DongBoHoSoMC":
            if how == "submission_overwritten":  # as one client does: the submission is dated at the receipt
                item["NgayNopHoSo"] = item["NgayTiepNhan"] or item["NgayNopHoSo"]
            if how in ("pause_not_carried", "due_not_carried", "correction_not_carried"):
                item["NgayHenTra"] = dates.build(self.due[item["MaHoSo"]])
                item["DanhSachHoSoBoSung"] = []
            elif fault is not None and "procedure" in fault.facts:
                item["MaTTHC"], item["NgayHenTra"] = fault.facts["procedure"], ""
            return item
        if how == "pause_not_carried" and item["TrangThai"] == "5":
            return None
        if item["TrangThai"] == "2" and how in ("answer_12_fast", "answer_dated_early", "answer_differs"):
            at = dates.parse(item["ThoiDiemXuLy"])
            assert at is not None
            moved = {"answer_12_fast": at + timedelta(hours=12), "answer_differs": self._workdays_later(at, 2)}
            item["ThoiDiemXuLy"] = dates.build(moved.get(how) or self.submitted[item["MaHoSo"]])
        if fault is not None and item["TrangThai"] == "9":
            at = dates.parse(item["ThoiDiemXuLy"])
            assert at is not None
            if "hours" in fault.facts:
                item["ThoiDiemXuLy"] = dates.build(at + timedelta(hours=fault.facts["hours"]))
            elif how == "finish_differs":
                item["ThoiDiemXuLy"] = dates.build(fault.facts["there"])
        return item


def deliver(planned: Plan, url: str, now: datetime) -> None:
    """Delivers everything over HTTP, outages and all, on a clock of its own; then reads back."""
    from motcua.exchange import catalogue_pull, deliveries, read_back
    from motcua.exchange.deliver import Deliverer
    from motcua.exchange.models import Delivery
    from motcua.mirror.client import Portal, PortalUnreachable

    portal = Portal(url, "demo-h99", "demo-password", "H99")
    for _ in range(200):
        try:
            portal.call("LayDanhSachTTHC")
            break
        except PortalUnreachable:
            time.sleep(0.1)
    deliveries.plan(unmapped=frozenset({"stopped"}))
    _poison(planned, now)
    deliverer = Deliverer(FaultyClient(portal, planned), batch=100, seed=1)
    clock = now
    for _ in range(500):
        deliverer.run(at=clock)
        if not Delivery.objects.filter(state=Delivery.State.WAITING, next_at__lt=now + _FAR).exists():
            break
        clock += timedelta(seconds=30)
    _extra_messages(portal, planned)
    say("4/6 đọc lại từ Cổng quốc gia…")
    read_back.run(portal=portal, at=clock)
    catalogue_pull.run(portal=portal, at=clock)
    portal.close()


def _poison(planned: Plan, now: datetime) -> None:
    """Queues that stop: of some dossiers nothing leaves any more after a certain act (contract §6.1)."""
    from motcua.exchange.models import Delivery

    for how, sent in (
        ("update_not_sent", ("registered", "received", "step_started", "step_finished")),
        ("stops_after_request", ("registered", "received", "supplement_requested")),
        ("answer_not_sent", ("registered",)),
    ):
        stuck = [fault.dossier for fault in planned.faults if fault.how == how]
        waiting = Delivery.objects.filter(dossier__in=stuck, state=Delivery.State.WAITING)
        waiting.exclude(kind__in=sent).update(next_at=now + _FAR)


def _extra_messages(portal: Any, planned: Plan) -> None:
    """What faulty clients send on top: a second code, an end dated at reception, a dossier never entered here."""
    from motcua.wire import dates
    from motcua.wire.messages import build_record, build_step

    by_code = {dossier.code: dossier for dossier in planned.dossiers}
    earliest = (d for d in planned.dossiers if d.acts and d.due_at < planned.until)

    def record(code: str, like: Planned, owner: str) -> None:
        received = like.acts[0].at
        values = {
            "MaHoSo": code, "MaTTHC": like.procedure.code, "DonViXuLy": like.agency.name, "ChuHoSo": owner,
            "KenhThucHien": "1", "NgayTiepNhan": dates.build(received), "NgayHenTra": dates.build(like.due_at),
            "TrangThaiHoSo": "2",
        }  # fmt: skip
        portal.call("DongBoHoSoMC", isUpdating="False", data=[build_record(values)])

    for number, fault in enumerate(planned.faults):
        if fault.how == "missing_here":
            record(fault.dossier, next(earliest), f"Người chưa nhập {number}")
        elif fault.how == "duplicate_there":
            like = by_code[fault.dossier]
            record(f"{like.agency.code}-{like.acts[0].at:%y%m%d}-{54000 + number}", like, like.applicant)
        elif fault.how == "closed_early_there":
            like = by_code[fault.dossier]
            step = build_step(
                {"MaHoSo": like.code, "NguoiXuLy": like.official, "ThoiDiemXuLy": dates.build(like.acts[0].at),
                 "NoiDungXuLy": "Hoàn thành xử lý", "TrangThai": "9"}
            )  # fmt: skip
            portal.call("CapNhatTienDoHoSoMC", data=[step])


# ---- the first inspection ---------------------------------------------------------------------------------------


def _inspect(folder: Path, planted: list[dict[str, Any]], until: datetime) -> dict[str, Any]:
    """The bridge as of now, and whether what was planted was found when the plan ended, and nothing else."""
    from django.utils import timezone

    from motcua.oversight import extract, figures
    from motcua.oversight.figures import Question

    now = timezone.now()
    extract.run(home=folder, at=now)
    wanted = {
        (fault["measure"], fault["dossier"], fault["leg"]): (fault["cause"], fault["direction"], fault["sub_cause"])
        for fault in planted
    }
    found = {
        (measure, f["dossier"], f["leg"]): (
            f["cause"],
            f["direction"],
            f["evidence"].get("sub_cause", "") * (f["leg"] == "sync"),
        )
        for measure in _LOOKED_AT
        for f in figures.inspect(folder, Question(measure=measure, as_of=until), now=now)["findings"]
    }
    return {
        "bridge": figures.bridge(folder, Question(), now=now),
        "planted": {
            "planted": len(wanted),
            "found": sum(found.get(key) == expected for key, expected in wanted.items()),
            "wrong": [[*key, should, found.get(key)] for key, should in wanted.items() if found.get(key) != should],
            "unexpected": [[*key, *given] for key, given in found.items() if key not in wanted],
        },
    }


def _told(fault: Fault) -> dict[str, Any]:
    """A planted fault as the home remembers it."""
    return {name: getattr(fault, name) for name in ("dossier", "measure", "leg", "cause", "direction", "sub_cause",
                                                    "how")}  # fmt: skip
