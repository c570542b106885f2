"""Names and addresses replaced by pseudonyms, for showing a screen or handing on an export.

A pseudonym is made from the name with a key that stays on this machine: the same name has the same
pseudonym everywhere and at any time, and nobody without the key can try names against it. Case does not
matter: ``Alice`` and ``alice`` are one name. What stands in texts is found by ``core.privacy.name_finder``.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from audit_tui.core.columns import Column
from audit_tui.core.event import EventRow
from audit_tui.core.filter.networks import address_of
from audit_tui.core.privacy.name_finder import NameFinder, Part, PartKind, folded, is_name

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent

CODE_CHARS = 6
"""Of 32 letters and digits: with 2,000 users the chance that two share a pseudonym is 1 in 500."""
MAX_CODED = 50_000
"""Up to this many users can be asked for by their pseudonyms before one was shown."""
MAX_REMEMBERED = 4 * MAX_CODED
"""The most pseudonyms, and the most texts, that are led back to what they stand for."""
MAX_FIELD_CHARS = 40
MAX_CACHED_CHARS = 200
"""Names of fields, and most of their values, come again in every event."""
MAX_VALUE_CHARS = 1_000
"""A longer text is not led back: nobody filters by it."""
_PERSON_FIELDS = frozenset(
    ("firstname", "lastname", "givenname", "familyname", "middlename", "surname", "displayname", "fullname",
     "realname", "nickname", "preferredname", "gecos", "phone", "phonenumber", "mobile", "mobilenumber",
     "telephone", "telephonenumber", "cellphone", "msisdn")
)  # fmt: skip
"""Names of metadata fields whose whole text is a person's, without case and signs."""


