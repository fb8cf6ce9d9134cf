"""Seals: the events by position in a Merkle tree (RFC 9162), its heads signed with Ed25519.

A head proves nothing against whoever holds both key and database: heads are for giving away. Keys live in
files outside the database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from motcua.ledger import cursors
from motcua.ledger.models import EventRow, Head
from motcua.rules.instants import to_microseconds


def leaf(data: bytes) -> bytes:
    """The hash of a leaf (RFC 9162 §2.1.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A growing tree: keeps the roots of its complete subtrees, so a head costs a logarithm."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[tuple[int, bytes]] = []  # (height, hash), left to right

    def add(self, data: bytes) -> None:
        """Adds a leaf."""
        height, current = 0, leaf(data)
        while self._roots and self._roots[-1][0] == height:
            current = node(self._roots.pop()[1], current)
            height += 1
        self._roots.append((height, current))
        self.size += 1

    def root(self) -> bytes:
        """The tree's head; the hash of nothing for an empty tree."""
        if not self._roots:
            return hashlib.sha256().digest()
        current = self._roots[-1][1]
        for _, left in reversed(self._roots[:-1]):
            current = node(left, current)
        return current


def proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The inclusion proof of a leaf (RFC 9162 §2.1.3): the hashes beside its path, from the leaf up."""
    n = len(leaves)
    if n == 1:
        return []
    split = 1 << ((n - 1).bit_length() - 1)
    if index < split:
        return [*proof(leaves[:split], index), _root(leaves[split:])]
    return [*proof(leaves[split:], index - split), _root(leaves[:split])]


def _root(leaves: Sequence[bytes]) -> bytes:
    tree = Tree()
    for data in leaves:
        tree.add(data)
    return tree.root()


def included(data: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a leaf stands at this place of the tree with this root (RFC 9162 §2.1.3.2)."""
    fn, sn, current = index, size - 1, leaf(data)
    for beside in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            current = node(beside, current)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            current = node(current, beside)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and current == root


# ---- keys and heads ---------------------------------------------------------------------------------------------


def key(folder: Path, *, rotate: bool = False) -> tuple[str, Ed25519PrivateKey]:
    """The newest signing key of a home, made at first use; its name is the start of its public half."""
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted(folder.glob("*.key"), key=lambda file: file.stat().st_mtime_ns)
    if names and not rotate:
        private = Ed25519PrivateKey.from_private_bytes(names[-1].read_bytes())
    else:
        private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    name = public.hex()[:16]
    file = folder / f"{name}.key"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_bytes(private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))
        (folder / f"{name}.pub").write_bytes(public)
    return name, private


def statement(size: int, root: bytes, signed_at: datetime) -> bytes:
    """What a head says, as it is signed."""
    return f"motcua head 1\n{size}\n{root.hex()}\n{to_microseconds(signed_at)}\n".encode()


def seal(folder: Path, *, at: datetime) -> Head | None:
    """Signs a head over everything in the log; None where nothing is new."""
    size = cursors.head()
    if size == 0 or Head.objects.filter(size=size).exists():
        return None
    tree = Tree()
    for data in EventRow.objects.order_by("position").values_list("hash", flat=True).iterator(chunk_size=10_000):
        tree.add(bytes(data))
    name, private = key(folder)
    signature = private.sign(statement(tree.size, tree.root(), at))
    return Head.objects.create(size=tree.size, root=tree.root(), signed_at=at, key=name, signature=signature)


def signed_by(head: Head, folder: Path) -> bool:
    """Whether a head bears the signature of one of the home's keys."""
    file = folder / f"{head.key}.pub"
    if not file.exists():
        return False
    public = Ed25519PublicKey.from_public_bytes(file.read_bytes())
    try:
        public.verify(bytes(head.signature), statement(head.size, bytes(head.root), head.signed_at))
    except InvalidSignature:
        return False
    return True
