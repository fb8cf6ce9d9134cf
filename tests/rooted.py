"""An empty root folder: what a clean Debian has and nothing else, no network, processes of its own.

The system's own programs and Python are there read-only; this project, its environment, `/usr/local`, homes and
packages installed for Python are not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_SET_UP = r"""
set -e
root=$1
mount --make-rprivate /
mount -t tmpfs -o size=4g,mode=755 tmpfs "$root" # gone with the namespace, whatever was written
cd "$root"
mkdir -p usr dev/shm proc etc tmp var root run full
chmod 1777 tmp
for name in bin lib lib64 sbin; do ln -s "usr/$name" "$name"; done
printf 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n' >etc/passwd
printf 'root:x:0:\nnogroup:x:65534:\n' >etc/group
printf 'root:*:19000:0:99999:7:::\n' >etc/shadow
for name in ld.so.cache login.defs debian_version; do if [ -e "/etc/$name" ]; then cp "/etc/$name" etc; fi; done
cp -R /etc/alternatives etc
mount --bind /usr "$root/usr" && mount -o remount,bind,ro "$root/usr"
mount -t tmpfs tmpfs "$root/usr/local" && mkdir "$root/usr/local/bin"
if [ -d /usr/lib/python3/dist-packages ]; then mount -t tmpfs tmpfs "$root/usr/lib/python3/dist-packages"; fi
mount -t proc proc "$root/proc"
for node in null zero full random urandom tty; do
  touch "$root/dev/$node"
  mount --bind "/dev/$node" "$root/dev/$node"
done
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t tmpfs -o size=16k tmpfs "$root/full"
# The loopback is up, and there is no other way out.
/usr/bin/python3 -c '
import fcntl, socket, struct
with socket.socket() as any:
    fcntl.ioctl(any, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))
'
echo ready
exec sleep infinity
"""


def why_not() -> str:
    """What this machine lacks for such a root; empty where it can be made."""
    if os.geteuid() != 0:
        return "an empty root folder wants root"
    if not Path("/usr/bin/python3").exists() or not shutil.which("nsenter"):
        return "an empty root folder wants the system's python3 and util-linux"
    done = subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "true"], capture_output=True, text=True)
    return "" if done.returncode == 0 else f"no namespaces here: {done.stderr.strip()}"


class Root:
    """The folder, and how to run something in it."""

    def __init__(self, place: Path, pid: int) -> None:
        self.place, self.pid = place, pid
        self.folder = Path(f"/proc/{pid}/root{place}")  # the folder as this process sees it

    def command(self, *words: str) -> list[str]:
        """The words of a command there, for this machine."""
        enter = ["nsenter", "--target", str(self.pid), "--mount", "--net", "--pid"]
        return [
            *enter,
            shutil.which("chroot") or "/usr/sbin/chroot",  # a bare PATH lacks it
            str(self.place),
            "/usr/bin/env",
            "-i",
            "PATH=/usr/local/bin:/usr/sbin:/usr/bin",
            *words,
        ]

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Runs it to its end."""
        given = [f"{name}={value}" for name, value in (env or {}).items()]
        return subprocess.run(self.command(*given, *words), capture_output=True, text=True, timeout=300)

    def done(self, *words: str, env: Mapping[str, str] | None = None) -> str:
        """What it says that must succeed."""
        found = self.run(*words, env=env)
        assert found.returncode == 0, f"{words}: {found.stdout}{found.stderr}"
        return found.stdout


@contextmanager
def empty_root(folder: Path) -> Iterator[Root]:
    """The root for as long as a block runs, below an empty folder; whatever runs or lies in it ends with it."""
    holder = subprocess.Popen(
        ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "bash", "-c", _SET_UP, "bash", str(folder)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "ready\n", "the root could not be set up"
        children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children")
        yield Root(folder, int(children.read_text().split()[0]))
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