class Pseudonyms:
    """Gives names and addresses their pseudonyms, and knows what each stands for.

    The key has at least 16 bytes.
    """

    def __init__(self, key: bytes, users: Iterable[str] = ()) -> None:
        self._key = key
        self._finder = NameFinder()
        self._codes: dict[tuple[str, str], str] = {}
        self._originals: dict[str, dict[str, None]] = {}
        self._texts: dict[str, str] = {}
        """Texts as they are shown, with the names that are known now."""
        self._names_in_texts = 0
        self.learn(users)

    def learn(self, users: Iterable[str]) -> None:
        """Replace these users in texts from now on, the most frequent first."""
        for place, user in enumerate(users):
            if is_name(user):
                self._finder.add(user)
                if place < MAX_CODED:
                    self._coded("user", user)

    def user(self, name: str | None) -> str | None:
        """Return the pseudonym of a user, ``user-k3f9aq``; who is nobody (root, "-") keeps the name."""
        return name if name is None or not is_name(name) else self._coded("user", name)

    def address(self, address: str | None) -> str | None:
        """Return the pseudonym of an address or a host, ``ip-k3f9aq``."""
        return None if address is None else self._coded("ip", address)

    def value(self, column: Column, value: str | None) -> str | None:
        """Return the value of a column as it is shown."""
        if column is Column.USER:
            return self.user(value)
        if column is Column.SOURCE_IP:
            return self.address(value)
        shown = self.text(value)
        if value is not None and shown is not None and shown != value:
            self._remember(shown, value)
        return shown

    def originals(self, shown: str) -> tuple[str, ...]:
        """Return all that a shown value may stand for: itself when nothing is known of it."""
        return tuple(self._originals.get(shown, ())) or (shown,)

    def text(self, text: str | None, names: Sequence[str] = (), host: str | None = None) -> str | None:
        """Return a text in which mail addresses, network addresses and known names are replaced.

        Further names, and the host, are the event's own.
        """
        if not text:
            return text
        if names or host is not None or len(text) > MAX_CACHED_CHARS:
            return self._replaced(text, names, host)
        if self._names_in_texts != self._finder.size or len(self._texts) >= MAX_REMEMBERED:
            self._texts.clear()
            self._names_in_texts = self._finder.size
        shown = self._texts.get(text)
        if shown is None:
            shown = self._texts[text] = self._replaced(text)
        return shown

    def _replaced(self, text: str, names: Sequence[str] = (), host: str | None = None) -> str:
        parts = self._finder.parts(text, names, host)
        return text if parts is None else "".join(map(self._part, parts))

    def row(self, row: EventRow) -> EventRow:
        """Return what a list shows of an event, without names and without its metadata."""
        replaced = self._replacer(row.user, row.source_ip)
        texts = (row.event, row.category, row.description, row.target, row.source)
        shown = [None if text is None else replaced(text) for text in texts]
        for before, after in zip(texts, shown, strict=True):
            if before is not None and after is not None and before != after:
                self._remember(after, before)
        event, category, description, target, source = shown
        # Not ``_replace``: the type checker then names this place when a row gets another text.
        return EventRow(
            row.seq,
            row.occurred_us,
            event=event or row.event,
            category=category,
            user=self.user(row.user),
            description=description,
            outcome=row.outcome,
            severity=row.severity,
            source_ip=self.address(row.source_ip),
            target=target,
            source=source,
        )

    def event(self, event: AuditEvent) -> AuditEvent:
        """Return an event without names; without its original, which nobody can look through."""
        replaced = self._replacer(event.user, event.source_ip)

        def optional(text: str | None) -> str | None:
            return None if text is None else replaced(text)

        return replace(
            event,
            event=replaced(event.event),
            key=optional(event.key),
            category=optional(event.category),
            user=self.user(event.user),
            source_ip=self.address(event.source_ip),
            target=optional(event.target),
            source=optional(event.source),
            description=optional(event.description),
            metadata=self._object(event.metadata, replaced),
            original=None,
        )

    def _replacer(self, user: str | None, source_ip: str | None) -> Callable[[str], str]:
        """Return what replaces the names in the texts of an event of this user from this address."""
        # The user, if the finder remembers only the words of the name; it finds the name from now on else.
        is_remembered = user is None or not is_name(user) or self._finder.add(user)
        names = () if is_remembered or user is None else (user,)
        address, host = self.address(source_ip), source_ip
        if host is not None and address_of(host) is not None:
            # Addresses are found in any text.
            host = None

        def replaced(text: str) -> str:
            if text == source_ip:
                return address or text
            return self.text(text, names, host) or text

        return replaced

    def _object(self, value: dict[str, Any], replaced: Callable[[str], str]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, inner in value.items():
            name = replaced(key)
            while name in made:
                # Two names of one pseudonym: no value may be lost.
                name += "'"
            if isinstance(inner, str) and inner and len(key) <= MAX_FIELD_CHARS and _is_person_field(key):
                made[name] = self._coded("user", inner)
            else:
                made[name] = self._json(inner, replaced)
        return made

    def _json(self, value: Any, replaced: Callable[[str], str]) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, str):
            return replaced(value)
        if isinstance(value, dict):
            return self._object(value, replaced)
        if isinstance(value, list):
            return [self._json(inner, replaced) for inner in value]
        if isinstance(value, int) and not isinstance(value, bool) and self._finder.has_number(value):
            return self._coded("user", str(value))
        return value

    def _part(self, part: Part) -> str:
        if part.kind is PartKind.PLAIN:
            return part.text
        return self._coded("ip" if part.kind is PartKind.ADDRESS else "user", part.text)

    def _coded(self, kind: str, name: str) -> str:
        code = self._code(kind, name)
        self._remember(code, name)
        return code

    def _code(self, kind: str, name: str) -> str:
        code = self._codes.get((kind, name))
        if code is None:
            if len(self._codes) >= MAX_REMEMBERED:
                self._codes.clear()
            import hmac  # 10 ms that a command without pseudonyms need not wait for

            canonical = _canonical_address(name) if kind == "ip" else folded(name)
            digest = hmac.digest(
                self._key, f"{kind}:{canonical}".encode("utf-8", "backslashreplace"), "sha256"
            )
            code = f"{kind}-{base64.b32encode(digest)[:CODE_CHARS].decode().lower()}"
            self._codes[kind, name] = code
        return code

    def _remember(self, shown: str, original: str) -> None:
        if len(original) > MAX_VALUE_CHARS:
            return
        if len(self._originals) >= MAX_REMEMBERED and shown not in self._originals:
            self._originals.clear()
        self._originals.setdefault(shown, {})[original] = None


def _canonical_address(text: str) -> str:
    """An address without its port and in one spelling; a host in small letters."""
    host = text
    if text.startswith("[") and "]" in text:
        host = text[1 : text.index("]")]
    elif text.count(":") == 1:
        host = text.partition(":")[0]
    address = address_of(host)
    return folded(host) if address is None else str(address)


@lru_cache(maxsize=10_000)
def _is_person_field(name: str) -> bool:
    return "".join(character for character in name.casefold() if character.isalnum()) in _PERSON_FIELDS
