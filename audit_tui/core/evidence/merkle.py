"""The hash tree of RFC 6962 (and 9162) over a log: roots, and proofs that need no log to be checked.

A leaf is the hash of a record; a node the hash of its two halves, the left one the largest power of two
that leaves something for the right. The root of a size stands for every record up to there. An inclusion
proof shows that a record is under a root, a consistency proof that one root continues another. Leaves lie
in blocks of 256, so that the tree over ten million has 39,063 block roots above it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_BYTES = 32
BLOCK_LEAVES = 256
"""A power of two, so that each full block is a whole subtree."""
EMPTY_ROOT = sha256(b"").digest()
LEAF_MARK = b"\x00"
_NODE_MARK = b"\x01"
MAX_PROOF_HASHES = 64
"""No tree with sizes of 63 bits needs more."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """The node over two subtrees."""
    return sha256(_NODE_MARK + left + right).digest()


def tree_root(hashes: Sequence[bytes]) -> bytes:
    """The root over leaves, or over the roots of full blocks; the last one may be partly full."""
    level = list(hashes)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        rest = level[-1:] if len(level) & 1 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha256(_NODE_MARK + left + right).digest() for left, right in pairs]
        level += rest
    return level[0]


def split_leaves(leaves: bytes) -> list[bytes]:
    """The hashes that lie one after the other in a block; what is left over at the end is the last."""
    return [leaves[at : at + HASH_BYTES] for at in range(0, len(leaves), HASH_BYTES)]


class Frontier:
    """The right edge of a growing tree: the roots of its whole subtrees, the largest first.

    It has one hash for each bit that is set in its size.

    Raises:
        ValueError: If these are not as many as the size has bits.
    """

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if size.bit_count() != len(hashes):
            raise ValueError(f"a frontier of {size} has {size.bit_count()} hashes, not {len(hashes)}")
        self.size = size
        self.hashes = list(hashes)

    def push(self, root: bytes) -> None:
        """Add a hash at the right."""
        size = self.size
        while size & 1:
            root = sha256(_NODE_MARK + self.hashes.pop() + root).digest()
            size >>= 1
        self.hashes.append(root)
        self.size += 1

    def root(self, last: bytes | None = None) -> bytes:
        """The root over all of them, and over one more subtree at the right, smaller than the others."""
        hashes = self.hashes if last is None else [*self.hashes, last]
        if not hashes:
            return EMPTY_ROOT
        root = hashes[-1]
        for left in reversed(hashes[:-1]):
            root = node_hash(left, root)
        return root

    def copy(self) -> Frontier:
        """Another one, to go on from here."""
        return Frontier(self.size, self.hashes)


class BlockTree:
    """Any subtree of a log whose leaves lie in blocks, for proofs.

    Raises:
        ValueError: If there are not as many blocks as the size needs.
    """

    def __init__(self, size: int, block_roots: Sequence[bytes], read_leaves: Callable[[int], bytes]) -> None:
        if -(-size // BLOCK_LEAVES) != len(block_roots):
            raise ValueError(f"{size} leaves do not lie in {len(block_roots)} blocks")
        self.size = size
        self._roots = block_roots
        self._read = read_leaves
        self._subtrees: dict[tuple[int, int], bytes] = {}
        self._open: tuple[int, list[bytes]] = (-1, [])

    def root(self, size: int | None = None) -> bytes:
        """The root of the first ``size`` leaves; of all for None."""
        return self.subtree(0, self.size if size is None else size)

    def leaf(self, index: int) -> bytes:
        """A leaf by its 0-based place."""
        return self._leaves(index // BLOCK_LEAVES)[index % BLOCK_LEAVES]

    def subtree(self, start: int, end: int) -> bytes:
        """The root over the leaves ``[start, end)``: a subtree of the tree, as the proofs ask for them."""
        if end - start <= BLOCK_LEAVES:
            block, first = divmod(start, BLOCK_LEAVES)
            if not first and end == min(start + BLOCK_LEAVES, self.size):
                return self._roots[block] if start < end else EMPTY_ROOT
            return tree_root(self._leaves(block)[first : first + end - start])
        subtree = self._subtrees.get((start, end))
        if subtree is None:
            middle = start + _left_part(end - start)
            subtree = node_hash(self.subtree(start, middle), self.subtree(middle, end))
            self._subtrees[start, end] = subtree
        return subtree

    def _leaves(self, block: int) -> list[bytes]:
        if self._open[0] != block:
            self._open = (block, split_leaves(self._read(block)))
        return self._open[1]


def inclusion_proof(tree: BlockTree, index: int, size: int) -> list[bytes]:
    """The hashes that lead from a leaf to the root of the first ``size`` leaves, the lowest first.

    Raises:
        ValueError: If there is no such leaf under that root.
    """
    if not 0 <= index < size <= tree.size:
        raise ValueError(f"leaf {index} is not under the root of {size}")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _left_part(end - start)
        if index < middle:
            proof.append(tree.subtree(middle, end))
            end = middle
        else:
            proof.append(tree.subtree(start, middle))
            start = middle
    return proof[::-1]


def root_of_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that an inclusion proof leads to; None when the proof is too long or too short."""
    if not 0 <= index < size:
        return None
    node, last, root = index, size - 1, leaf
    for sibling in proof:
        if not last:
            return None
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        node, last = node >> 1, last >> 1
    return None if last else root


def _left_part(size: int) -> int:
    """The largest power of two below a size."""
    return 1 << (size - 1).bit_length() - 1
