"""Passwords, keys and tokens that stand in events by accident: what becomes of them.

``secret_finder`` finds them in texts, and tells the fields that hold nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from audit_tui.core.event import EventRow
from audit_tui.core.privacy.secret_finder import (
    Found,
    Secrecy,
    SecretKind,
    find_secrets,
    is_placeholder,
    looks_secret,
    secrecy_of,
)
from audit_tui.core.record import Record

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent

_TEXTS = ("event", "category", "user", "description", "source_ip", "target", "source")
_VALUE_NAMES = frozenset(
    {"old", "new", "value", "text", "data", "current", "previous", "plain", "raw", "before", "after"}
)
"""Names inside an object that say nothing: the object's own name tells what it holds."""
SHOWN_CHARS = 4
"""The last characters of a masked secret that stay, so that its owner can tell which one it is."""
MIN_CHARS_TO_SHOW = 12
"""Of a shorter one nothing stays."""
MIN_CHARS_ANYWHERE = 6
"""A shorter value of a secret field is replaced in that field only."""
HASH_HEX = 16
MAX_DEPTH = 60
"""Metadata nested deeper is left alone; what an import takes is not."""


class SecretAction(StrEnum):
    """The ways in which an import treats a secret."""

    KEEP = "keep"
    """Store it as it is."""
    MASK = "mask"
    """Store its last characters only."""
    REDACT = "redact"
    """Store only that there was one."""
    HASH = "hash"
    """Store its HMAC-SHA-256: the same secret can be found again by whoever has the key."""


def mask_secrets(text: str) -> str:
    """Return the text with its secrets masked: for lists and for what is copied."""
    secrets = find_secrets(text)
    return _replaced(text, secrets, masked) if secrets else text


def mask_row(row: EventRow) -> EventRow:
    """Return what a list shows of an event with the secrets in it masked."""

    def masked_text(text: str | None) -> str | None:
        return None if text is None else mask_secrets(text)

    # Not ``_replace``: the type checker then names this place when a row gets another text.
    return EventRow(
        row.seq,
        row.occurred_us,
        event=mask_secrets(row.event),
        category=masked_text(row.category),
        user=masked_text(row.user),
        description=masked_text(row.description),
        outcome=row.outcome,
        severity=row.severity,
        source_ip=masked_text(row.source_ip),
        target=masked_text(row.target),
        source=masked_text(row.source),
        metadata=tuple((path, mask_secrets(text)) for path, text in row.metadata),
    )


def masked(secret: str, _: SecretKind) -> str:
    """Dots, and the last characters of a long secret."""
    shown = secret[-SHOWN_CHARS:] if len(secret) >= MIN_CHARS_TO_SHOW else ""
    return f"••••{shown}"


class SecretFilter(Record):
    """Does with the secrets of events what was asked for."""

    action: SecretAction
    key: bytes = b""
    """The key of the hashes; it is kept outside the store. Needed for HASH only."""

    def event(self, event: AuditEvent) -> AuditEvent:
        """Return the event without its secrets; the same object when it has none.

        What a field's name tells to be a secret is replaced in its texts as well. An original is replaced as
        text, and left out when that is not enough.
        """
        if self.action is SecretAction.KEEP:
            return event
        changes: dict[str, Any] = {}
        gone: list[str] = []
        metadata = self._json(event.metadata, gone)
        if metadata is not event.metadata:
            changes["metadata"] = self._json_without(metadata, gone)
        for name in _TEXTS:
            before = getattr(event, name)
            if before is not None and (after := self._without(self.text(before), gone)) != before:
                changes[name] = after
        if event.key is not None and find_secrets(event.key):
            # Not masked: of two keys that differ in nothing else, one event would be lost.
            changes["key"] = f"hidden:{hashlib.blake2b(event.key.encode(), digest_size=16).hexdigest()}"
        if event.original is not None:
            text = event.original.decode("utf-8", "surrogateescape")
            after = self._without(self.text(text), gone)
            if any(secret in after or json.dumps(secret)[1:-1] in after for secret in gone):
                changes["original"] = None
            elif after != text:
                changes["original"] = after.encode("utf-8", "surrogateescape")
        if not changes:
            return event
        from dataclasses import replace

        return replace(event, **changes)

    def text(self, text: str) -> str:
        """Return a text without its secrets; the same object when it has none."""
        secrets = find_secrets(text)
        return _replaced(text, secrets, self._instead) if secrets else text

    def value(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        """Return a JSON value without its secrets; the same object when it has none."""
        return self._json(value, [])

    def _json(self, value: Any, gone: list[str], name: str = "", depth: int = 0) -> Any:  # noqa: ANN401
        """The same; what a name told to be a secret is added to ``gone``."""
        if isinstance(value, str):
            if name and _is_secret_of(name, value):
                gone.append(value)
                return self._instead(value, SecretKind.PASSWORD)
            return self.text(value)
        if isinstance(value, bool) or value is None or depth > MAX_DEPTH:
            return value
        if isinstance(value, int):
            return self._number(value, name)
        if isinstance(value, dict):
            pairs: dict[str, Any] = {}
            for key, inner in value.items():
                shown = self.text(key)
                while shown in pairs or (shown is not key and shown in value):
                    # Two secrets that look the same now: no value may be lost.
                    shown += "'"
                of = name if key.lower() in _VALUE_NAMES else key
                pairs[shown] = self._json(inner, gone, of, depth + 1)
            is_same = pairs.keys() == value.keys() and all(pairs[key] is value[key] for key in value)
            return value if is_same else pairs
        if isinstance(value, list):
            items = [self._json(inner, gone, name, depth + 1) for inner in value]
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        return value

    def _number(self, value: int, name: str) -> int | str:
        if not 10**3 <= value < 10**19:
            return value
        text = str(value)
        if name and _is_secret_of(name, text):
            return self._instead(text, SecretKind.PASSWORD)
        # Card numbers arrive as numbers too.
        return self.text(text) if value > 10**12 and find_secrets(text) else value

    def _without(self, text: str, gone: list[str]) -> str:
        for secret in gone:
            if len(secret) >= MIN_CHARS_ANYWHERE and secret in text:
                text = text.replace(secret, self._instead(secret, SecretKind.PASSWORD))
        return text

    def _json_without(self, value: Any, gone: list[str]) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, str):
            return self._without(value, gone)
        if isinstance(value, dict):
            return {key: self._json_without(inner, gone) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._json_without(inner, gone) for inner in value]
        return value

    def _instead(self, secret: str, kind: SecretKind) -> str:
        if self.action is SecretAction.MASK:
            return masked(secret, kind)
        if self.action is SecretAction.HASH:
            import hmac

            digest = hmac.digest(self.key, secret.encode("utf-8", "backslashreplace"), "sha256")
            return f"[{kind} hmac-sha256:{digest.hex()[:HASH_HEX]}]"
        return f"[{kind} redacted]"


def _is_secret_of(name: str, value: str) -> bool:
    secrecy = secrecy_of(name)
    if secrecy is Secrecy.NONE or is_placeholder(value):
        return False
    return secrecy is Secrecy.SURE or looks_secret(name, value)


def _replaced(text: str, secrets: list[Found], instead: Callable[[str, SecretKind], str]) -> str:
    parts, position = [], 0
    for start, end, kind in secrets:
        parts += [text[position:start], instead(text[start:end], kind)]
        position = end
    return "".join((*parts, text[position:]))
