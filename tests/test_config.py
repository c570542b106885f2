"""The settings: which source wins, what is refused and with which place."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_tui.config import (
    SETTINGS,
    Origin,
    Settings,
    Source,
    config_path,
    data_directory,
    default_store_path,
    examine,
    load,
)
from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import MetaField
from audit_tui.errors import ConfigError, FileError

EVERYTHING = """\
store = "~/logs/audit.db"
zone = "Europe/Berlin"
first-weekday = "Sunday"
theme = "nord"
keymap = "arrows"
columns = ["date", "event", "user"]
date-format = "%d.%m.%Y %H:%M"
mouse = false
deadline = 2.5

[keys]
filter = "F"
"go-to-end" = ["G", "ctrl+end"]
quit = []
"""


@pytest.fixture
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.toml"
    monkeypatch.setenv("AUDIT_TUI_CONFIG", str(path))
    return path


def test_without_a_file_everything_is_the_default() -> None:
    loaded = load()
    assert loaded.settings == Settings()
    assert loaded.origin("zone") == Origin(Source.DEFAULT)
    assert str(loaded.origin("zone")) == "default"


def test_a_file_sets_everything(config_file: Path) -> None:
    config_file.write_text(EVERYTHING)
    assert load().settings == Settings(
        store=Path("~/logs/audit.db").expanduser(),
        zone="Europe/Berlin",
        first_weekday=6,
        theme="nord",
        keymap="arrows",
        keys={"filter": ("F",), "go-to-end": ("G", "ctrl+end"), "quit": ()},
        columns=(Column.TIME, Column.EVENT, Column.USER),
        date_format="%d.%m.%Y %H:%M",
        mouse=False,
        deadline=2.5,
    )


def test_each_origin_names_its_line(config_file: Path) -> None:
    config_file.write_text(EVERYTHING)
    loaded = load()
    lines = {name: str(loaded.origin(name)).rpartition(" ")[2] for name in ("store", "mouse", "keys.quit")}
    assert lines == {"store": "1", "mouse": "8", "keys.quit": "14"}
    assert str(loaded.origin("keys.go-to-end")) == f"{config_file}, line 13"


def test_the_environment_wins_over_the_file(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_file.write_text('zone = "Europe/Berlin"\nmouse = true\n')
    monkeypatch.setenv("AUDIT_TUI_ZONE", "Asia/Tokyo")
    loaded = load()
    assert loaded.settings.zone == "Asia/Tokyo"
    assert loaded.origin("zone") == Origin(Source.ENVIRONMENT, "AUDIT_TUI_ZONE")
    assert loaded.origin("mouse").source is Source.FILE


@pytest.mark.parametrize(
    ("variable", "text", "attribute", "value"),
    [
        ("AUDIT_TUI_STORE", "/srv/a b?.db", "store", Path("/srv/a b?.db")),
        ("AUDIT_TUI_ZONE", "utc", "zone", "utc"),
        ("AUDIT_TUI_FIRST_WEEKDAY", "saturday", "first_weekday", 5),
        ("AUDIT_TUI_COLUMNS", "event, date", "columns", (Column.EVENT, Column.TIME)),
        ("AUDIT_TUI_COLUMNS", "ip,meta.Role ID", "columns", (Column.SOURCE_IP, MetaField("Role ID"))),
        ("AUDIT_TUI_MOUSE", "off", "mouse", False),
        ("AUDIT_TUI_MOUSE", "1", "mouse", True),
        ("AUDIT_TUI_MOUSE", "", "mouse", True),
    ],
)
def test_a_variable_is_read_as_its_setting(variable: str, text: str, attribute: str, value: object) -> None:
    loaded, problems = examine({variable: text})
    assert (getattr(loaded.settings, attribute), problems) == (value, ())


def test_every_setting_has_a_variable_and_a_field() -> None:
    for setting in SETTINGS:
        assert setting.variable == "AUDIT_TUI_" + setting.attribute.upper()
        assert setting.name == setting.attribute.replace("_", "-")
        assert hasattr(Settings(), setting.attribute)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('\nzone = "Europe/Berln"', "line 2: zone names no time zone: Europe/Berln.", "Europe/Berlin"),
        ("zone = 3", "line 1: zone must be text in quotes, not 3.", ""),
        ('zone = " "', "line 1: zone is empty.", ""),
        ('first_weekday = "monday"', "line 1: there is no setting 'first_weekday'.", "first-weekday?"),
        ('# it\n"first-weekday" = "mnday"', "line 2: first-weekday must be a day of the week", "monday?"),
        ("first-weekday = 1", "line 1: first-weekday must be text in quotes", ""),
        ("columns = []", "line 1: columns must be a list of columns", ""),
        ('columns = ["event", "when"]', "line 1: columns names an unknown column 'when'", "time"),
        ('columns = ["event", "event"]', "line 1: columns names a column twice.", ""),
        ('mouse = "maybe"', "line 1: mouse must be true or false, not 'maybe'.", ""),
        ('date-format = "%"', "line 1: date-format must be a strftime format", ""),
        ('date-format = "YYYY"', "line 1: date-format must be a strftime format", ""),
        ('theme = "a\\u001b[31m"', "line 1: theme holds a character that cannot be printed.", ""),
        ("pink = 1", "line 1: there is no setting 'pink'.", "Settings are store, zone"),
        ("keys = 3", "line 1: keys must be a table.", "[keys]"),
        ('zone = "UTC"\n\n[keys]\nfilter = 3', "line 4: keys.filter must be a key", ""),
        ("zone = UTC", "line 1: not TOML", "quotes"),
        ('zone = "UTC"\nzone = "UTC"', "line 2: not TOML", ""),
        ('a = """\n\n', "line 3: not TOML", ""),
    ],
)
def test_what_cannot_be_used_is_told_with_its_line(
    config_file: Path, text: str, message: str, hint: str
) -> None:
    config_file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load()
    assert caught.value.message.startswith(f"{config_file}, {message.removesuffix('.')}")
    assert hint in caught.value.hint


