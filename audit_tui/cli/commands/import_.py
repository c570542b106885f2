"""``audit-tui import``: log files into a store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit_tui.cli.options import store_option
from audit_tui.cli.progress import ProgressLine, tell
from audit_tui.cli.redacting import SECRETS, local_key
from audit_tui.cli.session import Ended, session_of
from audit_tui.core.new_file import FileKind, appended_file, database_files, file_identity
from audit_tui.core.privacy.secrets import SecretAction, SecretFilter
from audit_tui.core.source import local_path, source_of
from audit_tui.core.text import clean_visible, counted
from audit_tui.core.time.zones import zone_named
from audit_tui.errors import FileError, StoreError, UsageError
from audit_tui.formats.generic import COLUMNS, FieldMap
from audit_tui.formats.mapping_file import read_mapping
from audit_tui.formats.registry import built_in_names, format_names, plugin_problems
from audit_tui.ingest.encoding import checked_encoding
from audit_tui.ingest.events import Mapped, Reading
from audit_tui.ingest.explanation import explain
from audit_tui.ingest.find import store_files
from audit_tui.ingest.open import NotALog
from audit_tui.ingest.pipeline import (
    Importer,
    InStore,
    NoProgress,
    Nowhere,
    Progress,
    Tally,
    follow_log,
    import_all,
    title_of,
    unknown_format,
)

if TYPE_CHECKING:
    from audit_tui.formats.record import Reject
    from audit_tui.ingest.find import LogFile

_REJECTS = FileKind("a file of rejects", lambda head: head.startswith(b'{"file": '))


def parse_map(options: Sequence[str]) -> FieldMap:
    """Read ``--map COLUMN=FIELD`` options; UsageError if one has no ``=``, or names an unknown column."""
    fields = {}
    for option in options:
        column, equals, name = option.partition("=")
        column = {"date": "time"}.get(column.strip().lower(), column.strip().lower())
        if not equals or not name.strip():
            raise UsageError(f"--map {option!r} has no =.", 'Write it as --map "user=Account Name".')
        if column not in COLUMNS:
            raise UsageError(
                f"--map names an unknown column {column!r}.", f"Columns are {', '.join(COLUMNS)}."
            )
        fields[column] = name.strip()
    return FieldMap(fields)


def _known_format(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The name of a format as it is called: one of ours, or another package's, looked for only when asked."""
    name = None if value is None else value.strip().lower()
    if name is None or name in built_in_names() or name in format_names():
        return name
    raise click.BadParameter(
        f"There is no format {value!r}. Formats are {', '.join(format_names())}.", context, parameter
    )


@contextmanager
def _rejects_file(path: Path | None, store: Path) -> Iterator[Callable[[Reject], None]]:
    """Keep rejects as JSON lines at the end of a file, which only its owner may read."""
    if path is None:
        yield lambda _: None
        return
    with appended_file(path, _REJECTS, database_files(store)) as stream:

        def keep(reject: Reject) -> None:
            # ASCII, so that bytes which are not text are kept as escapes.
            line = {"file": reject.file, "line": reject.line, "record": reject.number}
            try:
                stream.write(json.dumps({**line, "reason": reject.reason, "text": reject.text}) + "\n")
            except OSError as error:
                raise FileError(f"{path} cannot be written: {error.strerror}.", "Make room for it.") from None

        yield keep


def _explain(mapped: Mapped, table: str | None, to_stderr: bool) -> None:
    where = f"{mapped.format.title}, line" if table is None else f"Table {clean_visible(table)}, row"
    lines = [f"{where} {mapped.record.line:,}:"]
    for column, value, origin in explain(mapped.event, mapped.record.fields):
        line = f"{column:<12} {value}" + (f"  (from {origin})" if origin else "")
        lines.append(f"  {clean_visible(line)}")
    click.echo("\n".join(lines) + "\n", err=to_stderr)


def _followed_words(path: str, tally: Tally) -> str:
    rejected = f", {tally.rejected:,} rejected" if tally.rejected else ""
    return f"Following {path}: {tally.stored:,} stored{rejected}. Ctrl+C ends it."


@contextmanager
def _progress(logs: Sequence[LogFile]) -> Iterator[NoProgress]:
    with ProgressLine() as line:

        class Shown(Progress):
            def at(self, position_bytes: int) -> None:
                super().at(position_bytes)
                if self.log is not None and line.is_due:
                    done = min(1.0, self.done_bytes / (self.total_bytes or 1))
                    line.say(f"Reading {self.log.name[-40:]}, {done:.0%}")

        yield Shown(logs)


def _summary(tally: Tally, store: Path, names: Sequence[str]) -> list[str]:
    """Say what was read and stored; of nothing at all only that there is nothing."""
    if not tally.read and not tally.was_interrupted:
        is_said = bool(tally.problems or tally.skipped)
        return [] if is_said else [f"There is no event in {title_of(names)}."]
    say = [
        f"{counted(tally.read, 'record')} read from {counted(tally.files, 'file')}: "
        f"{tally.stored:,} {'would be stored' if tally.is_dry else 'stored'}, "
        f"{tally.duplicates:,} duplicate, {tally.rejected:,} rejected."
    ]
    if tally.is_dry:
        say.append("Nothing was stored, and duplicates were not looked for.")
    if tally.was_interrupted:
        again = "goes on from there" if tally.was_following else "completes it"
        say.insert(0, f"Interrupted: what was stored stays, and the same command again {again}.")
    elif tally.stored and not tally.is_dry:
        say.append(f"The store is {store}.")
    return say


