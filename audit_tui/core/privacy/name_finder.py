"""Finding names of people and addresses in texts, in whatever form they stand there.

A user ``zoe.quartz@acme.io`` also stands as ``ZOE.QUARTZ@ACME.IO``, ``zoe.quartz%40acme.io``,
``/home/zoe.quartz``, ``Zoe Quartz``, ``zoe_quartz-laptop`` and in base64. So a name is a sequence of words,
compared without regard to case and to the signs between them, in the text decoded. The time is linear in
the text's length, whatever it holds.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
import unicodedata
from bisect import insort
from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import pairwise
from operator import neg
from typing import NamedTuple
from urllib.parse import unquote

from audit_tui.core.filter.networks import address_of

_NOBODY = frozenset({"system", "root", "unknown", "anonymous", "-", "(none)"})
"""Users that are nobody."""
_ROLES = frozenset(
    ("account", "accounts", "admin", "administrator", "agent", "alert", "alerts", "api", "app",
     "application", "audit", "auth", "automation", "backend", "backup", "billing", "bot", "build", "ci",
     "client", "cloud", "cluster", "config", "console", "contact", "controller", "cron", "daemon", "data",
     "database", "default", "demo", "deploy", "dev", "email", "event", "events", "frontend", "gateway",
     "group", "guest", "health", "help", "host", "info", "it", "job", "jobs", "kube", "kubernetes",
     "local", "localhost", "log", "login", "logs", "mail", "manager", "master", "metrics", "monitor",
     "monitoring", "network", "news", "node", "nobody", "noreply", "notifications", "office", "operator",
     "ops", "oracle", "owner", "pipeline", "policy", "postgres", "postmaster", "prod", "production",
     "proxy", "public", "qa", "reader", "release", "reply", "report", "reports", "robot", "role", "root",
     "runner", "sales", "scheduler", "script", "security", "server", "service", "services", "session",
     "staging", "storage", "support", "svc", "sync", "system", "team", "temp", "test", "tester",
     "testing", "tests", "token", "tool", "unknown", "user", "username", "users", "viewer", "web",
     "webmaster", "worker", "www")
)  # fmt: skip
"""Parts of mail addresses that name a job and not a person; alone in a text they are only words."""
MIN_CHARS = 2
MIN_DIGITS = 3
"""Numbers of fewer digits are names in their column only, not in texts."""
MIN_PERSON_CHARS = 3
MAX_NAMES = 250_000
"""Each takes 0.4 KB. Of further ones only bits are remembered: texts show a pseudonym of their words, which
is that of their column only where a name is one word."""
_FAR_BITS = 1 << 28
"""Of 32 MiB: with 10 million names and parts of names one word in 50,000 is taken for one."""
MIN_PHONE_DIGITS = 9
MIN_PACKED_CHARS = 12
MAX_WORDS = 8
"""A name of more words is found by its first ones."""
_HEAD_CHARS = 64
MAX_GAP_CHARS = 3
"""The most signs between two words of one name."""
_WORD = re.compile(r"[^\W_]+")
_PATH = re.compile(r"[\\/]")
_V4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\d|\.\d)")
_ENTITY = re.compile(
    r"(?P<mail>(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})"
    r"|(?P<mac>(?<![\w:.-])[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}(?![\w:-]))"
    r"|(?P<v6>(?<![\w:.])(?=[0-9a-fA-F.]{0,4}:)[0-9a-fA-F:.]{2,45}(?![\w:]))"
    rf"|(?P<v4>{_V4.pattern})"
    r"|(?P<dashed>(?<![\w-])ip(?:-\d{1,3}){4}(?![\d-]))"
    r"|(?P<phone>(?<![\w+])\+\d[\d ()-]{7,16}\d(?!\w))"
)
_MAYBE_ENTITY = re.compile(r"@|\d\.\d|[0-9a-fA-F:]:[0-9a-fA-F:]|-\d|\+\d|[0-9a-fA-F]{2}-[0-9a-fA-F]{2}")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_MAX_DECODINGS = 3
_PACKED = re.compile(
    r"(?<![\w+/=-])(?:[0-9A-Fa-f]{2}){6,}(?![\w+/=-])|(?<![\w+/-])[\w+/-]{12,}={0,2}(?![\w+/=-])"
)
"""Texts in hexadecimal, as auditd writes names, or in base64, as HTTP and tokens do."""
_IN_IDENTIFIER = frozenset("._-/\\@=:+")


class PartKind(Enum):
    """The kinds of parts that a text has."""

    PLAIN = "plain"
    USER = "user"
    ADDRESS = "address"


class Part(NamedTuple):
    """A part of a text; of a name, the name that it stands for."""

    kind: PartKind
    text: str


def folded(name: str) -> str:
    """A name as names are compared."""
    return unicodedata.normalize("NFC", name.casefold())


def is_name(name: str) -> bool:
    """Tell whether a user is somebody."""
    return bool(name) and name.lower() not in _NOBODY


class _ManyTexts:
    """Tells whether a text was added, in memory that does not grow (Bloom); rarely errs with another."""

    def __init__(self) -> None:
        self._bits = bytearray(_FAR_BITS // 8)
        self.size = 0

    def add(self, text: str) -> None:
        if text not in self:
            self.size += 1
            for place in _places(text):
                self._bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, text: str) -> bool:
        return all(self._bits[place >> 3] >> (place & 7) & 1 for place in _places(text))


def _places(text: str) -> Iterator[int]:
    digest = hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=24).digest()
    return (number % _FAR_BITS for number in struct.unpack("<6I", digest))


class _Beginnings:
    """Names that may begin at any letter: at each place they are asked for by length, not one by one."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        """Of each the name, folded."""
        self.lengths: dict[str, list[int]] = {}
        """By a first letter the lengths of the names or their heads, the longest first; by a head those of
        the names that begin with it. So few lengths are looked at, whatever names there are."""

    def add(self, name: str, key: str) -> None:
        self.names[name] = key
        head = name[:_HEAD_CHARS]
        self._add_length(name[0], len(head))
        if len(name) > _HEAD_CHARS:
            self._add_length(head, len(name))

    def _add_length(self, begin: str, length: int) -> None:
        lengths = self.lengths.setdefault(begin, [])
        if length not in lengths:
            insort(lengths, length, key=neg)

    def at(self, text: str, place: int) -> str | None:
        """Return the longest name that begins at a place; None if none does."""
        for length in self.lengths.get(text[place], ()):
            head = text[place : place + length]
            for longer in self.lengths.get(head, ()) if length == _HEAD_CHARS else ():
                if (name := text[place : place + longer]) in self.names:
                    return name
            if head in self.names:
                return head
        return None


class NameFinder:
    """Knows names, and finds them in texts."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        """Of each sequence of words the name, folded."""
        self._aliases: dict[str, str] = {}
        """The same of parts of names, as zoe.quartz of zoe.quartz@acme.io."""
        self._lengths: dict[str, int] = {}
        """Of each first word a bit for each number of words of a name that begins with it."""
        self._person_words: set[str] = set()
        self._inside = _Beginnings()
        """Names that are not plain words: found also within a word."""
        self._far: _ManyTexts | None = None
        """Of the names behind MAX_NAMES the same sequences, and behind a space the words of persons."""
        self._far_lengths = 0

    @property
    def size(self) -> int:
        """The number of names that are known."""
        return len(self._names) + len(self._inside.names) + (self._far.size if self._far else 0)

    def add(self, name: str) -> bool:
        """Find this name from now on; False when only its words are remembered."""
        key = folded(name)
        is_found = self._add_form(name, key)
        # Texts are decoded before names are looked for in them. White space is nobody's name.
        decoded = _decoded(name)
        if decoded != name and decoded.strip():
            is_found = self._add_form(decoded, key) and is_found
        return is_found

    def _add_form(self, name: str, key: str) -> bool:
        words = _words(name)
        sequence = " ".join(words)
        bare = folded(name)
        is_short = len(bare) < (MIN_DIGITS if bare.isdecimal() else MIN_CHARS)
        if sequence in self._names or is_short:
            return True
        if not _is_plain(name):
            self._inside.add(_same_length_fold(_composed(name)), key)
        if words and len(self._names) >= MAX_NAMES:
            self._add_far(name, sequence)
            return False
        if words:
            self._names[sequence] = key
            self._mark(words)
            for part in _parts_of(name):
                # Of two domains: neither of both, but always the same.
                other = self._aliases.get(part)
                self._aliases[part] = key if other in (None, key) else part
                self._mark(part.split(" "))
            self._person_words.update(_person_words(name))
        return True

    def _add_far(self, name: str, sequence: str) -> None:
        if self._far is None:
            self._far = _ManyTexts()
        for text in (sequence, *_parts_of(name)):
            self._far.add(text)
            self._far_lengths |= 1 << len(text.split(" "))
        for word in _person_words(name):
            self._far.add(f" {word}")

    def has_number(self, number: int) -> bool:
        """Tell whether a number is a name."""
        return abs(number) < 10**18 and (str(number) in self._names or self._is_far(str(number)))

    def _is_far(self, text: str) -> bool:
        return self._far is not None and text in self._far

    def parts(self, text: str, names: Sequence[str] = (), host: str | None = None) -> list[Part] | None:
        """Divide a text where names and addresses stand in it; None when none do.

        Further names, and a host, may be hidden in this text only.
        """
        extra: dict[str, Part] = {}
        if host is not None and " ".join(words := _words(host)) not in {"", *_ROLES, *_NOBODY}:
            extra[" ".join(words)] = Part(PartKind.ADDRESS, host)
        for name in names:
            key = folded(name)
            for form in (name, _decoded(name)):
                for sequence in (" ".join(_words(form)), *_parts_of(form)):
                    extra[sequence] = Part(PartKind.USER, key)
        extra.pop("", None)
        # A name can be what a text is only before it is decoded: %0a.
        for form in dict.fromkeys((_decoded(text), text)):
            parts = list(self._divided(form, extra))
            if any(part.kind is not PartKind.PLAIN for part in parts):
                return parts
        return None

    def _mark(self, words: Sequence[str]) -> None:
        self._lengths[words[0]] = self._lengths.get(words[0], 0) | 1 << len(words)

    def _divided(self, text: str, extra: dict[str, Part]) -> Iterator[Part]:
        """The parts of a text by the addresses in it, then what lies between them by the names."""
        position = 0
        for start, end, part in _entities(text):
            yield from self._unpacked(text[position:start], extra)
            yield part
            position = end
        yield from self._unpacked(text[position:], extra)

    def _unpacked(self, text: str, extra: dict[str, Part]) -> Iterator[Part]:
        """The parts of a text without addresses, in which names may be packed in base64 or hexadecimal."""
        position = 0
        if len(text) >= MIN_PACKED_CHARS:
            for match in _PACKED.finditer(text):
                inner = _unpack(match[0])
                if inner is None or all(part.kind is PartKind.PLAIN for part in self._divided(inner, extra)):
                    continue
                yield from self._named(text[position : match.start()], extra)
                yield Part(PartKind.USER, match[0])
                position = match.end()
        yield from self._named(text[position:], extra)

    def _named(self, text: str, extra: dict[str, Part]) -> Iterator[Part]:
        if not text:
            return
        spans = self._sequences(text, extra)
        if self._inside.names:
            spans = sorted((*spans, *self._within(text)), key=lambda span: (span[0], -span[1]))
        position = 0
        for start, end, part in spans:
            if start < position:
                continue
            if start > position:
                yield Part(PartKind.PLAIN, text[position:start])
            yield part
            position = end
        if position < len(text):
            yield Part(PartKind.PLAIN, text[position:])

    def _sequences(self, text: str, extra: dict[str, Part]) -> list[tuple[int, int, Part]]:
        matches = list(_WORD.finditer(text))
        if text.isascii():
            words = [match[0].lower() for match in matches]
        else:
            words = [folded(match[0]) for match in matches]
        extra_first = {sequence.partition(" ")[0] for sequence in extra}
        spans: list[tuple[int, int, Part]] = []
        place = 0
        while place < len(words):
            word = words[place]
            longest = None
            if self._far_lengths or word in self._lengths or word in extra_first:
                longest = self._longest(matches, words, place, extra)
            is_person = longest is None and (word in self._person_words or self._is_far(f" {word}"))
            if is_person and _stands_for_person(text, matches[place]):
                longest = (1, Part(PartKind.USER, word))
            if longest is None:
                place += 1
                continue
            count, part = longest
            spans.append((matches[place].start(), matches[place + count - 1].end(), part))
            place += count
        return spans

    def _longest(
        self, matches: list[re.Match[str]], words: list[str], place: int, extra: dict[str, Part]
    ) -> tuple[int, Part] | None:
        """The longest name that begins at a word: how many words it has, and what it stands for."""
        most = 1
        while (
            most < MAX_WORDS
            and place + most < len(words)
            and matches[place + most].start() - matches[place + most - 1].end() <= MAX_GAP_CHARS
        ):
            most += 1
        lengths = self._lengths.get(words[place], 0) | self._far_lengths
        for count in range(most, 0, -1):
            sequence = " ".join(words[place : place + count])
            if sequence in extra:
                return count, extra[sequence]
            if lengths >> count & 1:
                name = self._names.get(sequence) or self._aliases.get(sequence)
                if name is None and self._is_far(sequence):
                    name = sequence
                if name is not None:
                    return count, Part(PartKind.USER, name)
        return None

    def _within(self, text: str) -> Iterator[tuple[int, int, Part]]:
        same = _same_length_fold(text)
        for place, character in enumerate(same):
            if character in self._inside.lengths and (name := self._inside.at(same, place)):
                yield place, place + len(name), Part(PartKind.USER, self._inside.names[name])


def _words(name: str) -> list[str]:
    return [folded(word) for word in _WORD.findall(_composed(name))[:MAX_WORDS]]


def _composed(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _is_plain(name: str) -> bool:
    """Tell whether a name is found by its words: not if it has none, many, or some far from each other.

    Nor in scripts whose words are not divided by spaces.
    """
    spans = [match.span() for match in _WORD.finditer(name)]
    if not 0 < len(spans) <= MAX_WORDS or any(unicodedata.category(character) == "Lo" for character in name):
        return False
    return all(after[0] - before[1] <= MAX_GAP_CHARS for before, after in pairwise(spans))


def _same_length_fold(text: str) -> str:
    """A text without regard to case, in which each character keeps its place."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)


