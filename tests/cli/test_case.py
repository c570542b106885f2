"""``audit-tui case`` and ``verify --case``: the words of the file, its safety, and what a check finds."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent, Outcome, to_us
from audit_tui.core.investigate.notebook import Notebook
from audit_tui.output.case import read_case
from audit_tui.store.read.reader import open_store
from audit_tui.store.write.writer import StoreWriter
from tests.cli.running import NOW, run
from tests.payloads import PAYLOADS, UNSAFE

if TYPE_CHECKING:
    from pathlib import Path

NOW_US = to_us(NOW)
MARKUP = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</pre></details><script src=//evil></script>",
    "--><script>alert(1)</script><!--",
    "[x](javascript:alert(1)) ![x](//evil/x.png)",
    "javascript:alert(1)",
    "&lt;b&gt; &amp; </style><style>*{display:none}</style>",
    "' onmouseover='alert(1)",
)
ALLOWED = {"http-equiv", "content", "charset", "name", "lang", "class", "role", "xmlns", "fill"}
NUMBERS = {"viewbox", "x", "y", "width", "height", "cx", "cy", "r"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for the user's data."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


def make(folder: Path, texts: tuple[str, ...] = ("Role assigned", "Login"), note: str = "odd") -> str:
    """Make a store with an event of each text, all marked, the first with a note."""
    store = folder / "audit.db"
    events = [
        AuditEvent(
            text,
            NOW_US - 60_000_000 * number,
            category=text,
            user=text,
            description=text,
            target=text,
            source=text,
            source_ip="10.0.0.9",
            outcome=Outcome.FAILURE if number % 2 else Outcome.SUCCESS,
            metadata={text: [text, {"a": text}]},
        )
        for number, text in enumerate(texts, 1)
    ]
    with StoreWriter(store) as writer:
        writer.append(events)
    reader = open_store(store)()
    book = Notebook.of_store(folder / "data" / "audit-tui", reader.info().store_id)
    assert book is not None
    stored = [event for number in range(len(texts)) if (event := reader.event(number + 1)) is not None]
    book.mark(stored)
    book.write_note(stored[0], note)
    reader.close()
    return str(store)


class Page(HTMLParser):
    """Notes what a browser would see of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


@pytest.mark.parametrize("name", ["case.html", "case.md"])
def test_a_case_says_all_and_is_verified(folder: Path, name: str) -> None:
    store = make(folder)
    out = folder / name
    options = ("-s", store, "--title", "Night of the 22nd", "--tz", "Europe/Berlin")
    result = run("case", str(out), "event:Role*", *options)
    assert result.exit_code == 0, result.stderr
    assert "Wrote 2 events" in result.stderr
    text = out.read_text()
    words = Page(text).text if name.endswith("html") else text.replace("\\", "")
    for wanted in (
        "Night of the 22nd",
        "Role assigned",
        "odd",
        "10.0.0.9",
        "audit-tui open av1:",
        "event:Role*",
    ):
        assert wanted in words
    assert "+01:00" in words
    assert out.stat().st_mode & 0o777 == 0o600
    check = run("verify", "--case", str(out), "-s", store)
    assert check.exit_code == 0, check.stdout
    assert "2 events, each as the store has it" in check.stdout


@pytest.mark.parametrize("name", ["case.html", "case.md"])
def test_what_was_changed_in_the_file_is_found(folder: Path, name: str) -> None:
    store = make(folder)
    out = folder / name
    run("case", str(out), "-s", store)
    text = out.read_text()
    for old, new in (("10.0.0.9", "10.0.0.8"), ("odd", "fine"), ("Login", "Logout")):
        assert old in text
        out.write_text(text.replace(old, new, 1))
        check = run("verify", "--case", str(out), "-s", store)
        assert check.exit_code == 1
        assert "is not what the store gives" in check.stdout
    out.write_text(text.replace("audit-tui case 1: ", "audit-tui case 1: AAAA"))
    assert run("verify", "--case", str(out), "-s", store).exit_code == 3