def _tell(tally: Tally, store: Path, names: Sequence[str]) -> None:
    say = _summary(tally, store, names)
    say.extend(f"{reject.place}: {reject.reason}" for reject in tally.rejects)
    if tally.rejected > len(tally.rejects):
        say.append(
            f"... and {tally.rejected - len(tally.rejects):,} more rejected (--rejects FILE keeps them all)."
        )
    say.extend(tally.notes)
    problems = [*tally.problems, *tally.skipped]
    for problem in problems:
        say.append(problem.message)
        if problem.hint and not isinstance(problem, NotALog):
            say.append(f"  {problem.hint}")
    if any(isinstance(problem, NotALog) for problem in problems):
        # The same for all of them.
        say.extend(unknown_format())
    tell(*say)


@click.command("import")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@store_option
@click.option(
    "--format",
    "format_name",
    metavar="FORMAT",
    callback=_known_format,
    shell_complete=lambda _, __, typed: [name for name in built_in_names() if name.startswith(typed)],
    help=f"What the files are: {', '.join(built_in_names())}. Else their records tell.",
)
@click.option(
    "--map",
    "mapping",
    metavar="COLUMN=FIELD",
    multiple=True,
    help="Fill a column from a field, as a.b inside objects; may be repeated. "
    f"Columns are {', '.join(COLUMNS)}.",
)
@click.option(
    "--mapping",
    "mapping_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Read the records as a TOML file describes them.",
)
@click.option(
    "--tz", "zone_name", metavar="ZONE", help="Of times that name no zone, as Europe/Berlin; else UTC."
)
@click.option(
    "--year",
    type=click.IntRange(1970, 2199),
    metavar="YEAR",
    help="Of times that name no year, as those of syslog.",
)
@click.option("--encoding", metavar="NAME", help="Of the files, as cp1252; else their bytes tell.")
@click.option("--table", metavar="TABLE", help="Import the rows of this table of SQLite databases.")
@click.option("--dry-run", is_flag=True, help="Store nothing; show how the first events are understood.")
@click.option(
    "--rejects",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Add rejected records to FILE, as JSON lines.",
)
@click.option("--keep-original", is_flag=True, help="Keep each record as it was, beside its event.")
@click.option(
    "--secrets",
    type=click.Choice([action.value for action in SecretAction], case_sensitive=False),
    help="What becomes of passwords, keys and tokens: keep them (the default), mask all but their last "
    "characters, redact them, or hash them with a key that stays on this machine.",
)
@click.option("--follow", is_flag=True, help="Go on with what is added to the file, until interrupted.")
@click.option("--no-limit", is_flag=True, help="Unpack compressed files whatever they unpack to.")
@click.option(
    "--no-text-index",
    is_flag=True,
    help="Leave the index of texts out of a new store: a faster import, slower searches.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
@click.pass_context
def import_command(
    context: click.Context,
    paths: tuple[str, ...],
    store: Path,
    format_name: str | None,
    mapping: tuple[str, ...],
    mapping_file: Path | None,
    zone_name: str | None,
    year: int | None,
    encoding: str | None,
    table: str | None,
    dry_run: bool,
    rejects: Path | None,
    keep_original: bool,
    secrets: str | None,
    follow: bool,
    no_limit: bool,
    no_text_index: bool,
    as_json: bool,
) -> None:
    """Import log files, folders, or - (standard input) into a store.

    Compressed files are read as they are. Importing the same again stores nothing new. A record that cannot
    be understood is named with its place, and the rest is stored.
    """
    for path in paths:
        local_path(source_of(path))
    action = SecretAction((secrets or session_of(context).loaded.settings.secrets).lower())
    reading = Reading(
        format_name,
        parse_map(mapping),
        keep_original,
        None if mapping_file is None else read_mapping(mapping_file),
        table,
        None if zone_name is None else zone_named(zone_name),
        year,
        None if encoding is None else checked_encoding(encoding),
        # None keeps everything, at no cost.
        None
        if action is SecretAction.KEEP
        else SecretFilter(action, local_key(SECRETS) if action is SecretAction.HASH else b""),
    )
    reading.formats()
    if follow and (len(paths) != 1 or dry_run or table is not None):
        raise UsageError("--follow goes with one file, and neither with --dry-run nor with --table.")
    tell(*plugin_problems())
    with _rejects_file(rejects, store) as keep, ExitStack() as stack:
        never_open = store_files(store)
        # The file of rejects may lie in the folder that is imported; it would be read as it grows.
        if rejects is not None and (identity := file_identity(rejects)) is not None:
            never_open.add(identity)
        sink = Nowhere() if dry_run else InStore(store, stack, has_text_index=not no_text_index)
        show = partial(_explain, table=table, to_stderr=as_json) if dry_run else None
        importer = Importer(sink, reading, keep, show, is_unlimited=no_limit)
        try:
            # Closed inside, so that an interrupted import too leaves a store with its indexes.
            with stack:
                try:
                    if follow:
                        with ProgressLine() as line:
                            follow_log(
                                importer, paths[0], never_open, line.shows(partial(_followed_words, paths[0]))
                            )
                    else:
                        import_all(importer, paths, never_open, _progress)
                except (KeyboardInterrupt, Ended):
                    # What was committed until then stays, and is told.
                    importer.tally.was_interrupted = True
        except StoreError as error:
            importer.tally.problems.append(error)
    tally = importer.tally
    if as_json:
        click.echo(json.dumps(tally.to_json()))
    _tell(tally, store, paths)
    context.exit(tally.exit_code)
