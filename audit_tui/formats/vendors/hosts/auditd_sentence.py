"""The subject of a Linux audit event, and the sentence that tells it."""

from __future__ import annotations

import ipaddress
import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import Outcome
from audit_tui.formats.vendors.hosts.auditd_records import command_line
from audit_tui.formats.vendors.hosts.auditd_tables import (
    ACCOUNT_KIND,
    LOGIN_KIND,
    CallDeed,
    Deed,
    kind_of,
    tables,
)
from audit_tui.formats.words.english import told, with_reason
from audit_tui.formats.words.patterns import verb_forms

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

MAX_COMMAND_CHARS = 500
MAX_ARGUMENTS = 1_000
_NOTHING = frozenset({"", "?", "(null)", "(none)", "(unknown)", "unset", "4294967295", "-1"})
_HOST = re.compile(r"(?:laddr=|host:)([0-9A-Fa-f.:]+)(?:\s+(?:lport=|serv:)(\d{1,5}))?")
"""An address of the internet as ``ausearch -i`` writes it."""
_EXPLAINED = re.compile(r"E[A-Z0-9]+\((.+)\)\Z")
_PERMISSIONS = re.compile(r"(denied|granted)\s+\{\s*([^}]*?)\s*\}")
_SETTING = re.compile(r"audit_\w+\Z|\w+_enabled\Z")
_KEYS = {
    0x7F: "<backspace>", 8: "<backspace>", 9: "<tab>", 10: "<ret>", 13: "<ret>", 27: "<esc>",
} | {code: f"<^{chr(code + 64)}>" for code in range(1, 32) if code not in (8, 9, 10, 13, 27)}  # fmt: skip


class Scene(NamedTuple):
    """The facts of an event before it is told."""

    fields: Fields
    """All its records by type."""
    name: str
    """The type of the record that says what happened."""
    primary: Fields
    """That record."""
    syscall: Fields
    """The system call, empty when there is none."""
    call: str | None
    """The system call's name."""
    user: str | None
    outcome: Outcome
    is_denied: bool


class Socket(NamedTuple):
    """The other end of a socket."""

    host: str
    """An address, or the path of a local socket."""
    port: int | None
    """None for local sockets."""

    def __str__(self) -> str:
        return self.host if self.port is None else f"{self.host} port {self.port}"


def socket_address(record: Fields) -> Socket | None:
    """Return what a SOCKADDR record says, of the internet or a local path; None when it says nothing."""
    value = record.get("saddr")
    if isinstance(value, str) and (host := _HOST.search(value)):
        return Socket(host[1], int(host[2]) if host[2] else None)
    if not isinstance(value, str) or len(value) < 8:
        return None
    try:
        data = bytes.fromhex(value)
    except ValueError:
        return None
    # The family is in the order of the host's bytes, so nearly always little-endian.
    family = data[0] | data[1] << 8
    if family == 1:
        path = data[2:].lstrip(b"\x00").partition(b"\x00")[0]
        return Socket(path.decode("utf-8", "surrogateescape"), None) if path else None
    if family == 2 and len(data) >= 8:
        return Socket(".".join(map(str, data[4:8])), int.from_bytes(data[2:4], "big"))
    if family == 10 and len(data) >= 24:
        parts = [f"{int.from_bytes(data[at : at + 2], 'big'):x}" for at in range(8, 24, 2)]
        return Socket(_short_v6(":".join(parts)), int.from_bytes(data[2:4], "big"))
    return None


def _short_v6(address: str) -> str:
    parsed = ipaddress.IPv6Address(address)
    return str(parsed.ipv4_mapped or parsed)


def text_of(record: Fields, *names: str) -> str | None:
    """The first of several fields that says something."""
    for name in names:
        value = record.get(name)
        if isinstance(value, str) and value not in _NOTHING:
            return value
    return None


def all_records(fields: Fields, name: str) -> list[Fields]:
    """The records of a type, in the order of the log."""
    value = fields.get(name)
    listed = value if isinstance(value, list) else [value]
    return [record for record in listed if isinstance(record, dict)]


def _first(fields: Fields, name: str) -> Fields:
    records = all_records(fields, name)
    return records[0] if records else {}


# --- what it was done to


