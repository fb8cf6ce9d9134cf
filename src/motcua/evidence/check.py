#!/usr/bin/env python3
"""Checks an evidence pack of motcua on any machine with Python 3.8 or newer: no other software, no network.

    python3 check.py PACK.zip                           proves or disproves it; status 0 or 1
    python3 check.py PACK.zip --key HEX                 signed by this house and no other
    python3 check.py PACK.zip --heads heads.txt         the log continues the heads that were given to you
    python3 check.py PACK.zip --black-out personal --to SHORTER.zip

Kiểm tra một gói chứng cứ trên máy bất kỳ có Python 3.8 trở lên, không cần phần mềm khác, không cần mạng.

This file shares nothing with motcua: it follows docs/reference/evidence.md, which tells how to write another one.
Take it from a place that you trust, not only from the pack that it is to check.
"""

from __future__ import annotations

import argparse
import binascii
import collections
import datetime
import hashlib
import json
import re
import sys

FORMAT = "motcua evidence 1"


class Wrong(Exception):
    """The pack does not prove what it says: a code, and where."""

    def __init__(self, code, place=""):
        super().__init__(code)
        self.code, self.place = code, place


# ---- Ed25519 (RFC 8032), verification only ----------------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def _add(a, b):
    """The sum of two points in extended coordinates (x, y, z, t)."""
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    i, j, k, m = f - e, h - g, h + g, f + e
    return i * j % P, k * m % P, j * k % P, i * m % P


def _times(number, point):
    total = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = _add(total, point)
        point = _add(point, point)
        number >>= 1
    return total


def _point(data):
    """The point that 32 bytes stand for; None where they stand for none."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed(public, signature, message):
    """Whether a message bears the signature of a public key."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, r = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = _times(s, BASE), _add(r, _times(k, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# ---- the frame: one form of ZIP, rebuilt and compared byte by byte ----------------------------------------------


def _two(number):
    return number.to_bytes(2, "little")


def _four(number):
    return number.to_bytes(4, "little")


def frame(entries):
    """The one file that holds these entries."""
    out, directory, count = bytearray(), bytearray(), 0
    for name in sorted(entries):
        data, title = entries[name], name.encode("ascii")
        about = (
            _two(20) + _two(0) + _two(0) + _two(0) + _two(33) + _four(binascii.crc32(data) & 0xFFFFFFFF)
            + _four(len(data)) + _four(len(data)) + _two(len(title)) + _two(0)
        )  # fmt: skip
        directory += b"PK\x01\x02" + _two(20) + about + _two(0) + _two(0) + _two(0) + _four(0) + _four(len(out)) + title
        out += b"PK\x03\x04" + about + title + data
        count += 1
    start = len(out)
    end = b"PK\x05\x06" + _two(0) + _two(0) + _two(count) + _two(count) + _four(len(directory)) + _four(start) + _two(0)
    return bytes(out + directory + end)


def entries_of(file):
    """The entries of a pack by name."""
    entries, at = {}, 0
    while file[at : at + 4] == b"PK\x03\x04":
        size = int.from_bytes(file[at + 22 : at + 26], "little")
        begin = at + 30 + int.from_bytes(file[at + 26 : at + 28], "little")
        try:
            name = file[at + 30 : begin].decode("ascii")
        except UnicodeDecodeError:
            raise Wrong("frame", "byte %d" % at) from None
        if name in entries:
            raise Wrong("frame", name + " twice")
        entries[name] = file[begin : begin + size]
        at = begin + size
    try:
        whole = frame(entries)
    except OverflowError:
        raise Wrong("frame") from None
    if not entries or whole != file:
        raise Wrong("frame", "byte %d" % next((n for n, (a, b) in enumerate(zip(whole, file)) if a != b), len(whole)))
    return entries


# ---- forms and hashes -------------------------------------------------------------------------------------------


