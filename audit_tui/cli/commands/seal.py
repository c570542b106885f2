"""``audit-tui seal``: the key that signs a store, and checkpoints to keep elsewhere."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit_tui.cli.commands.redact import act, existing_writer, require_why
from audit_tui.cli.options import store_option
from audit_tui.cli.progress import tell
from audit_tui.core.event import iso_utc
from audit_tui.core.evidence.checkpoint import Checkpoint, read_checkpoint, read_public_key
from audit_tui.core.new_file import FileKind, database_files, new_file
from audit_tui.core.text import clean_visible, counted
from audit_tui.errors import EXIT_WRONG, CheckpointError, FileError, StoreError
from audit_tui.store.evidence.seal_reading import SealedStore, require_seals
from audit_tui.store.evidence.signing import key_path
from audit_tui.store.evidence.verifying import Mode, Request, Result, verify

if TYPE_CHECKING:
    from audit_tui.store.evidence.seal_reading import Head


@click.group("seal", no_args_is_help=True)
def seal_command() -> None:
    """Make keys that sign the seals, and write checkpoints."""


@seal_command.group("key", no_args_is_help=True)
def key_command() -> None:
    """Make or show the key that signs a store's seals."""


@key_command.command("new")
@store_option
@click.option("--replace", is_flag=True, help="Put it in the place of the key that signs the store now.")
@click.option("--lost", is_flag=True, help="With --replace: the key that signs the store now is gone.")
@click.option("--why", metavar="TEXT", default="first key", help="The reason, which is recorded.")
@click.pass_context
def new_command(context: click.Context, store: Path, replace: bool, lost: bool, why: str) -> None:
    """Make a key that signs the store's seals from now on.

    The private key is a file that only you can read, beside the settings and not beside the store. Whoever
    writes to the store needs it there, or named by AUDIT_TUI_SEAL_KEY; without it nothing is recorded any
    more. The public key is printed: keep it where you verify.
    """
    from audit_tui.store.write.seal_keys import give_key

    with existing_writer(store) as writer:
        public, path = give_key(writer, act(context, require_why(why)), may_replace=replace, is_old_lost=lost)
    click.echo(str(public))
    tell(f"The private key is {path}. Keep a copy of it in a safe place.")
    tell("The line that was printed is the public key: verify --key takes it. Keep it elsewhere.")


@key_command.command("show")
@store_option
def show_key_command(store: Path) -> None:
    """Print the public key of a store, and where its private key should lie."""
    with SealedStore(store) as sealed:
        public_key, store_id = sealed.sealing_key, sealed.store_id
    if public_key is None:
        raise StoreError("No key signs this store.", "Make one: audit-tui seal key new")
    try:
        key = read_public_key(public_key)
    except CheckpointError as error:
        raise StoreError(f"What the store says of its key cannot be read. {error.message}") from error
    path = key_path(store_id, key.key_id)
    click.echo(str(key))
    state = "is" if path.is_file() else "should be"
    tell(f"The private key {state} at {path}.")


@seal_command.command("anchor")
@click.argument("out", type=click.Path(path_type=Path), default="-")
@store_option
@click.pass_context
def anchor_command(context: click.Context, out: Path, store: Path) -> None:
    """Write the store's newest checkpoint to OUT, or print it.

    It is a few short lines. Kept where nobody who can change the store can change it (another machine, a
    ticket, paper), it is an anchor: verify --anchor then finds every change to what came before it, and that
    nothing is gone. The seals are checked first, in a second. OUT may be an older checkpoint of the same
    store; no other file is replaced.
    """
    report = verify(store, Request(Mode.QUICK))
    if report.result is Result.FAILED:
        tell("The seals of this store do not fit: audit-tui verify tells more.")
        context.exit(EXIT_WRONG)
    head = _newest(store)
    if str(out) == "-":
        click.echo(head.note, nl=False)
    else:
        kind = _checkpoint_kind(out, head)
        with new_file(out, kind, never_over=database_files(store)) as file:
            file.write(head.note)
    where = "" if str(out) == "-" else f" to {out}"
    message = f"Wrote the checkpoint of {counted(head.size, 'event')}{where}."
    tell(message)


def _checkpoint_kind(out: Path, head: Head) -> FileKind:
    """The files that a checkpoint may take the place of: older ones of the same store.

    A newer one, or another of the same size, is the only sign that the store was rolled back or forged.
    """

    def checkpoint_of(text: str) -> Checkpoint | None:
        try:
            return read_checkpoint(text).checkpoint
        except CheckpointError:
            return None

    new = checkpoint_of(head.note)

    def is_older(data: bytes) -> bool:
        old = checkpoint_of(data.decode("utf-8", "replace"))
        if old is None or new is None or old.origin != new.origin:
            return False
        if old.size > new.size or (old.size == new.size and old.root != new.root):
            raise FileError(
                f"{out} is a checkpoint of {counted(old.size, 'event')} that this store does not have.",
                f"It may show that events are gone: audit-tui verify --anchor {out}",
            )
        return True

    return FileKind("an older checkpoint of this store", is_older)


@seal_command.command("show")
@store_option
def show_command(store: Path) -> None:
    """Print the newest seal.

    That is the store, how many events it covers, their root, when it was made, and by which key.
    """
    head = _newest(store)
    note = read_checkpoint(head.note)
    keys = ", ".join(signature.key_id.hex() for signature in note.signatures) or "not signed"
    at_s = note.checkpoint.at_s
    sealed = f"{iso_utc((head.at_s if at_s is None else at_s) * 1_000_000)[:19]}Z"
    if at_s is None:
        sealed += ", says the store"
    rows = (
        ("store", note.checkpoint.origin),
        ("events", f"{head.size:,}"),
        ("root", base64.b64encode(head.root).decode()),
        ("sealed", sealed),
        ("key", keys),
    )
    for label, text in rows:
        click.echo(f"{label:<8}{clean_visible(text)}")


def _newest(store: Path) -> Head:
    with SealedStore(store) as sealed:
        require_seals(sealed)
        with sealed.snapshot():
            head = sealed.newest_head()
    if head is None:
        raise StoreError("The store has no events yet, so there is nothing to seal.")
    return head
