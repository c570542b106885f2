"""A look at the source from time to time: whether it was replaced, deleted, damaged, or has newer events."""

from __future__ import annotations

from typing import NamedTuple

from audit_tui.core.query import SourceState, Standing

LOOK_S = 1.0


class Notice(NamedTuple):
    """Words about the source."""

    words: str
    short: str = ""
    """The words that stay of them after a while; empty when they can go."""


def notice_of(state: SourceState, newer: int, opening: str, reload: str) -> Notice:
    """Say what a look found."""
    match state.standing:
        case Standing.REPLACED:
            return Notice(f"The store was replaced: {reload} opens the new one.", f"replaced: {reload}")
        case Standing.DELETED:
            return Notice("The store file was deleted; showing the last state.", "file deleted")
        case Standing.DAMAGED:
            return Notice("The store is damaged: showing what can be read.", "damaged")
        case Standing.LOST:
            return Notice("The connection is lost: showing what was read, trying again.", "connection lost")
    if newer:
        words = f"{newer:,} new: {reload} shows them"
        return Notice(words, words)
    # Another store may have been opened since.
    return Notice(opening if state.notice in opening else state.notice)
