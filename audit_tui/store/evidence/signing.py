"""Ed25519 keys that sign a store's checkpoints: where they lie, making, reading, signing, checking.

A private key is one line, ``PRIVATE+KEY+name+id+seed``, in a file that only its owner can read, never
beside the store: whoever may change the store must not find its key there. Its name is the store's, so that
a public key also says which store it is for. Needs the extra ``seal`` (cryptography), imported when used.
"""

from __future__ import annotations

import base64
import os
import stat
from typing import TYPE_CHECKING

from audit_tui.core.evidence.checkpoint import (
    Checkpoint,
    PublicKey,
    Signature,
    SignedCheckpoint,
    read_public_key,
)
from audit_tui.core.new_file import new_file, private_folder
from audit_tui.errors import CheckpointError, FileError, SigningKeyError

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_VARIABLE = "AUDIT_TUI_SEAL_KEY"
"""Names the file of the private key, for a service that has its own place for secrets."""
_MARK = "PRIVATE+KEY+"
_MAX_FILE_BYTES = 4_096
_SEED_BYTES = 32


class Signer:
    """A private key, ready to sign.

    Args:
        name: Whose key it is, as in checkpoints.
        seed: Its 32 secret bytes.

    Raises:
        SigningKeyError: If the extra ``seal`` is not installed.
    """

    def __init__(self, name: str, seed: bytes) -> None:
        self._private = _private_key(seed)
        self.public = PublicKey(name, self._private.public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint) -> SignedCheckpoint:
        """The checkpoint with this key's signature."""
        data = self._private.sign(checkpoint.text().encode())
        return SignedCheckpoint(checkpoint, (Signature(self.public.name, self.public.key_id, data),))


def is_signed_by(note: SignedCheckpoint, key: PublicKey) -> bool | None:
    """Tell whether a signature of this key stands under a checkpoint; None when none claims to be of it.

    Raises:
        SigningKeyError: If the extra ``seal`` is not installed.
    """
    signatures = [each for each in note.signatures if (each.name, each.key_id) == (key.name, key.key_id)]
    if not signatures:
        return None
    return any(_holds(key.key, signature.data, note.checkpoint.text().encode()) for signature in signatures)


def key_path(store_id: str, key_id: bytes) -> Path:
    """Return the place of a private key of a store, whether it exists or not."""
    from audit_tui.config import keys_directory, user_path

    chosen = os.environ.get(KEY_VARIABLE)
    return user_path(chosen) if chosen else keys_directory() / f"{store_id}-{key_id.hex()}.key"


def own_key(store_id: str) -> Path | None:
    """Return the file of a private key that was made here for a store; None when there is none."""
    from audit_tui.config import keys_directory

    if not store_id.isalnum():
        return None
    try:
        return min(keys_directory().glob(f"{store_id}-*.key"), default=None)
    except OSError:
        return None


def new_signer(name: str) -> tuple[Signer, str]:
    """A new key, and the line that its file will hold.

    Raises:
        SigningKeyError: If the extra ``seal`` is not installed.
    """
    seed = os.urandom(_SEED_BYTES)
    signer = Signer(name, seed)
    secret = base64.b64encode(b"\x01" + seed).decode()
    return signer, f"{_MARK}{name}+{signer.public.key_id.hex()}+{secret}"


def write_key(path: Path, signer: Signer, secret: str) -> None:
    """Write a key to a new file that its owner alone can read, with the public key beside it.

    Raises:
        FileExists: If a key is there.
        FileError: If it cannot be written.
    """
    try:
        private_folder(path.parent)
    except OSError as error:
        raise FileError(f"The key {path} cannot be written: {error.strerror}.") from error
    # The public key takes its name first: a private key that exists is one that can be used.
    with (
        new_file(path, None) as private,
        new_file(path.with_suffix(".pub"), None, mode=0o644) as public,
    ):
        private.write(f"{secret}\n")
        public.write(f"{signer.public}\n")


def load_signer(path: Path) -> Signer:
    """Read a private key.

    Raises:
        SigningKeyError: If there is none, others may read it, it is not one, or the extra is missing.
    """
    text = _secret_text(path)
    name, _, rest = text.removeprefix(_MARK).strip().partition("+")
    try:
        seed = base64.b64decode(rest.partition("+")[2], validate=True)
    except ValueError:
        seed = b""
    if not text.startswith(_MARK) or len(seed) != 1 + _SEED_BYTES or seed[:1] != b"\x01":
        raise SigningKeyError(f"{path} is not a private key.", "audit-tui seal key new makes one.")
    signer = Signer(name, seed[1:])
    if signer.public.key_id.hex() != rest.partition("+")[0]:
        raise SigningKeyError(f"{path} was altered: its id is that of another key.", "Take a clean copy.")
    return signer


def load_public_key(given: str) -> PublicKey:
    """A public key from its file, or from the line itself.

    Raises:
        CheckpointError: If it is neither.
    """
    from pathlib import Path

    if given.count("+") >= 2 and "\n" not in given.strip() and not Path(given).exists():
        return read_public_key(given)
    try:
        with Path(given).open("rb") as file:
            text = file.read(_MAX_FILE_BYTES).decode()
    except OSError as error:
        raise CheckpointError(f"The public key {given} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise CheckpointError(f"{given} is not a public key.", _PRINTED) from None
    if text.startswith(_MARK):
        raise CheckpointError(
            f"{given} is a private key.", "Verify with the public one beside it, and keep this one secret."
        )
    return read_public_key(text)


_PRINTED = "It is one line: NAME+ID+KEY; audit-tui seal key show prints it."


def _secret_text(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SigningKeyError(f"The signing key {path} cannot be read: {error.strerror}.", _FIND) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SigningKeyError(f"The signing key {path} is not a file.", _FIND)
        if status.st_mode & 0o077:
            raise SigningKeyError(
                f"Others may read or write the signing key {path} ({stat.filemode(status.st_mode)}).",
                f"Make it yours alone: chmod 600 {path} - and make a new one if somebody has seen it.",
            )
        return os.read(descriptor, _MAX_FILE_BYTES).decode("ascii", "replace")
    finally:
        os.close(descriptor)


_FIND = f"Put it there, or name its file in {KEY_VARIABLE}."


def _private_key(seed: bytes) -> Ed25519PrivateKey:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError as error:
        raise SigningKeyError(*_NO_EXTRA) from error
    return Ed25519PrivateKey.from_private_bytes(seed)


def _holds(key: bytes, signature: bytes, body: bytes) -> bool:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as error:
        raise SigningKeyError(*_NO_EXTRA) from error
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, body)
    except (InvalidSignature, ValueError):
        return False
    return True


_NO_EXTRA = (
    "Signatures need the package cryptography, which is not installed.",
    "Install it: pip install 'audit-tui[seal]'",
)
