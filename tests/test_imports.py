"""Imports: the rules that only a running program can prove (the others: lint-imports)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import audit_tui
from audit_tui.cli.main import COMMANDS
from audit_tui.core.columns import NAME_COLUMNS
from audit_tui.core.export import Format
from tests.cli.running import make_store

PACKAGE = Path(audit_tui.__file__).parent
SCREEN = ("textual", "rich")
HEAVY = (*SCREEN, "asyncio", "cryptography", "multiprocessing")
THIRD_PARTY = (*HEAVY, "click", "platformdirs", "sqlite3")

RUN = """
import json, sys
from audit_tui.cli.main import main
for line in json.loads(sys.argv[1]):
    sys.argv = ["audit-tui", *line]
    try:
        main()
    except SystemExit as error:
        assert not error.code, (line, error.code)
sys.stderr.write("\\n" + json.dumps(sorted(sys.modules)))
"""
IMPORT = """
import json, sys
from importlib import import_module
for name in sys.argv[1:]:
    import_module(name)
sys.stderr.write(json.dumps(sorted(sys.modules)))
"""


def imported_by(code: str, *arguments: str) -> set[str]:
    """The top-level packages that are imported when this code has run in a new interpreter."""
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr

    return {name.partition(".")[0] for name in json.loads(ended.stderr.splitlines()[-1])}


def modules_of(*folders: str) -> list[str]:
    """The names of all modules in these folders, or single files, of the package."""
    paths = [path for folder in folders for path in sorted(PACKAGE.glob(folder))]
    names = [path.relative_to(PACKAGE.parent).with_suffix("").as_posix().replace("/", ".") for path in paths]
    assert names, folders
    return [name.removesuffix(".__init__") for name in names]


def test_a_command_without_a_screen_starts_without_what_the_screen_needs(tmp_path: Path) -> None:
    store = ("-s", str(make_store(tmp_path / "audit.db")))
    lines: list[tuple[str, ...]] = [
        ("--help",),
        ("--version",),
        *((name, "--help") for name in COMMANDS),
        ("config", "show"),
        ("config", "path"),
        ("info", *store),
        ("count", *store, "--filter", "user=alice@acme.io", "--tz", "Europe/Berlin"),
        *(("query", *store, "--format", form.value) for form in Format),
        *(("facets", field.value, *store) for field in NAME_COLUMNS),
        ("histogram", *store),
    ]
    assert imported_by(RUN, json.dumps(lines)).isdisjoint(HEAVY)


def test_nothing_but_the_screen_imports_textual() -> None:
    headless = modules_of("*.py", "cli/*.py", "core/*.py", "demo/**/*.py", "formats/**/*.py", "store/**/*.py")
    headless.remove("audit_tui.__main__")
    assert imported_by(IMPORT, *headless).isdisjoint(SCREEN)


def test_the_core_is_standard_library_only() -> None:
    assert imported_by(IMPORT, "audit_tui.errors", *modules_of("core/*.py")).isdisjoint(THIRD_PARTY)


def test_the_screen_needs_no_store() -> None:
    imported = imported_by(IMPORT, *modules_of("ui/**/*.py"))
    assert "textual" in imported
    assert imported.isdisjoint({"click"})


def test_the_public_module_imports_nothing_heavy() -> None:
    assert imported_by(IMPORT, "audit_tui").isdisjoint(THIRD_PARTY)


def test_no_folder_has_more_files_than_one_looks_through() -> None:
    counts: dict[Path, int] = {}
    for path in PACKAGE.rglob("*"):
        if path.is_file() and path.parent.name != "__pycache__":
            counts[path.parent] = counts.get(path.parent, 0) + 1
    assert {folder: count for folder, count in counts.items() if count > 25} == {}
