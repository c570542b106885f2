from __future__ import annotations

import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from audit_tui.detect import loading
from audit_tui.detect.loading import load_rules, unread_words
from audit_tui.detect.running import Runner, unmapped_words
from audit_tui.errors import FileError, UsageError
from tests.detect.rules import TRAIL, rule_with, write_rules

if TYPE_CHECKING:
    from pathlib import Path

OTHER = TRAIL.replace("11111111-1", "22222222-2").replace("Trail Stopped", "Other")
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(code)}: &{chr(code)} [{', '.join([f'*{chr(code - 1)}'] * 10)}]\n" for code in range(98, 105)
)


def titles(rules: loading.RuleSet) -> list[str]:
    return [rule.info.title for rule in rules.rules]


def test_files_folders_and_archives_are_read_in_the_order_of_names(tmp_path: Path) -> None:
    folder = write_rules(tmp_path / "rules", OTHER, TRAIL)
    (folder / "notes.txt").write_text("no rule")
    assert titles(load_rules([folder])) == ["Other", "Trail Stopped"]
    assert titles(load_rules([folder / "1.yml", folder])) == ["Trail Stopped", "Other"]
    archive = tmp_path / "rules.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("deep/b.yml", TRAIL)
        packed.writestr("deep/a.yaml", OTHER)
        packed.writestr("deep/README.md", "no rule")
    assert titles(load_rules([archive])) == ["Other", "Trail Stopped"]


def test_a_rule_says_who_wrote_it_and_what_is_known_of_it(tmp_path: Path) -> None:
    (rule,) = load_rules([write_rules(tmp_path / "rules", TRAIL)]).rules
    info = rule.info
    assert (info.id, info.title) == ("11111111-1111-4111-8111-111111111111", "Trail Stopped")
    assert (info.level.word, info.author, info.date) == ("high", "Ann Author", "2026-01-02")
    assert (info.false_positives, info.references) == (("Maintenance",), ("https://example.org/trail",))
    assert info.tags == ("attack.t1562.008",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [1, 2", "it is not YAML"),
        (BOMB, "nodes"),
        ("&a [*a]", "Recursive"),
        ("- 1\n- 2", "not a Sigma rule"),
        ("[" * 20_000, "nested too deeply"),
        ("title: only", "log source"),
        (rule_with("s: {user|expand: '%admins%'}\ncondition: s"), "%admins%"),
        (rule_with("s: {user|re: '(?=a)b'}\ncondition: s"), "Regular expression"),
        (rule_with("s: {user: a}\ncondition: t"), "condition"),
        (rule_with("s: {user: a}\ncondition: " + "not (" * 60 + "s" + ")" * 60), "condition"),
        (TRAIL + "x" * loading.MAX_FILE_BYTES, "larger than 1 MiB"),
    ],
    ids=[
        "unended",
        "bomb",
        "cycle",
        "list",
        "deep",
        "empty",
        "expand",
        "lookahead",
        "condition",
        "nots",
        "large",
    ],
)
def test_what_cannot_be_run_is_named_with_its_reason(tmp_path: Path, text: str, reason: str) -> None:
    rules = load_rules([write_rules(tmp_path / "rules", text, TRAIL)])
    assert titles(rules) == ["Trail Stopped"]
    assert any("0.yml" in entry.name and reason in entry.reason for entry in rules.unread), rules.unread
    assert unread_words(rules.unread)[0].startswith("Not run: ")


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    folder = write_rules(tmp_path / "rules", TRAIL)
    (folder / "bad.yml").write_bytes(b"title: \xff\xfe")
    rules = load_rules([folder])
    assert [entry.reason for entry in rules.unread] == ["it is not UTF-8 text"]


def test_the_same_rule_twice_is_one_and_another_with_its_id_is_named(tmp_path: Path) -> None:
    changed = TRAIL.replace("StopLogging", "StartLogging")
    rules = load_rules([write_rules(tmp_path / "rules", TRAIL, TRAIL, changed)])
    assert titles(rules) == ["Trail Stopped"]
    assert len(rules.unread) == 1
    assert "its id is that of a rule in" in rules.unread[0].reason


def test_many_that_are_not_run_are_counted(tmp_path: Path) -> None:
    rules = load_rules([write_rules(tmp_path / "rules", *["title: only"] * 14)])
    words = unread_words(rules.unread)
    assert len(words) == 11
    assert "more" in words[-1]


def test_parsed_rules_come_from_the_cache_without_pysigma(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, cache = write_rules(tmp_path / "rules", TRAIL, "title: only"), tmp_path / "cache" / "rules.db"
    first = load_rules([folder], cache)
    monkeypatch.setitem(sys.modules, "sigma.collection", None)
    assert load_rules([folder], cache) == first
    with pytest.raises(UsageError, match="pySigma, which is not installed"):
        load_rules([write_rules(folder, TRAIL + "\n# changed")], cache)


def test_a_damaged_cache_is_only_slower(tmp_path: Path) -> None:
    folder, cache = write_rules(tmp_path / "rules", TRAIL), tmp_path / "rules.db"
    first = load_rules([folder], cache)
    cache.write_bytes(b"not a database" * 100)
    assert load_rules([folder], cache) == first


def test_rules_of_logs_that_are_not_imported_are_counted(tmp_path: Path) -> None:
    duo = rule_with("s: {a: b}\ncondition: s", logsource="{product: cisco, service: duo}")
    runner = Runner(load_rules([write_rules(tmp_path / "rules", TRAIL, duo)]).rules)
    assert [rule.info.title for rule in runner.rules] == ["Trail Stopped"]
    assert unmapped_words(runner.unmapped) == "Not run: 1 rule of logs that are not imported: cisco/duo 1."


def test_no_rules_and_no_path_say_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no rules"):
        load_rules([write_rules(tmp_path / "rules")])
    with pytest.raises(FileError, match=r"rules cannot be read.*gone"):
        load_rules([tmp_path / "gone"])