def canonical(value):
    """Compact JSON, keys sorted."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("utf-8")


def read(entries, name):
    """A part as JSON, in its one form."""
    if name not in entries:
        raise Wrong("parts", name)
    document = json.loads(entries[name].decode("utf-8"))
    if canonical(document) != entries[name]:
        raise Wrong("form", name)
    return document


def sha256(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


def unhex(text, length=None):
    """Bytes from lower-case hexadecimal digits and nothing else."""
    if not re.match(r"\A(?:[0-9a-f]{2})*\Z", text) or (length is not None and len(text) != 2 * length):
        raise Wrong("form", text[:80])
    return binascii.unhexlify(text)


def root_by_inclusion(leaf, index, size, path):
    """The root that a path leads to (RFC 9162, 2.1.3), by halving the tree; None where its length is wrong."""
    turns, low, high = [], 0, size
    while high - low > 1:
        middle = low + (1 << ((high - low - 1).bit_length() - 1))
        turns.append(index >= middle)
        low, high = (middle, high) if index >= middle else (low, middle)
    if len(turns) != len(path):
        return None
    current = leaf
    for right, beside in zip(reversed(turns), path):
        current = sha256(b"\x01", beside, current) if right else sha256(b"\x01", current, beside)
    return current


def roots_by_consistency(earlier, size, old_root, path):
    """The two roots that a consistency proof leads to (RFC 9162, 2.1.4), recursively; None where it is malformed."""
    if earlier == size:
        return None if path else (old_root, old_root)
    left = list(path)

    def down(m, n, whole):
        if m == n:
            if whole:
                return old_root, old_root
            found = left.pop(0)
            return found, found
        k = 1 << ((n - 1).bit_length() - 1)
        if m <= k:
            old, new = down(m, k, whole)
            return old, sha256(b"\x01", new, left.pop(0))
        old, new = down(m - k, n - k, False)
        beside = left.pop(0)
        return sha256(b"\x01", beside, old), sha256(b"\x01", beside, new)

    if not 0 < earlier < size:
        return None
    try:
        found = down(earlier, size, True)
    except IndexError:
        return None
    return None if left else found


# ---- instants ---------------------------------------------------------------------------------------------------

HERE = datetime.timezone(datetime.timedelta(hours=7))
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MICROSECOND = datetime.timedelta(microseconds=1)


def instant(text):
    """Microseconds since 1970 of an ISO 8601 instant with an offset."""
    return (datetime.datetime.fromisoformat(text) - EPOCH) // MICROSECOND


def midnight(day):
    """Microseconds since 1970 of a day's beginning in Viet Nam."""
    year, month, number = map(int, day.split("-"))
    return (datetime.datetime(year, month, number, tzinfo=HERE) - EPOCH) // MICROSECOND


def counted(line, start, due, pauses):
    """The minutes of a day that count: opening hours from the start to the due instant, less the pauses."""
    zero = midnight(line["day"])

    def open_before(at):
        minute = (at - zero) // 60_000_000
        return sum(min(max(minute - a, 0), b - a) for a, b in line["open"])

    begin, end = max(zero, start), min(zero + 86_400_000_000, due)
    if end <= begin:
        return 0
    total, upto = open_before(end) - open_before(begin), begin
    for first, last in sorted(pauses):
        first, last = max(first, zero, upto), min(last, zero + 86_400_000_000, end)
        if last > first:
            total -= open_before(last) - open_before(first)
            upto = last
    return total


# ---- officials --------------------------------------------------------------------------------------------------

OFFICIAL, WRITTEN = ("actor", "unit"), ("note", "reason")


def committed_of(event):
    """The commitments of an event, in the order of the pack."""
    found = [(name, event[name]) for name in OFFICIAL if isinstance(event[name], dict)]
    return found + [(name, value) for name, value in sorted(event["body"].items()) if isinstance(value, dict)]


def plain(value):
    """A text as it is; one that is blacked out as none."""
    return "" if isinstance(value, dict) else value


# ---- the pack ---------------------------------------------------------------------------------------------------