def command_of(fields: Fields) -> str | None:
    """The command that was run, with its arguments."""
    records = all_records(fields, "EXECVE")
    arguments: dict[int, str] = {}
    for record in records:
        for name, value in record.items():
            if name[:1] == "a" and name[1:].isdecimal() and len(name) < 8 and isinstance(value, str):
                number = int(name[1:])
                arguments[number] = f"{arguments.get(number, '')}{value}"
                if len(arguments) >= MAX_ARGUMENTS:
                    break
    if any(arguments.values()):
        return _short(command_line([arguments[number] for number in sorted(arguments)]))
    if arguments and (paths := _paths(fields)):
        # Started without even a name, as exploits do; the title is still that of the program before.
        return _short(paths[0])
    title = text_of(_first(fields, "PROCTITLE"), "proctitle")
    return None if title is None else _short(title)


def _short(command: str) -> str:
    if not command.isprintable():
        command = " ".join(command.split())
    return command if len(command) <= MAX_COMMAND_CHARS else f"{command[: MAX_COMMAND_CHARS - 1]}…"


def _paths(fields: Fields) -> list[str]:
    """The files that a system call named, whole; not the directories that they lie in."""
    cwd = text_of(_first(fields, "CWD"), "cwd")
    names = []
    for record in all_records(fields, "PATH"):
        name = text_of(record, "name")
        if name is not None and record.get("nametype", record.get("objtype")) != "PARENT":
            names.append(posixpath.join(cwd, name) if cwd is not None and name[0] != "/" else name)
    return names


def target_of(scene: Scene) -> str | None:
    """The thing that the event acted upon: a file, an account, a service, a socket, a process."""
    if scene.name != "SYSCALL":
        deed = tables().deeds.get(scene.name)
        target = text_of(scene.primary, *deed.fields) if deed is not None else None
        if target is None and scene.name.startswith(("AVC", "APPARMOR", "USER_AVC")):
            target = text_of(scene.primary, "path", "name", "service", "dest", "tclass")
        return target
    kind = tables().calls.get(scene.call or "", CallDeed("", "file")).kind
    if kind == "socket":
        socket = socket_address(_first(scene.fields, "SOCKADDR"))
        return None if socket is None else str(socket)
    if kind == "module":
        return text_of(_first(scene.fields, "KERN_MODULE"), "name")
    if kind == "process":
        return _process(scene)
    paths = _paths(scene.fields)
    if kind == "command":
        return paths[0] if paths else text_of(scene.syscall, "exe")
    return paths[-1] if paths else None


def _process(scene: Scene) -> str | None:
    record = _first(scene.fields, "OBJ_PID")
    pid = text_of(record, "opid")
    if pid is None:
        raw = text_of(scene.syscall, "a0") or ""
        try:
            pid = str(int(raw, 16)) if scene.call in ("kill", "tkill") and len(raw) <= 8 else None
        except ValueError:
            pid = None
    if pid is None:
        return None
    name = text_of(record, "ocomm")
    return f"process {pid}" if name is None else f"process {pid} ({name})"


# --- sentences


def tell(scene: Scene, target: str | None) -> str:
    """Tell who did what to what, with what, and why it failed.

    Args:
        scene: The event.
        target: What it acted upon; None when not told.
    """
    if scene.name == "SYSCALL":
        return _tell_call(scene, target)
    if "text" in scene.primary and (match := _PERMISSIONS.search(str(scene.primary["text"]))):
        return _tell_access(scene, "SELinux", match[1], match[2], target)
    decision = text_of(scene.primary, "apparmor")
    if decision is not None:
        what = text_of(scene.primary, "operation") or "access"
        return _tell_access(scene, "AppArmor", decision.lower(), what, target)
    special = _SPECIAL.get(scene.name)
    if special is not None:
        return special(scene)
    deed = tables().deeds.get(scene.name)
    if deed is None:
        return _tell_rest(scene)
    return _tell_deed(scene, deed)


def _who(scene: Scene) -> str:
    if scene.user is None:
        return "someone" if kind_of(scene.name) == LOGIN_KIND else "the system"
    other = _acting_as(scene)
    who = _called(scene.user)
    return who if other is None else f"{who} as {_called(other)}"


