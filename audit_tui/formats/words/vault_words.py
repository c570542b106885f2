"""What a call to Vault was for, and the sentence that tells it."""

from __future__ import annotations

import re
from typing import NamedTuple

from audit_tui.core.event import Outcome
from audit_tui.formats.words.sentences import past_tense, told, with_reason

_VERBS = {
    "read": ("read", "read"), "list": ("listed", "list"), "scan": ("listed", "list"),
    "create": ("created", "create"), "update": ("wrote", "write"), "patch": ("changed", "change"),
    "delete": ("deleted", "delete"), "renew": ("renewed", "renew"), "revoke": ("revoked", "revoke"),
    "rollback": ("rolled back", "roll back"), "help": ("asked for help on", "ask for help on"),
    "alias-lookahead": ("was looked up for", "be looked up for"),
    "resolve-role": ("had its role resolved for", "have its role resolved for"),
}  # fmt: skip

_W = frozenset({"create", "update", "patch"})
_R = frozenset({"read"})
_D = frozenset({"delete"})
_ANY = _W | _R | _D | {"list"}
_NAME = r"(?P<name>.+?)/?\Z"
_PATHS = tuple(
    # Which operations, the path within or with its mount, what was done in the past and after "to", to what.
    (operations, re.compile(pattern), past, plain, rest)
    for operations, pattern, past, plain, rest in (
        (_W, r"sys/mounts/(?P<name>.+)/tune\Z", "tuned", "tune", "secrets engine {name}"),
        (_W, rf"sys/mounts/{_NAME}", "mounted", "mount", "a secrets engine at {name}"),
        (_D, rf"sys/mounts/{_NAME}", "unmounted", "unmount", "the secrets engine at {name}"),
        (_R, r"sys/mounts\Z", "listed", "list", "the secrets engines"),
        (_W, r"sys/auth/(?P<name>.+)/tune\Z", "tuned", "tune", "auth method {name}"),
        (_W, rf"sys/auth/{_NAME}", "enabled", "enable", "auth method {name}"),
        (_D, rf"sys/auth/{_NAME}", "disabled", "disable", "auth method {name}"),
        (_R, r"sys/auth\Z", "listed", "list", "the auth methods"),
        (_W, rf"sys/audit/{_NAME}", "enabled", "enable", "audit device {name}"),
        (_D, rf"sys/audit/{_NAME}", "disabled", "disable", "audit device {name}"),
        (_W, rf"sys/polic(?:y|ies/acl)/{_NAME}", "wrote", "write", "policy {name}"),
        (_R, rf"sys/polic(?:y|ies/acl)/{_NAME}", "read", "read", "policy {name}"),
        (_D, rf"sys/polic(?:y|ies/acl)/{_NAME}", "deleted", "delete", "policy {name}"),
        (_W, r"sys/seal\Z", "sealed", "seal", "the vault"),
        (_W, r"sys/unseal\Z", "gave", "give", "a key to unseal the vault"),
        (_W, r"sys/step-down\Z", "made", "make", "the active node step down"),
        (_W, r"sys/rotate\Z", "rotated", "rotate", "the encryption key"),
        (_R | _W, r"sys/internal/ui/mounts(?:/.*)?\Z", "looked up", "look up", "the mounts"),
        (_W, r"sys/capabilities-self\Z", "asked", "ask", "what their token may do"),
        (_R, r"sys/(?:storage/raft/)?snapshot\Z", "took", "take", "a snapshot"),
        (_W, r"sys/leases/renew(?:/.*)?\Z", "renewed", "renew", "a lease"),
        (_W, r"sys/leases/revoke(?:/.*)?\Z", "revoked", "revoke", "a lease"),
        (_W, r"sys/wrapping/unwrap\Z", "unwrapped", "unwrap", "a response"),
        (_W, r"auth/token/create(?:-orphan)?\Z", "created", "create", "a token"),
        (_W, r"auth/token/create/(?P<name>.+)\Z", "created", "create", "a token of role {name}"),
        (_R | _W, r"auth/token/lookup-self\Z", "looked up", "look up", "their own token"),
        (_R | _W, r"auth/token/lookup(?:-accessor)?\Z", "looked up", "look up", "a token"),
        (_W, r"auth/token/renew-self\Z", "renewed", "renew", "their own token"),
        (_W, r"auth/token/renew(?:-accessor)?\Z", "renewed", "renew", "a token"),
        (_W, r"auth/token/revoke-self\Z", "revoked", "revoke", "their own token"),
        (_W, r"auth/token/revoke(?:-accessor|-orphan)?\Z", "revoked", "revoke", "a token"),
        (_W, r"auth/(?P<mount>[^/]+)/users/(?P<name>[^/]+)/password\Z", "set", "set",
         "the password of {mount} user {name}"),
        (_W, r"auth/(?P<mount>[^/]+)/users/(?P<name>[^/]+)\Z", "wrote", "write", "{mount} user {name}"),
        (_R, r"auth/(?P<mount>[^/]+)/users/(?P<name>[^/]+)\Z", "read", "read", "{mount} user {name}"),
        (_D, r"auth/(?P<mount>[^/]+)/users/(?P<name>[^/]+)\Z", "deleted", "delete", "{mount} user {name}"),
        (_R, r"auth/(?P<mount>[^/]+)/role/(?P<name>[^/]+)/role-id\Z", "read", "read",
         "the role id of {mount} role {name}"),
        (_W, r"auth/(?P<mount>[^/]+)/role/(?P<name>[^/]+)/secret-id\Z", "generated", "generate",
         "a secret id for {mount} role {name}"),
        (_W, r"auth/(?P<mount>[^/]+)/roles?/(?P<name>[^/]+)\Z", "wrote", "write", "{mount} role {name}"),
        (_R, r"auth/(?P<mount>[^/]+)/roles?/(?P<name>[^/]+)\Z", "read", "read", "{mount} role {name}"),
        (_D, r"auth/(?P<mount>[^/]+)/roles?/(?P<name>[^/]+)\Z", "deleted", "delete", "{mount} role {name}"),
    )
)  # fmt: skip
_ENGINES = {
    # The type of the engine -> the same for paths within its mount.
    engine: tuple(
        (operations, re.compile(pattern), past, plain, rest)
        for operations, pattern, past, plain, rest in rows
    )
    for engine, rows in {
        "pki": (
            (_W, r"root/generate/.+\Z", "generated", "generate", "the root certificate of {mount}"),
            (_W, r"intermediate/generate/.+\Z", "generated", "generate", "an intermediate key in {mount}"),
            (_W, r"issue/(?P<name>.+)\Z", "issued", "issue", "a certificate of role {name} from {mount}"),
            (_W, r"sign(?:-verbatim)?/(?P<name>.+)\Z", "signed", "sign",
             "a certificate of role {name} with {mount}"),
            (_W, r"revoke\Z", "revoked", "revoke", "a certificate of {mount}"),
            (_R, r"(?:cert/ca|ca(?:/pem|_chain)?)\Z", "read", "read", "the CA certificate of {mount}"),
            (_R, r"cert/(?P<name>.+)\Z", "read", "read", "certificate {name} of {mount}"),
            (_W, r"roles/(?P<name>.+)\Z", "wrote", "write", "role {name} of {mount}"),
        ),
        "transit": (
            (_W, r"encrypt/(?P<name>.+)\Z", "encrypted", "encrypt", "data with key {name}"),
            (_W, r"decrypt/(?P<name>.+)\Z", "decrypted", "decrypt", "data with key {name}"),
            (_W, r"rewrap/(?P<name>.+)\Z", "rewrapped", "rewrap", "data with key {name}"),
            (_W, r"sign/(?P<name>[^/]+).*\Z", "signed", "sign", "data with key {name}"),
            (_W, r"verify/(?P<name>[^/]+).*\Z", "verified", "verify", "a signature with key {name}"),
            (_W, r"hmac/(?P<name>[^/]+).*\Z", "made", "make", "an HMAC with key {name}"),
            (_W, r"datakey/[^/]+/(?P<name>.+)\Z", "generated", "generate", "a data key with key {name}"),
            (_W, r"keys/(?P<name>.+)/rotate\Z", "rotated", "rotate", "key {name}"),
            (_W, r"keys/(?P<name>[^/]+)\Z", "created", "create", "key {name}"),
            (_R, r"keys/(?P<name>[^/]+)\Z", "read", "read", "key {name}"),
            (_D, r"keys/(?P<name>[^/]+)\Z", "deleted", "delete", "key {name}"),
            (_R, r"export/[^/]+/(?P<name>.+)\Z", "exported", "export", "key {name}"),
        ),
        "database": (
            (_R, r"(?:static-)?creds/(?P<name>.+)\Z", "got", "get", "database credentials of role {name}"),
            (_W, r"config/(?P<name>.+)\Z", "configured", "configure", "database {name}"),
            (_W, r"(?:static-)?roles/(?P<name>.+)\Z", "wrote", "write", "database role {name}"),
            (_W, r"rotate-root/(?P<name>.+)\Z", "rotated", "rotate",
             "the root credentials of database {name}"),
        ),
        "aws": (
            (_R | _W, r"(?:creds|sts)/(?P<name>.+)\Z", "got", "get", "AWS credentials of role {name}"),
        ),
        "ssh": (
            (_W, r"sign/(?P<name>.+)\Z", "signed", "sign", "an SSH key with role {name}"),
            (_W, r"creds/(?P<name>.+)\Z", "got", "get", "SSH credentials of role {name}"),
        ),
        "kv": (
            (_R, r"data/(?P<name>.+)\Z", "read", "read", "secret {name}"),
            (_W, r"data/(?P<name>.+)\Z", "wrote", "write", "secret {name}"),
            (_D, r"data/(?P<name>.+)\Z", "deleted", "delete", "secret {name}"),
            (_R, r"metadata/(?P<name>.+)\Z", "read", "read", "the metadata of secret {name}"),
            (_W, r"metadata/(?P<name>.+)\Z", "wrote", "write", "the metadata of secret {name}"),
            (_D, r"metadata/(?P<name>.+)\Z", "deleted", "delete", "secret {name} with all its versions"),
            (frozenset({"list"}), r"metadata/?\Z", "listed", "list", "the secrets in {mount}"),
            (frozenset({"list"}), rf"(?:metadata/)?{_NAME}", "listed", "list", "the secrets under {name}"),
            (_W, r"delete/(?P<name>.+)\Z", "deleted", "delete", "versions of secret {name}"),
            (_W, r"undelete/(?P<name>.+)\Z", "restored", "restore", "versions of secret {name}"),
            (_W, r"destroy/(?P<name>.+)\Z", "destroyed", "destroy", "versions of secret {name}"),
            (_R, r"config\Z", "read", "read", "the settings of {mount}"),
            (_W, r"config\Z", "wrote", "write", "the settings of {mount}"),
            (_R, _NAME, "read", "read", "secret {name}"),
            (_W, _NAME, "wrote", "write", "secret {name}"),
            (_D, _NAME, "deleted", "delete", "secret {name}"),
        ),
    }.items()
}  # fmt: skip
_WHO = {"(unauthenticated)": "someone without a token", "token": "a token without a name", "root": "root"}
"""What stands for a name in the sentence where nobody has one."""
_LOGIN = re.compile(r"auth/(?P<mount>.+?)/(?:oidc/)?(?:login|callback)(?:/(?P<name>.+))?\Z")