def _parts_of(name: str) -> Iterator[str]:
    """The parts of a name that stand for it, as words: before the @, behind the domain or path."""
    local, at, _ = name.partition("@")
    last = _PATH.split(local)[-1]
    for part in {local if at else "", last if last != name else ""} - {""}:
        sequence = " ".join(_words(part))
        is_role = sequence in _ROLES or sequence in _NOBODY
        if len(sequence) >= MIN_PERSON_CHARS and not sequence.isdecimal() and not is_role:
            yield sequence


def _person_words(name: str) -> Iterator[str]:
    """The given and family names in a name like ``zoe.quartz@acme.io`` or ``Zoe Quartz``."""
    local, at, _ = name.partition("@")
    last = _PATH.split(local)[-1]
    words = _words(last)
    if 2 <= len(words) <= 3 and (" " in last or (at and ("." in last or "_" in last))):
        for word in words:
            if len(word) >= MIN_PERSON_CHARS and word.isalpha() and word not in _ROLES:
                yield word


def _stands_for_person(text: str, match: re.Match[str]) -> bool:
    """Tell whether a given or family name alone is one here: "Will", "/home/will", not "will be"."""
    before, after = text[max(match.start() - 1, 0) : match.start()], text[match.end() : match.end() + 2]
    # A full stop or a colon ends a sentence, unless something follows at once.
    ends = after[:1] in _IN_IDENTIFIER and (after[:1] not in ".:" or after[1:].isalnum())
    return match[0][0].isupper() or bool(before and before in _IN_IDENTIFIER) or bool(after and ends)