def _called(user: str) -> str:
    """A user's name; a number is said to be one."""
    return f"user {user}" if user.isdecimal() else user


def _acting_as(scene: Scene) -> str | None:
    """Whom the user has become, when that is somebody else."""
    if kind_of(scene.name) in (LOGIN_KIND, ACCOUNT_KIND):
        return None
    for record in (scene.primary, scene.syscall):
        name = text_of(record, "UID", "uid")
        if name is not None:
            name = "root" if name == "0" else name
            return name if name != scene.user else None
    return None


def _told(scene: Scene, pattern: str, rest: str, reason: str | None = None) -> str:
    """A pattern without places, told with what comes after it; a ``!`` tells it as it is."""
    past, plain, more = verb_forms(pattern)
    outcome, is_denied = scene.outcome, scene.is_denied
    if pattern.startswith("!"):
        outcome, is_denied = Outcome.UNKNOWN, False
    sentence = told(_who(scene), past, plain, f"{more} {rest}".strip(), outcome, is_denied=is_denied)
    return with_reason(sentence, reason)


def _tell_call(scene: Scene, target: str | None) -> str:
    pattern, kind = tables().calls.get(scene.call or "", CallDeed("", ""))
    exe = text_of(scene.syscall, "exe", "comm")
    reason = None
    if scene.outcome is Outcome.FAILURE and not scene.is_denied:
        code = str(scene.syscall.get("exit", ""))
        explained = _EXPLAINED.match(code)
        reason = explained[1].lower() if explained else tables().words["errors"].get(code.removeprefix("-"))
    if kind == "command":
        command = command_of(scene.fields) or exe or "a program"
        return _told(scene, pattern, command, reason)
    using = f" using {exe}" if exe is not None else ""
    if not pattern:
        call = scene.call or f"system call {scene.syscall.get('syscall', '')}".strip()
        on = f" on {target}" if target is not None else ""
        return _told(scene, f"call {call}", f"{on}{using}".strip(), reason)
    if kind == "socket" and target is None:
        target = "a socket"
    if scene.call is not None and scene.call.startswith("rename") and len(_paths(scene.fields)) > 1:
        paths = _paths(scene.fields)
        target = f"{paths[0]} to {paths[-1]}"
    thing = target or {"file": "a file", "process": "a process", "module": ""}.get(kind, "")
    return _told(scene, pattern, f"{thing}{using}".strip(), reason)


def _tell_access(scene: Scene, guard: str, decision: str, what: str, target: str | None) -> str:
    """Tell what SELinux or AppArmor decided about whom."""
    program = text_of(scene.primary, "exe", "comm") or text_of(scene.syscall, "exe", "comm") or "a program"
    kind = text_of(scene.primary, "tclass")
    thing = " ".join(part for part in (kind, target if target != kind else None) if part)
    sentence = f"{guard} {decision} {program} {what}"
    if thing:
        sentence += f" on {thing}"
    if decision == "denied" and scene.outcome is Outcome.SUCCESS:
        sentence += ", but let it pass"
    return sentence if scene.user is None else f"{sentence} (user {scene.user})"


def _tell_deed(scene: Scene, deed: Deed) -> str:
    thing = text_of(scene.primary, *deed.fields) or ""
    kind = kind_of(scene.name)
    if deed.joint == "as" and thing in (scene.user, ""):
        rest = ""
    elif not thing:
        rest = _without_name(deed.joint)
    else:
        rest = f"{deed.joint} {_short(thing)}".strip()
    if kind == LOGIN_KIND:
        address = text_of(scene.primary, "addr") or text_of(scene.primary, "hostname")
        terminal = text_of(scene.primary, "terminal")
        rest += f" from {address}" if address is not None else ""
        rest += " over SSH" if terminal == "ssh" else ""
    exe = text_of(scene.primary, "exe")
    if exe is not None and kind != "system-services" and exe != thing:
        rest += f" using {exe}"
    return _told(scene, deed.pattern, rest.strip())


def _without_name(joint: str) -> str:
    """The words before a name where no name follows: ``user account`` becomes ``a user account``."""
    last = joint.rpartition(" ")[2]
    if not joint or last in ("to", "from", "of", "as", "with", "by", "number"):
        return ""
    return f"{'an' if joint[0] in 'aeio' else 'a'} {joint}"


