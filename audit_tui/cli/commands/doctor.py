"""``audit-tui doctor``: what is wrong, or good to know, about the store, the machine and the settings."""

from __future__ import annotations

import codecs
import json
import locale
import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import click

from audit_tui import __version__
from audit_tui.cli.source import StoreName, store_path
from audit_tui.config import (
    SETTINGS,
    STORE_VARIABLE,
    Loaded,
    Settings,
    config_path,
    default_store_path,
    keys_directory,
)
from audit_tui.core.finding import Finding, Level
from audit_tui.core.source import source_of
from audit_tui.core.text import clean_visible, counted
from audit_tui.errors import EXIT_OK, EXIT_UNREADABLE, EXIT_WRONG, AuditTuiError, StoreError, StoreMissing

SMALLEST_CELLS = 40
_MARKS = {Level.OK: "ok", Level.NOTE: "note", Level.WRONG: "WRONG"}


@click.command("doctor")
@click.option(
    "-s",
    "--store",
    metavar="PATH",
    type=StoreName(),
    help="The store. Else AUDIT_TUI_STORE, else audit.db in the data directory.",
)
@click.option("--json", "is_json", is_flag=True, help="As one JSON object.")
def doctor_command(store: Path | None, *, is_json: bool) -> int:
    """Look for what is wrong with the store, the machine and the settings.

    Each finding comes with what to do about it. Nothing is written. Exits with 0 when all is well, 1 when
    something is to be mended, 3 when the store cannot be read.
    """
    # Settings that cannot be used are a finding here, and must not end the run.
    settings, noted = _settings_findings()
    path = store_path(store or settings.store or default_store_path(), click.get_current_context())
    findings = [*_program_findings(), *noted, *_terminal_findings(os.environ)]
    is_readable = True
    try:
        findings += _store_findings(path)
    except StoreMissing as error:
        is_readable = store is None and settings.store is None
        level = Level.NOTE if is_readable else Level.WRONG
        findings.append(Finding("store", level, error.message, error.hint))
    except StoreError as error:
        is_readable = False
        findings.append(Finding("store", Level.WRONG, error.message, error.hint))
    click.echo(_json(findings) if is_json else _text(findings))
    if not is_readable:
        return EXIT_UNREADABLE
    return EXIT_WRONG if any(finding.level is Level.WRONG for finding in findings) else EXIT_OK


def _json(findings: list[Finding]) -> str:
    rows = [
        {
            "topic": finding.topic,
            "level": finding.level.value,
            "message": finding.message,
            "fix": finding.fix or None,
        }
        for finding in findings
    ]
    return json.dumps({"findings": rows}, indent=2)


def _text(findings: list[Finding]) -> str:
    lines = []
    for finding in findings:
        lines.append(f"{_MARKS[finding.level]:<5}  {finding.topic:<11}  {clean_visible(finding.message)}")
        lines += [f"{'':20}{clean_visible(line)}" for line in finding.fix.split("\n") if line]
    wrong = sum(finding.level is Level.WRONG for finding in findings)
    lines.append(f"{counted(wrong, 'thing')} to mend." if wrong else "Nothing to mend.")
    return "\n".join(lines)


def _program_findings() -> Iterator[Finding]:
    from importlib.metadata import PackageNotFoundError, version

    from audit_tui.store.read.diagnosing import sqlite_finding

    try:
        textual = f"Textual {version('textual')}"
    except PackageNotFoundError:
        textual = "without Textual: no screen"
    words = f"audit-tui {__version__}, Python {platform.python_version()}, {textual}, {platform.system()}."
    yield Finding("program", Level.OK, words)
    yield sqlite_finding()


def _store_findings(path: Path) -> Iterator[Finding]:
    from audit_tui.store.read import diagnosing

    # Not Path.resolve, which raises RuntimeError for links in a circle.
    place = Path(os.path.realpath(path))
    yield from diagnosing.place_findings(place)
    if place.is_file():
        yield from diagnosing.permission_findings(place)
    yield from diagnosing.store_findings(path)


def _settings_findings() -> tuple[Settings, list[Finding]]:
    """The settings in force, and what is to be said of them, their file and the keys beside it."""
    from audit_tui.cli.commands.config_ import settings_and_problems
    from audit_tui.store.read.diagnosing import private_finding

    path = config_path()
    findings = []
    try:
        loaded, problems = settings_and_problems()
    except AuditTuiError as error:
        findings.append(Finding("settings", Level.WRONG, error.message, error.hint))
        store = os.environ.get(STORE_VARIABLE)
        return Settings(store=source_of(store) if store else None), findings
    findings += [Finding("settings", Level.WRONG, finding.message, finding.hint) for finding in problems]
    findings += [Finding("settings", Level.OK, words) for words in _in_force(loaded)]
    if not findings:
        findings.append(Finding("settings", Level.OK, "All are the program's own."))
    # There being no file is usual.
    with suppress(OSError):
        mode = private_finding("settings", path)
        if path.stat().st_mode & 0o002:
            findings.append(mode)
    with suppress(OSError):
        keys = sorted(keys_directory().glob("*.key"))
        findings += [private_finding("key", key, is_secret=True) for key in keys]
    return loaded.settings, findings


def _in_force(loaded: Loaded) -> Iterator[str]:
    for setting in SETTINGS:
        if origin := loaded.origins.get(setting.name):
            yield f"{setting.name} is {getattr(loaded.settings, setting.attribute)}, from {origin}."
    chosen = len(loaded.settings.keys)
    if chosen:
        yield f"{counted(chosen, 'key')} of your own."


def _terminal_findings(environment: Mapping[str, str]) -> Iterator[Finding]:
    from audit_tui.ui.terminal.clipboard import Clipboard

    term = environment.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        fix = "The commands work all the same: audit-tui query, count, export."
        yield Finding("terminal", Level.NOTE, f"TERM={term}: no screen can be shown there.", fix)
    else:
        yield Finding("terminal", Level.OK, f"TERM={term}, {_colours(term, environment)}.")
    columns, rows = shutil.get_terminal_size()
    if columns < SMALLEST_CELLS:
        words = f"It is {columns} cells wide: {SMALLEST_CELLS} are needed to read anything."
        yield Finding("terminal", Level.NOTE, words, "Make the window wider.")
    else:
        yield Finding("terminal", Level.OK, f"{columns} by {rows} cells.")
    # What the locale says: Python itself takes UTF-8 in the C locale too.
    encoding = locale.getencoding()
    if codecs.lookup(encoding).name == "utf-8":
        yield Finding("locale", Level.OK, "UTF-8.")
    else:
        words = f"The locale's encoding is {encoding}: letters beyond it cannot be shown."
        yield Finding("locale", Level.NOTE, words, "export LC_ALL=C.UTF-8")
    yield from Clipboard(lambda _: None, Path(), environment).tmux_findings()


def _colours(term: str, environment: Mapping[str, str]) -> str:
    if "NO_COLOR" in environment:
        return "no colours (NO_COLOR is set)"
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "16 million colours"
    return "256 colours" if "256color" in term else "16 colours"