def _entities(text: str) -> Iterator[tuple[int, int, Part]]:
    if _MAYBE_ENTITY.search(text) is None:
        return
    for match in _ENTITY.finditer(text):
        start, end = match.span()
        if match.lastgroup == "mail":
            yield start, end, Part(PartKind.USER, match[0])
        elif match.lastgroup == "phone":
            if sum(map(str.isdecimal, match[0])) >= MIN_PHONE_DIGITS:
                yield start, end, Part(PartKind.USER, match[0])
            else:
                yield from _v4(text, start, end)
        elif match.lastgroup in ("mac", "dashed"):
            yield start, end, Part(PartKind.ADDRESS, match[0])
        elif match.lastgroup == "v6":
            bare = match[0].rstrip(".") if match[0].endswith("::") else match[0].rstrip(".:")
            if len(bare) > 2 and address_of(bare) is not None:
                yield start, start + len(bare), Part(PartKind.ADDRESS, bare)
            else:
                # An IPv4 address behind a colon, as in "a:10.0.0.1".
                yield from _v4(text, start, end)
        else:
            yield from _v4(text, start, end)


def _v4(text: str, start: int, end: int) -> Iterator[tuple[int, int, Part]]:
    for match in _V4.finditer(text, start, end):
        # 120.0.0.0 is the version of a browser, and the address of nobody.
        if not match[0].endswith(".0.0.0") and address_of(match[0]) is not None:
            yield *match.span(), Part(PartKind.ADDRESS, match[0])


def _decoded(text: str) -> str:
    """A text without percent signs and escapes that could hide a name."""
    text = _composed(text)
    for _ in range(_MAX_DECODINGS):
        before = text
        if "%" in text:
            text = unquote(text, errors="replace")
        if "\\" in text:
            text = _ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), text)
        if text == before:
            break
    return text


def _unpack(text: str) -> str | None:
    """Return what a text is in hexadecimal or base64; None when it is neither, or holds no text."""
    for unpack in (bytes.fromhex, _from_base64):
        try:
            inner = unpack(text).decode("ascii")
        except (ValueError, binascii.Error):
            continue
        if inner.replace("\n", "").replace("\t", "").isprintable():
            return inner
    return None


def _from_base64(text: str) -> bytes:
    bare = text.rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
