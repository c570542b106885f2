"""Names and addresses replaced by pseudonyms, for showing a screen or handing on an export.

A pseudonym is made from the name with a key that stays on this machine: the same name has the same
pseudonym everywhere and at any time, and nobody without the key can try names against it.
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_tui.core.event import AuditEvent, EventRow

CODE_CHARS = 6
"""Of 32 letters and digits: with 2,000 users the chance that two share a pseudonym is 1 in 500."""
MAX_REMEMBERED = 100_000
_NO_NAMES = frozenset({"system", "root", "unknown", "anonymous", "-", "(none)"})
"""Users that are nobody."""
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_V4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\w)")
_V6 = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])")
_WORD = re.compile(r"[^\s\"'(),;<>=\[\]{}|/]+")
_AROUND = ".:!?"


class Pseudonyms:
    """Gives names and addresses their pseudonyms, and knows which name each stands for.

    Args:
        key: At least 16 bytes, kept on this machine.
        users: Names that are replaced wherever they stand as a word of a text.
    """

    def __init__(self, key: bytes, users: Iterable[str] = ()) -> None:
        self._key = key
        self._users = frozenset(user for user in users if _is_name(user))
        self._codes: dict[tuple[str, str], str] = {}
        self._names: dict[str, str] = {}

    def user(self, name: str | None) -> str | None:
        """The pseudonym of a user, ``user-k3f9aq``; what is nobody's name stays."""
        return name if name is None or not _is_name(name) else self._code("user", name)

    def address(self, address: str | None) -> str | None:
        """The pseudonym of an address or a host, ``ip-k3f9aq``."""
        return None if address is None else self._code("ip", address)

    def real(self, text: str | None) -> str | None:
        """The name that a pseudonym stands for, if it is known here; any other text as it is."""
        if text is None:
            return None
        if text not in self._names and text.startswith("user-"):
            # Of another run, with the same key.
            for user in self._users:
                self._code("user", user)
        return self._names.get(text, text)

    def text(self, text: str | None, names: Iterable[str] = ()) -> str | None:
        """A text in which mail addresses, network addresses and known names are replaced.

        Args:
            text: Any text; None stays.
            names: Further names of users to replace.
        """
        if not text:
            return text
        for name in names:
            if len(name) > 1 and _is_name(name):
                text = re.sub(
                    rf"(?<!\w){re.escape(name)}(?!\w)", lambda found: self._code("user", found[0]), text
                )
        text = _MAIL.sub(lambda found: self._code("user", found[0]), text)
        if "." in text:
            text = _V4.sub(lambda found: self._code("ip", found[0]), text)
        if "::" in text or text.count(":") > 3:
            text = _V6.sub(lambda found: self._code("ip", found[0]), text)
        return _WORD.sub(self._word, text) if self._users else text

    def row(self, row: EventRow) -> EventRow:
        """What a list shows of an event, without names."""
        names = () if row.user is None else (row.user,)
        return row._replace(user=self.user(row.user), description=self.text(row.description, names))

    def event(self, event: AuditEvent) -> AuditEvent:
        """An event without names; without its original, which nobody can look through."""
        names = [name for name in (event.user, event.source_ip) if name]
        own = {name: self.address(name) for name in names if name == event.source_ip}

        def said(text: str) -> str:
            return own.get(text) or self.text(text, names[:1]) or text

        return replace(
            event,
            user=self.user(event.user),
            source_ip=self.address(event.source_ip),
            target=None if event.target is None else said(event.target),
            description=None if event.description is None else said(event.description),
            metadata=_mapped(event.metadata, said),
            original=None,
        )

    def _word(self, found: re.Match[str]) -> str:
        word = found[0]
        name = word.strip(_AROUND)
        return word.replace(name, self._code("user", name)) if name in self._users else word

    def _code(self, kind: str, name: str) -> str:
        code = self._codes.get((kind, name))
        if code is None:
            if len(self._codes) >= MAX_REMEMBERED:
                self._codes.clear()
                self._names.clear()
            digest = hmac.digest(self._key, f"{kind}:{name}".encode("utf-8", "backslashreplace"), "sha256")
            code = f"{kind}-{base64.b32encode(digest)[:CODE_CHARS].decode().lower()}"
            self._codes[kind, name] = code
            self._names[code] = name
        return code


def _is_name(name: str) -> bool:
    return bool(name) and name.lower() not in _NO_NAMES and not name.startswith(("user-", "ip-"))


def _mapped(value: Any, said: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return said(value)
    if isinstance(value, dict):
        return {key: _mapped(inner, said) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mapped(inner, said) for inner in value]
    return value