class Check:
    """One pack being checked: faults are gathered, so that a reader sees all of them."""

    def __init__(self, file, key=None, heads=None):
        self.faults: list[dict[str, str]] = []
        self.key, self.outside = key, heads or {}
        self.answer = {"ok": False, "faults": self.faults}
        self.closed = 0  # events of which something of the officials is blacked out
        self.commitments = collections.OrderedDict()  # ref -> (commitment, prefix, class)
        try:
            self.entries = entries_of(file)
            self.run()
        except Wrong as wrong:
            self.fault(wrong.code, wrong.place)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
            self.fault("form", "%s: %s" % (type(error).__name__, error))
        self.answer["ok"] = not self.faults
        del self.faults[100:]

    def fault(self, code, place):
        self.faults.append({"code": code, "place": place})

    def demand(self, condition, code, place):
        if not condition:
            self.fault(code, place)

    def run(self):
        entries = self.entries
        manifest = read(entries, "manifest.json")
        self.demand(manifest["format"] == FORMAT, "format", manifest["format"])
        public = unhex(manifest["key"]["public"], 32)
        text = entries.get("manifest.sig", b"").decode("ascii")
        genuine = text.endswith("\n") and signed(public, unhex(text[:-1], 64), entries["manifest.json"])
        self.demand(genuine, "signature", "manifest.sig")
        self.demand(manifest["key"]["name"] == manifest["key"]["public"][:16], "key", "manifest.json")
        if self.key is not None:
            self.demand(manifest["key"]["public"] == self.key, "key", manifest["key"]["public"])
        listed = [part["name"] for part in manifest["parts"]]
        wanted = sorted([*listed, "manifest.json", "manifest.sig", "openings.json"])
        self.demand(wanted == sorted(entries), "parts", ", ".join(sorted(set(wanted) ^ set(entries))))
        for part in manifest["parts"]:
            data = entries.get(part["name"], b"")
            same = len(data) == part["bytes"] and hashlib.sha256(data).hexdigest() == part["sha256"]
            self.demand(same, "part", part["name"])
        head, roots = self.heads(manifest)
        events = 0
        for number, code in enumerate(manifest["dossiers"], 1):
            events += self.dossier("%04d" % number, code, head)
        shown, withheld, later = self.openings(manifest)
        compared = [size for size in self.outside if size in roots]
        for size in compared:
            self.demand(roots[size] == self.outside[size], "outside_head", str(size))
        if self.outside:
            self.demand(compared, "no_common_head", "heads.json")
        self.answer.update(
            {
                "dossiers": len(manifest["dossiers"]),
                "events": events,
                "events_closed": self.closed,
                "shown": shown,
                "withheld": withheld,
                "withheld_later": later,
                "key": manifest["key"]["public"],
                "key_known": self.key is not None and self.key == manifest["key"]["public"],
                "head": {"size": head["size"], "root": head["root"]},
                "heads_compared": len(compared),
                "made_at": manifest["made_at"],
                "subject": manifest["subject"],
            }
        )

    def heads(self, manifest):
        document = read(self.entries, "heads.json")
        head = document["head"]
        stated = manifest["head"]
        self.demand((head["size"], head["root"]) == (stated["size"], stated["root"]), "head", "manifest.json")
        for each in [head] + document["earlier"]:
            public = document["keys"][each["key"]]
            told = "motcua head 1\n%d\n%s\n%d\n" % (each["size"], each["root"], each["signed_at"])
            genuine = signed(unhex(public, 32), unhex(each["signature"], 64), told.encode("ascii"))
            self.demand(genuine and public[:16] == each["key"], "head", "heads.json %d" % each["size"])
        roots = {head["size"]: head["root"]}
        for each in document["earlier"] + document["given"]:
            old = unhex(each["root"], 32)
            found = roots_by_consistency(each["size"], head["size"], old, [unhex(part, 32) for part in each["path"]])
            self.demand(found == (old, unhex(head["root"], 32)), "consistency", "heads.json %d" % each["size"])
            roots[each["size"]] = each["root"]
        return head, roots

    def dossier(self, number, code, head):
        folder = "dossiers/" + number
        told = read(self.entries, folder + "/events.json")
        verdicts = read(self.entries, folder + "/verdicts.json")
        certificate = read(self.entries, folder + "/certificate.json")
        messages = read(self.entries, folder + "/messages.json")
        read(self.entries, folder + "/documents.json")
        self.demand(told["dossier"] == code and verdicts["dossier"] == code, "dossier", folder)
        previous = "00" * 32
        for seq, event in enumerate(told["events"], 1):
            place = "%s/events.json %d" % (folder, seq)
            content = {name: value for name, value in event.items() if name not in ("hash", "path", "position")}
            content["dossier"] = code
            digest = sha256(canonical(content))
            committed = committed_of(event)
            if any(name in OFFICIAL + WRITTEN for name, _ in committed):
                digest = unhex(event["hash"], 32)  # not all that the hash covers is here: place and signature hold it
                self.closed += 1
            self.demand(digest.hex() == event["hash"], "event", place)
            self.demand(event["seq"] == seq and event["previous"] == previous, "chain", place)
            index = event["position"] - 1
            path = [unhex(part, 32) for part in event["path"]]
            if 0 <= index < head["size"]:
                root = root_by_inclusion(sha256(b"\x00", digest), index, head["size"], path)
                self.demand(root == unhex(head["root"], 32), "inclusion", place)
            else:
                self.fault("inclusion", place)
            previous = digest.hex()
            for name, value in committed:
                ref = "%s/event/%d/%s" % (number, seq, name)
                kind = "officials" if name in OFFICIAL + WRITTEN else "personal"
                self.commitments[ref] = (value["commitment"], name, kind)
        for n, message in enumerate(messages["messages"], 1):
            for m, (path, kind, stated) in enumerate(message["leaves"]):
                self.commitments["%s/message/%d/%d" % (number, n, m)] = (stated, path, kind)
        self.certificate(folder + "/certificate.json", certificate, verdicts)
        self.verdicts(folder + "/verdicts.json", verdicts, told["events"])
        return len(told["events"])

    def certificate(self, place, certificate, verdicts):
        """The days counted again: the minutes of each, one day after the other."""
        if not certificate["due_at"]:
            return
        self.demand(certificate["due_at"] == verdicts["recorded"]["due_at"], "certificate", place)
        start, due = instant(certificate["counted_from_at"]), instant(certificate["due_at"])
        pauses = [(instant(pause["from_at"]), instant(pause["until_at"])) for pause in certificate["pauses"]]
        before = None
        for line in certificate["explain"]:
            zero = midnight(line["day"])
            follows = before is None or zero == before + 86_400_000_000
            right = counted(line, start, due, pauses) == line["worked_minutes"]
            self.demand(follows and right, "certificate", place + " " + line["day"])
            before = zero

    def verdicts(self, place, verdicts, events):
        """Late is what ended, or stands open, after the due instant; the timeline tells events of the log."""
        for side in ("recorded", "true"):
            told = verdicts[side]
            late, in_time = told["verdict"] in ("late", "open_late"), told["verdict"] in ("on_time", "open_in_time")
            if (late or in_time) and told["due_at"]:
                until = instant(told["finished_at"] or verdicts["as_of"])
                self.demand((until > instant(told["due_at"])) == late, "verdict", place + " " + side)
        if any(event["kind"] == "corrected" for event in events):
            return
        names = ("actor", "unit", "step")
        logged = collections.Counter(
            (event["kind"], event["at"], event["recorded_at"], *(plain(event[name]) for name in names))
            for event in events
        )
        for entry in verdicts["timeline"]:
            if entry["side"] == "ours":
                key = (entry["kind"], instant(entry["at"]), instant(entry["recorded_at"]))
                key += tuple(entry[name] for name in names)
                logged[key] -= 1
                self.demand(logged[key] >= 0, "timeline", place + " " + entry["at"])

    def openings(self, manifest):
        """Every commitment is opened rightly or named as blacked out, in the order of the pack."""
        document = read(self.entries, "openings.json")
        self.demand(sorted(document) == ["opened", "withheld"], "openings", "openings.json")
        opened, withheld = document["opened"], document["withheld"]
        shut = set(withheld)
        order = list(self.commitments)
        self.demand([r for r in order if r not in shut] == [each[0] for each in opened], "openings", "opened")
        self.demand([r for r in order if r in shut] == withheld, "openings", "withheld")
        self.demand(set(manifest["withheld"]) <= shut, "openings", "manifest.json")
        for ref, salt, value in opened:
            stated, prefix, _ = self.commitments.get(ref, ("", "", ""))
            found = sha256(unhex(salt), prefix.encode("utf-8"), b"\0", value.encode("utf-8"))
            self.demand(found.hex() == stated, "opening", ref)
        return len(opened), len(withheld), len(shut - set(manifest["withheld"]))

    def blacked_out(self, kinds):
        """The pack with everything of these classes blacked out: what is left still proves."""
        document = read(self.entries, "openings.json")
        shut = set(document["withheld"]) | {r for r, (_, _, kind) in self.commitments.items() if kind in kinds}
        left = dict(self.entries)
        left["openings.json"] = canonical(
            {
                "opened": [each for each in document["opened"] if each[0] not in shut],
                "withheld": [ref for ref in self.commitments if ref in shut],
            }
        )
        return frame(left)