class Call(NamedTuple):
    """A call to Vault."""

    operation: str
    path: str
    mount_type: str
    """The type of the engine; empty when not told."""
    mount: str
    """Where the engine is mounted, without the last slash; empty when not told."""


def tell(
    call: Call, user: str, outcome: Outcome, *, is_denied: bool, is_asked: bool, error: str | None
) -> str:
    """Who did what to what, and why it failed.

    Args:
        call: What was called.
        user: Whose token it was.
        outcome: How it ended.
        is_denied: It failed because no policy allows it.
        is_asked: The row is of the request, whose end another row tells.
        error: Why it failed, in the server's words.
    """
    who = _WHO.get(user, user)
    login = _LOGIN.match(call.path) if call.operation in _W else None
    if login is not None:
        return _tell_login(login, who, outcome, is_asked=is_asked, error=error)
    past, plain, rest = _act(call)
    if is_asked and outcome is Outcome.UNKNOWN:
        return f"{who} asked to {plain} {rest}".rstrip()
    sentence = told(who, past, plain, rest, outcome, is_denied=is_denied)
    return with_reason(sentence, None if is_denied and error == "permission denied" else error)


def _tell_login(
    login: re.Match[str], who: str, outcome: Outcome, *, is_asked: bool, error: str | None
) -> str:
    name, mount = login["name"], login["mount"]
    someone = name or ("someone" if who == _WHO["(unauthenticated)"] else who)
    if is_asked and outcome is Outcome.UNKNOWN:
        return f"{someone} asked to log in with {mount}"
    return with_reason(told(someone, "logged in", "log in", f"with {mount}", outcome), error)


def _act(call: Call) -> tuple[str, str, str]:
    """What was done, in the past and after "to", and to what."""
    for operations, pattern, past, plain, rest in _PATHS:
        if call.operation in operations and (found := pattern.match(call.path)):
            return past, plain, rest.format(**found.groupdict())
    inside = call.path.removeprefix(f"{call.mount}/") if call.mount else call.path.partition("/")[2]
    for operations, pattern, past, plain, rest in _ENGINES.get(call.mount_type, ()):
        if call.operation in operations and (found := pattern.match(inside)):
            return past, plain, rest.format(**found.groupdict(), mount=call.mount or call.mount_type)
    past, plain = _VERBS.get(call.operation) or (past_tense(call.operation), call.operation)
    return past, plain, call.path or "something"
