"""Sections of the manual that no command's help holds: mapping files, settings, recording, evidence.

A paragraph that begins with a line of one backspace, as in click's help, stays as it is written.
"""

MAPPING = """
Of JSON lines and CSV whose format is not known, --map names the fields, or a file does, here for the record

\b
{"when": 1793541600, "who": {"mail": "ann@acme.io"}, "what": "open", "code": 403, "door": "D1"}

and the command audit-tui import FILE --mapping doors.toml:

\b
name = "doors"
[columns]                       # the first field that has a value; a dot goes into objects
time = "when"
event = "what"
user = "who.mail | who.badge"
outcome = "code"
[outcome]                       # what is in no list stays unknown
success = ["200-299"]
failure = ["400-599"]
[templates]                     # [...] is left out where a field in it is missing
description = "{user|'someone'} tried to {event} door {door}[ in {wing}]"

[time] has a unit (s, ms, us, ns), a format (%d.%m.%Y %H:%M) and a zone; [constants] fills columns with one
value; [severity] says what words mean; denied in [outcome] is a failure that was not allowed. In a template
[x|y] is the first of its parts whose fields are there; || is the sign itself. --mapping slack and --mapping
databricks come with the program. Other packages add formats through the entry-point group
audit_tui.formats.

Records are recognised one by one. What they come wrapped in (Records, pages of APIs, _source, JSON in a cell
of CSV or behind text of its line) is peeled off and kept; gzip, bzip2, xz and zstd (with the extra zstd) are
told by content, and the files of tar and zip archives are read one after another. Times that name no zone are
read as UTC, which the summary says, or in the zone of --tz; a table that is not UTF-8 as Windows-1252, or as
--encoding says. A record that has a time is never lost for want of a name: it becomes a Message.
"""

SETTINGS_FILE = """
audit-tui config path says where the file is; audit-tui config show tells every setting and where it comes
from. The environment wins over the file, and an option of a command over both.

\b
zone = "Europe/Berlin"
first-weekday = "monday"
columns = ["time", "event", "user"]

\b
[keys]                          # names: see KEYS, or audit-tui config keys
filter = ["f", "f2"]

eval "$(_AUDIT_TUI_COMPLETE=bash_source audit-tui)" in ~/.bashrc completes commands, options, ranges and
queries; zsh_source and fish_source are for others.
"""

RECORDING = """
A program records by itself:

\b
from audit_tui import AuditLog, AuditLogHandler, import_logs
log = AuditLog("audit.db", source="billing")
log.record("Role assigned", user="alice", outcome="success", metadata={"Role Name": "Auditor"})
logging.getLogger("billing").addHandler(AuditLogHandler(log))
import_logs(["app.jsonl", "/var/log/audit"], "audit.db")

record returns once the event is on the disk. Any thread may use one log, several processes may record into
one store, and forks do no harm. The outcome is unknown unless told. AuditLog(..., strict=True) refuses
what the catalogue does not know; a key makes recording again store nothing. What goes wrong is an exception
of audit_tui.errors; the handler never raises into your program.

import_logs takes the format, the fields and the mapping of the command import, and returns the numbers of
records stored, duplicates and rejected, with the first rejects.
"""

EVIDENCE = """
Every event is sealed in the transaction that stores it: a SHA-256 of the record, under a tree (RFC 6962)
whose root is written as a checkpoint (C2SP) in the same moment. audit-tui verify reads everything again and
names each event that was changed, removed or added; it makes the indexes again from the events and
compares, and the definitions of the tables and the view audit_log with its own. What is not built yet is
not wrong. What it can find depends on what you keep where nobody who can write to the store can change it:

\b
nothing          every change by somebody who did not make all seals again
the public key   also seals made again without your private key
a checkpoint     also an older copy, missing newest events, and seals made again with a stolen key,
for whatever came before the checkpoint

seal key new prints the public key, and seal anchor writes a checkpoint. A checkpoint tells when it was
sealed, under the signature; where only the store says so, as in older ones, verify says that. The result of
verify says what it does not cover: events newer than the anchor, or not read with --since or --quick.

The screen compares the events with their seals while nobody types: the status line says what holds, ! marks
events that were altered, V tells more. It does not look at the indexes and does not know your checkpoints.
What was appended is checked at once; after every other write it reads everything again, at once or before
long, and says so until then. In the next session it does not read again what it read in a file that nobody
wrote to since, which the time of the file's status tells; who may set the machine's clock can forge that.

Signing needs the extra seal. The private key lies in keys beside the settings, readable by you alone, or
where AUDIT_TUI_SEAL_KEY says. A store that is signed is never continued without it: recording fails rather
than going on unsigned. A new key is put in its place with --replace (and --lost), as a recorded event.

redact and prune keep the seals of what they remove and record who removed which events, when and why;
verify and V list them. The record of such an act is sealed in a form of its own, which nothing recorded or
imported can have, so nobody else can declare a removal. Declarations of earlier versions lack it: they
count if they are word for word what those wrote, and verify tells them apart, since whoever could record
could have written them. Of a redacted event every byte that stands there now is proven, and that the
redacted fields are empty; that the other fields are as they were rests on the act, which compared the whole
event with its seal before. A redacted value that can be guessed can be confirmed by who knows the rest of
its event. Pruned events come back when their logs are imported again.

export --proof writes OUT.proof.jsonl beside the export: a line with the checkpoint and how the file was
written, then a line for each event in its order, with its record and the hashes that lead to the
checkpoint; of a redacted event also the act that redacted it. verify --proof makes the file again from
these events and compares it to the byte, without the store, with --store against it too. That there were no
more events than these is not proven. The format is told in audit_tui/core/evidence/proof.py, and
tests/store/check_proof.py is a short checker that shares no code with this program.

Not promised: that what was recorded was true; that a disk keeps what it acknowledged; anything about events
after the last checkpoint if the key is stolen. Without this program the store is an ordinary SQLite file:
sqlite3 audit.db 'SELECT * FROM audit_log'.
"""

SECTIONS = (
    ("MAPPING FILES", MAPPING),
    ("SETTINGS FILE", SETTINGS_FILE),
    ("RECORDING FROM A PROGRAM", RECORDING),
    ("EVIDENCE", EVIDENCE),
)
"""The headings and their texts."""