#: What each fault means, to the reader.
WORDS = {
    "frame": "khung tệp không đúng khuôn, hoặc đã bị sửa / the frame of the file was altered",
    "form": "nội dung không đúng dạng chuẩn / a part is not in its one form",
    "format": "không phải phiên bản gói này đọc được / another version of the form",
    "signature": "chữ ký không khớp danh mục / the signature does not fit the manifest",
    "key": "khóa ký không phải khóa đã biết / signed with another key",
    "parts": "thừa hoặc thiếu thành phần / parts are missing or too many",
    "part": "thành phần đã bị sửa / a part was altered",
    "head": "đầu sổ có chữ ký sai / a head is not signed rightly",
    "consistency": "sổ không nối tiếp đầu sổ trước / the log does not continue an earlier head",
    "dossier": "mã hồ sơ không khớp / another dossier's part",
    "event": "sự kiện đã bị sửa / an event was altered",
    "chain": "sự kiện không nối tiếp sự kiện trước / an event does not follow the one before it",
    "inclusion": "sự kiện không có trong sổ đã niêm phong / an event is not in the sealed log",
    "certificate": "cách tính hẹn trả không khớp / the days of the due instant do not add up",
    "verdict": "kết luận trái với mốc thời gian / a verdict contradicts its own instants",
    "timeline": "diễn biến kể một việc không có trong sổ / the timeline tells what the log does not hold",
    "openings": "phần mở và phần che không đủ / what is opened and blacked out is not the whole",
    "opening": "giá trị không khớp cam kết / a value does not fit its commitment",
    "outside_head": "đầu sổ được giao trước đây nói khác / a head that was given to you says otherwise",
    "no_common_head": "không đầu sổ nào trong danh sách so được; xin gói làm với --heads"
    " / no head of the list could be compared; ask for a pack made with --heads",
}