def _tell_login(scene: Scene) -> str:
    session = text_of(scene.primary, "ses", "new-ses")
    words = "login session" if session is None else f"login session {session}"
    article = "a " if session is None else ""
    return _told(scene, f"begin {article}{words}", "")


def _tell_config(scene: Scene) -> str:
    record = scene.primary
    rule = tables().words["rules"].get(text_of(record, "op") or "")
    key = record.get("key")
    if isinstance(key, list):
        key = ", ".join(map(str, key))
    if rule is not None:
        return _told(scene, rule, f"with key {key}" if isinstance(key, str) and key not in _NOTHING else "")
    for name, value in record.items():
        if _SETTING.match(name) and "old" in record:
            return _told(scene, f"set {name}", f"from {record['old']} to {value}")
    what = text_of(record, "op")
    rest = "" if what is None else f"({what})"
    return _told(scene, "change the audit configuration", rest)


def _tell_ipsec(scene: Scene) -> str:
    pattern = tables().words["ipsec"].get(text_of(scene.primary, "op") or "", "change IPsec")
    source, destination = text_of(scene.primary, "src"), text_of(scene.primary, "dst")
    rest = f"from {source} to {destination}" if source and destination else ""
    return _told(scene, pattern, rest)


def _tell_typed(scene: Scene) -> str:
    data = scene.primary.get("data")
    keys = data.translate(_KEYS) if isinstance(data, str) else ""
    comm = text_of(scene.primary, "comm")
    where = f" into {comm}" if comm is not None else ""
    return _told(scene, "type", f'"{_short(keys)}"{where}' if keys else f"something{where}")


def _tell_error(scene: Scene) -> str:
    what = text_of(scene.primary, "op")
    address = text_of(scene.primary, "addr", "hostname")
    exe = text_of(scene.primary, "exe")
    return (
        f"{_who(scene)} ran into an account error"
        + (f" ({what})" if what is not None else "")
        + (f" from {address}" if address is not None else "")
        + (f" using {exe}" if exe is not None else "")
    )


def _tell_key(scene: Scene) -> str:
    op = text_of(scene.primary, "op") or ""
    kind = text_of(scene.primary, "kind")
    rest = f"a {kind} key" if kind is not None else "a cryptographic key"
    exe = text_of(scene.primary, "exe")
    return _told(
        scene,
        op if op in ("destroy", "create", "negotiate") else "handle",
        rest + (f" using {exe}" if exe else ""),
    )


def _tell_configured(scene: Scene) -> str:
    words = text_of(scene.primary, "text") or text_of(scene.primary, "op")
    exe = text_of(scene.primary, "exe")
    rest = (f"({words})" if words else "") + (f" using {exe}" if exe else "")
    return _told(scene, "change the system's configuration", rest.strip())


def _tell_rest(scene: Scene) -> str:
    """An event whose record of what happened is missing, or of a type that is not known."""
    command = command_of(scene.fields)
    if command is not None and "EXECVE" in scene.fields:
        who = "someone" if scene.user is None else _called(scene.user)
        return f"{who} ran {command}"
    words = text_of(scene.primary, "text") or text_of(scene.primary, "op", "msg")
    paths = _paths(scene.fields)
    about = command or (paths[0] if paths else None) or words
    if about is None and (socket := socket_address(_first(scene.fields, "SOCKADDR"))):
        about = str(socket)
    if about is None:
        about = text_of(scene.primary, "cwd", "exe", "comm", "acct")
    by = f" by {_called(scene.user)}" if scene.user is not None else ""
    lone = " without the record that it belongs to" if scene.name in tables().auxiliary else ""
    return f"{scene.name} record{by}{lone}" + (f": {_short(about)}" if about else "")


_SPECIAL = {
    "LOGIN": _tell_login,
    "CONFIG_CHANGE": _tell_config,
    "CRYPTO_KEY_USER": _tell_key,
    "MAC_IPSEC_EVENT": _tell_ipsec,
    "TTY": _tell_typed,
    "USER_TTY": _tell_typed,
    "USER_ERR": _tell_error,
    "USYS_CONFIG": _tell_configured,
}
