"""The Merkle tree over the whole log (RFC 9162), read a block at a time: proofs of a log of any size in milliseconds.

Full blocks never change, so their roots are kept; below them a proof reads one block of events, above them only
roots. `ledger.seals` is the meaning, a property test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from motcua.evidence.models import Block
from motcua.ledger import cursors, seals
from motcua.ledger.models import EventRow, Head

#: Events in a block; a power of two, so that each block is a subtree.
BLOCK = 1024


def grow() -> int:
    """Keeps the roots of the blocks that have become full; returns how many are new."""
    have = Block.objects.count()
    full = cursors.head() // BLOCK
    new: list[Block] = []
    hashes = _hashes(have * BLOCK, full * BLOCK)
    for number in range(have, full):
        tree = seals.Tree()
        for _ in range(BLOCK):
            tree.add(next(hashes))
        new.append(Block(number=number, root=tree.root()))
        if len(new) == 1_000:
            Block.objects.bulk_create(new, ignore_conflicts=True)
            new = []
    Block.objects.bulk_create(new, ignore_conflicts=True)
    return full - have


def _hashes(low: int, high: int) -> Iterator[bytes]:
    rows = EventRow.objects.filter(position__gt=low, position__lte=high).order_by("position")
    return (bytes(each) for each in rows.values_list("hash", flat=True).iterator(chunk_size=10_000))


class Log:
    """The log as a tree. Ranges are of leaves counted from 0: event `position` is leaf `position - 1`.

    `blocks`: the roots of its full blocks; `hashes(low, high)`: the hashes of a range of events.
    """

    def __init__(self, blocks: Iterable[bytes], hashes: Callable[[int, int], Iterable[bytes]]) -> None:
        self._hashes = hashes
        self._levels: list[list[bytes]] = [list(blocks)]  # by height above a block
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            self._levels.append([seals.node(below[n], below[n + 1]) for n in range(0, len(below) - 1, 2)])
        self._read: dict[tuple[int, int], bytes] = {}
        self._leaves: dict[int, list[bytes]] = {}

    @classmethod
    def of_the_house(cls) -> Log:
        """The log of this house, with its blocks up to date."""
        grow()
        roots = Block.objects.order_by("number").values_list("root", flat=True)
        return cls([bytes(root) for root in roots], _hashes)

    def root(self, low: int, high: int) -> bytes:
        """The root over a range that is a node of some tree over the log."""
        size = high - low
        if size >= BLOCK and size & (size - 1) == 0 and low % size == 0:
            height = (size // BLOCK).bit_length() - 1
            if height < len(self._levels) and low // size < len(self._levels[height]):
                return self._levels[height][low // size]
        found = self._read.get((low, high))
        if found is None:
            if size == 1:
                found = seals.leaf(self._leaf(low))
            else:
                split = low + _split(size)
                found = seals.node(self.root(low, split), self.root(split, high))
            self._read[low, high] = found
        return found

    def _leaf(self, index: int) -> bytes:
        block = index // BLOCK
        if block not in self._leaves:
            self._leaves[block] = list(self._hashes(block * BLOCK, (block + 1) * BLOCK))
        return self._leaves[block][index % BLOCK]

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The hashes beside a leaf's path in the tree over the first `size` events, from the leaf up."""
        path: list[bytes] = []
        low, high = 0, size
        while high - low > 1:
            split = low + _split(high - low)
            if index < split:
                path.append(self.root(split, high))
                high = split
            else:
                path.append(self.root(low, split))
                low = split
        return path[::-1]

    def consistency(self, earlier: int, size: int) -> list[bytes]:
        """The proof that the tree over `earlier` events is the beginning of that over `size` (RFC 9162 §2.1.4.1)."""
        return self._subproof(earlier, 0, size, True)

    def _subproof(self, earlier: int, low: int, high: int, whole: bool) -> list[bytes]:
        size = high - low
        if earlier == size:
            return [] if whole else [self.root(low, high)]
        split = _split(size)
        if earlier <= split:
            return [*self._subproof(earlier, low, low + split, whole), self.root(low + split, high)]
        return [*self._subproof(earlier - split, low + split, high, False), self.root(low, low + split)]


def _split(size: int) -> int:
    """The largest power of two below a size."""
    return 1 << ((size - 1).bit_length() - 1)


def sealed(log: Log, keys: Path, *, upto: int, at: datetime) -> Head:
    """The newest signed head if it covers the events up to a position, else a new one over the whole log."""
    newest = Head.objects.order_by("-size").first()
    if newest is not None and newest.size >= upto:
        return newest
    size = cursors.head()
    root = log.root(0, size)
    name, private = seals.key(keys)
    head, _ = Head.objects.get_or_create(
        size=size,
        defaults={
            "root": root, "signed_at": at, "key": name, "signature": private.sign(seals.statement(size, root, at))
        },
    )  # fmt: skip
    return head


def beginning(earlier: int, root: bytes, size: int, whole: bytes, path: list[bytes]) -> bool:
    """Whether a proof shows that the tree with `root` is the beginning of that with `whole` (RFC 9162 §2.1.4.2)."""
    if earlier == size:
        return not path and root == whole
    if not 0 < earlier < size or not path:
        return False
    steps = iter([root, *path] if earlier & (earlier - 1) == 0 else path)
    fn, sn = earlier - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = next(steps)
    for beside in steps:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old, new = seals.node(beside, old), seals.node(beside, new)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = seals.node(new, beside)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and old == root and new == whole
