"""Giving a store a signing key, or another one: recorded acts, so that a verifier sees when and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.evidence.checkpoint import origin_of
from audit_tui.errors import FileExists
from audit_tui.store.evidence import sealing, signing
from audit_tui.store.evidence.declared import CATEGORY, SOURCE
from audit_tui.store.tables import schema
from audit_tui.store.tables.seal_layout import SEAL_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.core.evidence.checkpoint import PublicKey
    from audit_tui.store.write.change import Change
    from audit_tui.store.write.removing import Act
    from audit_tui.store.write.writer import StoreWriter

CREATED = "Seal key created"
REPLACED = "Seal key replaced"


def give_key(
    writer: StoreWriter, act: Act, *, may_replace: bool = False, is_old_lost: bool = False
) -> tuple[PublicKey, Path]:
    """Make a key that signs a store's seals from now on, and record that.

    Where there was a key, an event signed with it names the new one; then one that the new one signs.

    Args:
        writer: The store.
        act: Who, when, why.
        may_replace: Put it in the place of another.
        is_old_lost: The old key is gone, so that nothing can be signed with it.

    Returns:
        The public key, and the file of the private one.

    Raises:
        FileExists: If there is a key that must not be replaced, or its file is in the way.
        SigningKeyError: If the old key, or the extra ``seal``, is missing.
    """
    with writer.changing() as change:
        store_id = change.info(schema.STORE_ID) or ""
        newest = change.connection.execute("SELECT note FROM seal_head ORDER BY size DESC LIMIT 1").fetchone()
        old = sealing.sealing_key_id(change.connection, "" if newest is None else newest[0])
        if old is not None and not may_replace:
            raise FileExists(
                f"The key {old.hex()} signs this store already.", "--replace puts another in its place."
            )
        signer, secret = signing.new_signer(origin_of(store_id))
        path = signing.key_path(store_id, signer.public.key_id)
        if old is not None and not is_old_lost:
            _record(change, act, REPLACED, signer.public, old)
        signing.write_key(path, signer, secret)
        change.set_info(SEAL_KEY, str(signer.public))
        is_handed_over = old is None or not is_old_lost
        _record(change, act, CREATED if is_handed_over else REPLACED, signer.public, old)
    return signer.public, path


def _record(change: Change, act: Act, event: str, key: PublicKey, old: bytes | None) -> None:
    metadata: dict[str, object] = {"Key": str(key), "Reason": act.why, "Host": act.host}
    if old is not None:
        metadata["Old Key ID"] = old.hex()
    words = "made" if event == CREATED else "put in place of another"
    change.record_act(
        AuditEvent(
            event,
            act.at_us,
            category=CATEGORY,
            user=act.user,
            description=f"{act.user}: the key {key.key_id.hex()}, which signs the seals, was {words}",
            outcome=Outcome.SUCCESS,
            target=key.key_id.hex(),
            source=SOURCE,
            metadata=metadata,
        )
    )
