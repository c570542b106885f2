"""Passwords, keys and tokens that stand in events by accident: finding them, and what to do about them.

A text is looked at in two steps: a few substrings decide in 1 to 2 µs whether any pattern can match, and
only then the patterns run (all of them on every text would take 100 µs an event). What is found is a
guess by its form: a pattern here is one that hardly anything else matches.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.event import AuditEvent

SHOWN_CHARS = 4
"""Of a masked secret so many last characters stay, so that its owner can tell which one it is."""
MIN_CHARS_TO_SHOW = 12
"""Of a shorter one nothing stays."""
HASH_HEX = 16
MAX_DEPTH = 60
"""Metadata nested deeper is left alone; what an import takes is not."""


class SecretAction(StrEnum):
    """What an import does with a secret."""

    KEEP = "keep"
    """Store it as it is."""
    MASK = "mask"
    """Store its last characters only."""
    REDACT = "redact"
    """Store only that there was one."""
    HASH = "hash"
    """Store its HMAC-SHA-256: the same secret can be found again by whoever has the key."""


class SecretKind(StrEnum):
    """What a secret seems to be, as it is named to people."""

    AWS_KEY = "AWS access key"
    BEARER = "bearer token"
    CARD = "card number"
    GITHUB = "GitHub token"
    JWT = "JSON web token"
    PASSWORD = "password"  # noqa: S105 - its name
    PRIVATE_KEY = "private key"
    SLACK = "Slack token"
    URL = "password in an address"


class Found(NamedTuple):
    """A secret in a text: ``text[start:end]``."""

    start: int
    end: int
    kind: SecretKind


class _Pattern(NamedTuple):
    kind: SecretKind
    hints: tuple[str, ...]
    """Lower-case texts of which one is there wherever the pattern matches."""
    expression: str
    """Its group ``secret`` is what to hide."""


def _pattern(kind: SecretKind, hints: str, expression: str) -> _Pattern:
    return _Pattern(kind, tuple(hints.split()), expression)


_PATTERNS = (
    _pattern(
        SecretKind.PRIVATE_KEY,
        "private",
        r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?P<secret>[^-]{1,8000})(?:-----END|$)",
    ),
    _pattern(
        SecretKind.AWS_KEY, "akia asia", r"(?<![A-Za-z0-9])(?P<secret>A[KS]IA[A-Z0-9]{16})(?![A-Za-z0-9])"
    ),
    _pattern(
        SecretKind.GITHUB,
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"(?<!\w)(?P<secret>gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255})",
    ),
    _pattern(SecretKind.SLACK, "xox", r"(?<!\w)(?P<secret>xox[abeoprs]-[A-Za-z0-9-]{10,250})"),
    _pattern(
        SecretKind.JWT,
        "eyj",
        r"(?<!\w)(?P<secret>eyJ[\w-]{8,4000}\.eyJ[\w-]{8,8000}\.[\w-]{8,2000})",
    ),
    _pattern(
        SecretKind.BEARER,
        "bearer basic",
        r"(?i:\b(?:bearer|basic)[ ]+)(?P<secret>[A-Za-z0-9+/._~-]{16,4000}={0,2})",
    ),
    _pattern(SecretKind.URL, "://", r"://[^\s/:@\"']{1,200}:(?P<secret>[^\s/@\"']{1,200})@"),
    _pattern(
        SecretKind.PASSWORD,
        "passw pwd secret token api_key apikey api-key",
        r"(?i:\b(?:password|passwd|passwort|pwd|secret|client_secret|secret_key|api[_-]?key|auth_token"
        r"|access_token|token))[\"']?\s?[=:]\s?[\"']?(?P<secret>[^\s\"'&,;]{4,400})",
    ),
    _pattern(
        SecretKind.CARD,
        "",
        r"(?<![\w.-])(?P<secret>[2-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{3,4}"
        r"|3[47]\d{2}[ -]?\d{6}[ -]?\d{5})(?![\w.-])",
    ),
)
_compiled = cache(re.compile)
"""When first needed: all of them are 2 ms of every start."""
_HINTS = tuple(dict.fromkeys(hint for pattern in _PATTERNS for hint in pattern.hints))
_MANY_DIGITS = re.compile(r"\d{4}[ -]?\d{4}")
_NAMES = frozenset(
    (
        *("password", "passwd", "pwd", "secret", "secretkey", "clientsecret", "secretaccesskey"),
        *("token", "accesstoken", "refreshtoken", "authtoken", "sessiontoken"),
        *("apikey", "privatekey", "authorization"),
    )
)
"""Names of fields whose whole value is a secret, without case, ``_`` and ``-``."""
_NO_SECRET = re.compile(r"[*x•.]+|hmac-sha256:.*|HIDDEN_.*|\[.*\]|<.*>|null|none|true|false|", re.IGNORECASE)
"""What stands in such fields where somebody hid the secret already."""


def find_secrets(text: str) -> list[Found]:
    """The secrets in a text, in order, none overlapping another."""
    if len(text) < MIN_CHARS_TO_SHOW:
        return []
    lower = text.lower()
    has_hint = any(hint in lower for hint in _HINTS)
    has_digits = _MANY_DIGITS.search(text) is not None
    if not has_hint and not has_digits:
        return []
    found: list[Found] = []
    for kind, hints, expression in _PATTERNS:
        if any(hint in lower for hint in hints) or (not hints and has_digits):
            found += [Found(*match.span("secret"), kind) for match in _compiled(expression).finditer(text)]
    found = [one for one in found if _is_one(one, text[one.start : one.end])]
    return _without_overlaps(found)


def is_secret_name(name: str) -> bool:
    """Whether the whole value of a field of this name is a secret."""
    return name.lower().replace("_", "").replace("-", "") in _NAMES


def mask_secrets(text: str) -> str:
    """The text with its secrets masked: for lists and for what is copied."""
    found = find_secrets(text)
    return _replaced(text, found, masked) if found else text


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
        """The event without its secrets; the same object when it has none.

        Its key stays, so that the same record is known again. An original is replaced as text, and left
        out when it is none.
        """
        if self.action is SecretAction.KEEP:
            return event
        changes: dict[str, Any] = {}
        for name in ("description", "target", "user"):
            before = getattr(event, name)
            if before is not None and (after := self.text(before)) != before:
                changes[name] = after
        metadata = self.value(event.metadata)
        if metadata is not event.metadata:
            changes["metadata"] = metadata
        if event.original is not None:
            text = event.original.decode("utf-8", "surrogateescape")
            after = self.text(text)
            if metadata is not event.metadata and after == text:
                # Hidden by its field's name, which the pattern over the bytes cannot know.
                changes["original"] = None
            elif after != text:
                changes["original"] = after.encode("utf-8", "surrogateescape")
        if not changes:
            return event
        from dataclasses import replace

        return replace(event, **changes)

    def text(self, text: str) -> str:
        """A text without its secrets; the same object when it has none."""
        found = find_secrets(text)
        return _replaced(text, found, self._instead) if found else text

    def value(self, value: Any, name: str = "", depth: int = 0) -> Any:  # noqa: ANN401 - any JSON
        """A JSON value without its secrets; the same object when it has none."""
        if isinstance(value, str):
            if name and is_secret_name(name) and not _NO_SECRET.fullmatch(value):
                return self._instead(value, SecretKind.PASSWORD)
            return self.text(value)
        if isinstance(value, bool) or value is None or depth > MAX_DEPTH:
            return value
        if isinstance(value, int):
            # Card numbers arrive as numbers too.
            text = str(value) if 10**12 < value < 10**19 else ""
            return self.text(text) if find_secrets(text) else value
        if isinstance(value, dict):
            pairs = {key: self.value(inner, key, depth + 1) for key, inner in value.items()}
            return pairs if any(pairs[key] is not inner for key, inner in value.items()) else value
        if isinstance(value, list):
            items = [self.value(inner, name, depth + 1) for inner in value]
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        return value

    def _instead(self, secret: str, kind: SecretKind) -> str:
        if self.action is SecretAction.MASK:
            return masked(secret, kind)
        if self.action is SecretAction.HASH:
            import hmac

            digest = hmac.digest(self.key, secret.encode("utf-8", "backslashreplace"), "sha256")
            return f"[{kind} hmac-sha256:{digest.hex()[:HASH_HEX]}]"
        return f"[{kind} redacted]"


def _is_one(found: Found, secret: str) -> bool:
    if found.kind is SecretKind.CARD:
        return _is_card(secret)
    return not _NO_SECRET.fullmatch(secret)


def _is_card(text: str) -> bool:
    """Whether the digits have a card's length and check digit (ISO/IEC 7812-1, Luhn)."""
    digits = [int(character) for character in text if character.isdigit()]
    if len(digits) not in (15, 16) or len(set(digits)) < 4:
        return False
    doubled = [sum(divmod(digit * 2, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _without_overlaps(found: list[Found]) -> list[Found]:
    kept: list[Found] = []
    for one in sorted(found):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def _replaced(text: str, found: list[Found], instead: Callable[[str, SecretKind], str]) -> str:
    parts, position = [], 0
    for start, end, kind in found:
        parts += [text[position:start], instead(text[start:end], kind)]
        position = end
    return "".join((*parts, text[position:]))