def test_a_variable_that_cannot_be_used_is_told_by_its_name() -> None:
    with pytest.raises(ConfigError, match=r"^AUDIT_TUI_ZONE: zone names no time zone: Nowhere\."):
        load({"AUDIT_TUI_ZONE": "Nowhere"})


def test_all_problems_are_found_and_the_rest_is_used(config_file: Path) -> None:
    config_file.write_text('zone = "X/Y"\nmouse = false\ncolumns = 1\n[keys]\na = 1\nb = "b"\n')
    loaded, problems = examine()
    assert [problem.message.rpartition("line ")[2][:1] for problem in problems] == ["1", "3", "5"]
    assert (loaded.settings.mouse, loaded.settings.keys) == (False, {"b": ("b",)})
    with pytest.raises(ConfigError, match="2 more problems: audit-tui config validate shows all"):
        load()


def test_a_key_of_a_table_is_not_taken_for_one_outside(config_file: Path) -> None:
    config_file.write_text('[keys]\nzone = "z"\n')
    loaded, problems = examine()
    assert (loaded.settings.zone, loaded.settings.keys, problems) == (None, {"zone": ("z",)}, ())


def test_a_named_file_must_be_there(config_file: Path) -> None:
    with pytest.raises(FileError, match="no file at"):
        load()
    config_file.mkdir()
    with pytest.raises(FileError, match="is not a file"):
        load()


def test_a_file_that_is_no_text_is_refused(config_file: Path) -> None:
    config_file.write_bytes(b'zone = "UTC"\n\xff\n')
    with pytest.raises(ConfigError, match="line 2: not UTF-8 text"):
        load()
    config_file.write_bytes(b"#" * 1_000_001)
    with pytest.raises(FileError, match="too large"):
        load()


def test_a_byte_order_mark_and_other_line_ends_are_taken(config_file: Path) -> None:
    config_file.write_bytes(b'\xef\xbb\xbf# mine\r\nzone = "UTC"\r\n')
    assert str(load().origin("zone")).endswith("line 2")


def test_the_places_are_the_platforms_own(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert config_path() == home / "config" / "audit-tui" / "config.toml"
    assert default_store_path() == home / "data" / "audit-tui" / "audit.db"
    assert data_directory() == home / "data" / "audit-tui"
    assert not home.exists()