def test_an_event_that_is_gone_or_another_is_named(folder: Path) -> None:
    store = make(folder)
    out = folder / "case.md"
    run("case", str(out), "-s", store)
    other = folder / "other.db"
    with StoreWriter(other) as writer:
        writer.append([AuditEvent("Else", NOW_US)])
    check = run("verify", "--case", str(out), "-s", str(other))
    assert check.exit_code == 1
    assert "Event 1 of the store is another one." in check.stdout
    assert "Event 2 is not in the store." in check.stdout


def test_no_text_of_an_event_becomes_markup(folder: Path) -> None:
    texts = tuple(dict.fromkeys((*MARKUP, *PAYLOADS)))
    texts = tuple(text for text in texts if text.encode("utf-8", "ignore").decode() == text)
    store = make(folder, texts, note=MARKUP[2])
    out = folder / "case.html"
    result = run("case", str(out), "-s", store, "--title", MARKUP[0])
    assert result.exit_code == 0, result.stderr
    text = out.read_text()
    page = Page(text)
    assert "script" not in page.tags
    assert not {"img", "a", "link", "iframe", "object", "form", "base"} & set(page.tags)
    assert page.tags.count("style") == 1
    for name, value in page.attributes:
        assert name in ALLOWED or (name in NUMBERS and set(value) <= set("0123456789. ")), (name, value)
    assert not {value for name, value in page.attributes if name == "class"} - {"failed", "note"}
    assert MARKUP[0] in page.text
    assert "javascript:alert(1)" in page.text
    assert not UNSAFE.search(text.replace("\n", ""))
    assert run("verify", "--case", str(out), "-s", store).exit_code == 0


def test_markdown_shows_texts_as_they_are(folder: Path) -> None:
    store = make(folder, MARKUP, note="# not a heading\n[x](//evil)")
    out = folder / "case.md"
    assert run("case", str(out), "-s", store).exit_code == 0
    lines = [line for line in out.read_text().split("\n") if not line.startswith("    ")]
    body = "\n".join(lines)
    assert "](" not in body.replace("\\](", "").replace("\\]\\(", "")
    assert "<script" not in body.replace("\\<script", "")
    assert sum(line.startswith("# ") for line in lines) == 1


def test_names_are_replaced_and_the_check_knows(folder: Path) -> None:
    store = make(folder, ("alice@acme.io", "bob@acme.io"), note="it was alice@acme.io")
    out = folder / "case.html"
    assert run("case", str(out), "-s", store, "--redact").exit_code == 0
    text = out.read_text()
    assert "alice" not in text
    assert "replaced by pseudonyms" in text
    assert run("verify", "--case", str(out), "-s", store).exit_code == 0


def test_what_cannot_be_written_is_refused(folder: Path) -> None:
    store = folder / "unmarked.db"
    with StoreWriter(store) as writer:
        writer.append([AuditEvent("Login", NOW_US)])
    result = run("case", str(folder / "case.html"), "-s", str(store))
    assert (result.exit_code, "Nothing is marked." in result.stderr) == (2, True)
    assert run("case", str(folder / "case.pdf"), "-s", str(store)).exit_code == 2
    in_the_way = folder / "x.html"
    in_the_way.write_text("mine")
    assert run("case", str(in_the_way), "-s", make(folder, ("Other",))).exit_code != 0
    assert in_the_way.read_text() == "mine"


@pytest.mark.parametrize("data", [b"", b"\xff", b"# x\n", b"\n<!-- audit-tui case 1: AAAA -->\n"])
def test_what_is_not_a_case_is_refused(folder: Path, data: bytes) -> None:
    store = make(folder)
    path = folder / "x.md"
    path.write_bytes(data)
    assert run("verify", "--case", str(path), "-s", store).exit_code == 3


def test_the_data_at_the_end_is_what_it_was_made_of(folder: Path) -> None:
    store = make(folder)
    out = folder / "case.md"
    run("case", str(out), "-s", store)
    case, form = read_case(out.read_text())
    assert form == "md"
    assert [(each.event.seq, each.note) for each in case.exhibits] == [(2, ""), (1, "odd")]
    assert replace(case, title="x") != case