def heads_of(text):
    """Heads as somebody outside was given them: a size and a root a line."""
    found = {}
    for line in text.splitlines():
        if line.strip():
            size, root = line.split()
            found[int(size)] = root.lower()
    return found


def main(argv):
    parser = argparse.ArgumentParser(description="Proves or disproves an evidence pack of motcua.")
    parser.add_argument("file", metavar="PACK")
    parser.add_argument("--key", metavar="HEX", help="the public key of the house, as it was given to you")
    parser.add_argument("--heads", metavar="FILE", help="heads that were given to you: lines of size and root")
    parser.add_argument("--black-out", choices=("personal", "messages"), help="write a pack that shows less")
    parser.add_argument("--to", metavar="FILE", help="where the blacked out pack goes")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    args = parser.parse_args(argv)
    try:
        with open(args.file, "rb") as stream:
            file = stream.read()
        outside = {}
        if args.heads:
            with open(args.heads, encoding="utf-8") as stream:
                outside = heads_of(stream.read())
    except (OSError, ValueError) as error:
        sys.stderr.write("check.py: %s\n" % error)
        return 2
    check = Check(file, args.key.lower() if args.key else None, outside)
    answer = check.answer
    text = json.dumps(answer, ensure_ascii=True) + "\n" if args.json else told(answer)
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()
    if answer["ok"] and args.black_out:
        if not args.to:
            sys.stderr.write("check.py: --black-out wants --to FILE\n")
            return 2
        kinds = {"personal"} if args.black_out == "personal" else {"personal", "open", "foreign", "secret"}
        with open(args.to, "xb") as stream:
            stream.write(check.blacked_out(kinds))
    return 0 if answer["ok"] else 1


def told(answer):
    """The answer for people."""
    if not answer["ok"]:
        lines = ["KHÔNG ĐẠT / DISPROVED"]
        lines += ["  %s: %s" % (WORDS.get(f["code"], f["code"]), f["place"]) for f in answer["faults"]]
        return "\n".join(lines) + "\n"
    known = "đúng khóa đã biết / the key that you named" if answer["key_known"] else (
        "so khóa này với khóa của cơ quan / compare it with the key that the office publishes"
    )  # fmt: skip
    closed = ""
    if answer["events_closed"]:
        closed = "  việc che người bấm, dựa vào vị trí và chữ ký / acts whose officials are blacked out: %d\n"
        closed %= answer["events_closed"]
    return (
        "ĐẠT / PROVED\n"
        "  hồ sơ / dossiers: %(dossiers)d, sự kiện / events: %(events)d\n"
        "  giá trị để ngỏ / shown: %(shown)d, đã che / blacked out: %(withheld)d"
        " (sau khi lập / later: %(withheld_later)d)\n"
        % answer
        + closed
        + "  sổ niêm phong / sealed log: %d %s\n" % (answer["head"]["size"], answer["head"]["root"])
        + "  đầu sổ đã so / heads compared: %d\n" % answer["heads_compared"]
        + "  khóa / key: %s\n  %s\n" % (answer["key"], known)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
