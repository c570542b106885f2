"""The tree against pymerkle, an implementation of RFC 9162 that shares nothing with ours."""

from __future__ import annotations

import random
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from audit_tui.core.evidence.merkle import (
    BLOCK_LEAVES,
    EMPTY_ROOT,
    BlockTree,
    Frontier,
    inclusion_proof,
    node_hash,
    root_of_inclusion,
    split_leaves,
    tree_root,
)

SIZES = (1, 2, 3, 7, 255, 256, 257, 511, 512, 513, 700, 1_030)
RECORDS = [b"record %d" % number for number in range(SIZES[-1])]
LEAVES = [sha256(b"\0" + record).digest() for record in RECORDS]
FORGED = sha256(b"\0forged").digest()


@pytest.fixture(scope="module")
def oracle() -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    for record in RECORDS:
        tree.append_entry(record)
    return tree


def tree_of(size: int) -> BlockTree:
    blocks = [LEAVES[at : min(at + BLOCK_LEAVES, size)] for at in range(0, size, BLOCK_LEAVES)]
    return BlockTree(size, [tree_root(block) for block in blocks], lambda number: b"".join(blocks[number]))


@pytest.mark.parametrize("size", [2, 3, 7, 257])
def test_an_inner_node_is_not_a_leaf(size: int) -> None:
    """A proof that is a hash too short or too long leads nowhere, though its hashes lead to the root.

    With an inner node as the leaf of a redacted event it would: nobody knows what that leaf is of.
    """
    tree, root = tree_of(size), tree_of(size).root()
    for index in range(0, size - 1, 2):
        proof = inclusion_proof(tree, index, size)
        inner = node_hash(LEAVES[index], LEAVES[index + 1])
        for place in {index, index + 1, index // 2}:
            assert root_of_inclusion(inner, place, size, proof[1:]) != root
        assert root_of_inclusion(LEAVES[index], index, size, [*proof, proof[-1]]) is None
        assert root_of_inclusion(LEAVES[index], index, size, proof[:-1]) is None


@pytest.mark.parametrize("size", SIZES)
def test_roots_agree(oracle: InmemoryTree, size: int) -> None:
    edge = Frontier()
    for leaf in LEAVES[:size]:
        edge.push(leaf)
    wanted = oracle.get_root(size)
    assert tree_root(LEAVES[:size]) == edge.root() == tree_of(size).root() == wanted
    assert Frontier(size, edge.hashes).root() == wanted


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_proofs_agree_and_refuse_everything_else(oracle: InmemoryTree, size: int) -> None:
    tree, root = tree_of(size), oracle.get_root(size)
    chosen = random.Random(size)
    for index in {0, size - 1, *chosen.sample(range(size), min(size, 25))}:
        proof = inclusion_proof(tree, index, size)
        # The oracle's path begins with the leaf itself.
        assert [LEAVES[index], *proof] == oracle.prove_inclusion(index + 1, size).path
        assert root_of_inclusion(LEAVES[index], index, size, proof) == root
        assert root_of_inclusion(FORGED, index, size, proof) != root
        assert root_of_inclusion(LEAVES[index], index, size, [*proof, EMPTY_ROOT]) != root
        if proof:
            assert root_of_inclusion(LEAVES[index], index, size, proof[:-1]) != root
            assert root_of_inclusion(LEAVES[index], index, size, [EMPTY_ROOT, *proof[1:]]) != root
        assert root_of_inclusion(LEAVES[index], size, size, proof) is None


@given(size=st.integers(1, 600), data=st.data())
def test_every_leaf_of_a_tree_can_be_proven(size: int, data: st.DataObject) -> None:
    tree = tree_of(size)
    index = data.draw(st.integers(0, size - 1))
    under = data.draw(st.integers(index + 1, size))
    proof = inclusion_proof(tree, index, under)
    assert root_of_inclusion(LEAVES[index], index, under, proof) == tree_root(LEAVES[:under])
    assert tree.leaf(index) == LEAVES[index]


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 4)])
def test_what_is_not_under_a_root_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="not under"):
        inclusion_proof(tree_of(3), index, size)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="frontier"):
        Frontier(3, [EMPTY_ROOT])
    with pytest.raises(ValueError, match="blocks"):
        BlockTree(257, [EMPTY_ROOT], lambda _: b"")
    assert split_leaves(b"a" * 70) == [b"a" * 32, b"a" * 32, b"a" * 6]
    assert tree_root([]) == Frontier().root() == EMPTY_ROOT
