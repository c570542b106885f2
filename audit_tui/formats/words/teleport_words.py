"""What a Teleport event acted upon, and the sentence that tells it."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import Outcome
from audit_tui.formats.values import dig, first_text
from audit_tui.formats.words.sentences import Act, act_of, act_sentence, told, with_reason, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_tui.formats.record import Fields

_MAX_QUERY_CHARS = 200
_ON_SERVER = "on {server_hostname}|on server {server_id}|on {server_addr}"
_ON_DATABASE = "on database {db_name} of {db_service}|on {db_service}"
_SESSIONS = {
    # The event -> in the past, after "to", then groups of words: the first alternative whose fields are
    # there.
    "session.start": ("started", "start", "a session", "as {login}", _ON_SERVER),
    "session.join": ("joined", "join", "a session", "as {login}", _ON_SERVER),
    "session.leave": ("left", "leave", "a session", _ON_SERVER),
    "session.end": ("ended", "end", "a session", "as {login}", _ON_SERVER),
    "session.rejected": ("was refused", "be refused", "a session", "as {login}", _ON_SERVER),
    "session.connect": ("connected to", "connect to", "{server_addr}|server {server_id}"),
    "session.upload": ("uploaded", "upload", "the recording of a session"),
    "session.data": ("sent and received", "send and receive", "{tx} and {rx} bytes|data", "in a session"),
    "session.command": ("ran", "run", "{path} {argv}|{path}|{program}|a command", "as {login}"),
    "session.disk": ("opened", "open", "{path}|a file", "with {program}", "as {login}"),
    "session.network": ("connected to", "connect to", "{dst_addr}:{dst_port}|{dst_addr}|a host",
                        "with {program}", "as {login}"),
    "session.recording.access": ("watched", "watch", "the recording of session {sid}|a recording"),
    "resize": ("resized", "resize", "their terminal", "to {size}"),
    "exec": ("ran", "run", "{command}|a command", "as {login}", _ON_SERVER,
        "in cluster {kubernetes_cluster}"),
    "scp": ("copied", "copy", "{path}|a file", _ON_SERVER, "({action})"),
    "port": ("forwarded", "forward", "a port", "to {addr}"),
    "subsystem": ("started", "start", "subsystem {name}|a subsystem"),
    "x11-forward": ("forwarded", "forward", "X11", "as {login}"),
    "client.disconnect": ("was", "be", "disconnected", "from server {server_id}"),
    "ssm.run": ("", "", ""),
    "kube.request": ("sent", "send", "a {verb} request|a request", "for {request_path}",
                     "to cluster {kubernetes_cluster}"),
    "app.session.start": ("started", "start", "a session", "in app {app_name}"),
    "app.session.end": ("ended", "end", "a session", "in app {app_name}"),
    "app.session.chunk": ("went on with", "go on with", "a session", "in app {app_name}"),
    "app.session.request": ("sent", "send", "a {method} request|a request", "for {path}",
                            "to app {app_name}"),
    "app.session.dynamodb.request": ("sent", "send", "request {target}|a request",
                                     "to DynamoDB", "through app {app_name}"),
    "windows.desktop.session.start": ("started", "start", "a desktop session", "as {windows_user}",
                                      "on {desktop_name}|on {desktop_addr}"),
    "windows.desktop.session.end": ("ended", "end", "a desktop session", "as {windows_user}",
                                    "on {desktop_name}|on {desktop_addr}"),
    "desktop.clipboard.send": ("sent", "send", "their clipboard", "to {desktop_addr}"),
    "desktop.clipboard.receive": ("received", "receive", "the clipboard", "of {desktop_addr}"),
    "desktop.directory.share": ("shared", "share", "directory {directory_name}|a directory",
                                "with {desktop_addr}"),
    "desktop.directory.read": ("let", "let", "{desktop_addr}|a desktop", "read {file_path}"),
    "desktop.directory.write": ("let", "let", "{desktop_addr}|a desktop", "write {file_path}"),
}  # fmt: skip
_DATABASES = {
    "db.session.start": ("connected", "connect", "as {db_user}", _ON_DATABASE.replace("on ", "to ")),
    "db.session.end": ("disconnected", "disconnect",
        "from database {db_name} of {db_service}|from {db_service}"),
    "db.session.query": ("ran", "run", "{db_query}|a query", _ON_DATABASE),
    "db.session.query.failed": ("failed to run", "run", "{db_query}|a query", _ON_DATABASE),
    "db.session.malformed_packet": ("sent", "send", "a malformed packet", "to {db_service}"),
    "db.session.dynamodb.request": ("sent", "send", "request {target}|a request", "to {db_service}"),
    "db.session.elasticsearch.request": ("sent", "send", "{method} {path}|a request", "to {db_service}"),
    "db.session.opensearch.request": ("sent", "send", "{method} {path}|a request", "to {db_service}"),
    "db.session.sqlserver.rpc_request": ("called", "call", "{proc_name}|a procedure", _ON_DATABASE),
    "db.session.postgres.function": ("called", "call", "function {function_oid}|a function", _ON_DATABASE),
    "db.session.cassandra.prepare": ("prepared", "prepare", "{query}|a query", _ON_DATABASE),
    "db.session.cassandra.execute": ("executed", "execute", "query {query_id}|a query", _ON_DATABASE),
    "db.session.cassandra.batch": ("ran", "run", "a batch of queries", _ON_DATABASE),
    "db.session.cassandra.register": ("registered", "register", "for events", _ON_DATABASE),
    "db.session.mysql.init_db": ("switched", "switch", "to database {schema_name}", "on {db_service}"),
    "db.session.mysql.create_db": ("created", "create", "database {schema_name}", "on {db_service}"),
    "db.session.mysql.drop_db": ("dropped", "drop", "database {schema_name}", "on {db_service}"),
    "db.session.mysql.shut_down": ("shut down", "shut down", "{db_service}"),
    "db.session.mysql.process_kill": ("killed", "kill", "process {process_id}", "on {db_service}"),
    "db.session.mysql.debug": ("asked", "ask", "for debug output", "on {db_service}"),
    "db.session.mysql.refresh": ("refreshed", "refresh", "{db_service}", "with {subcommand}"),
}  # fmt: skip
_STATEMENTS = {
    # The last word of db.session.*.statements.*.
    "parse": ("prepared", "prepare", "{query}|statement {statement_name}|a statement"),
    "prepare": ("prepared", "prepare", "{query}|a statement"),
    "bind": ("bound", "bind", "parameters of statement {statement_name}|parameters of a statement"),
    "execute": ("executed", "execute",
        "statement {statement_name}|statement {statement_id}|a prepared statement"),
    "bulk_execute": ("executed", "execute", "statement {statement_id} in bulk|a statement in bulk"),
    "fetch": ("fetched", "fetch", "{rows_count} rows|rows", "of statement {statement_id}"),
    "close": ("closed", "close", "statement {statement_name}|statement {statement_id}|a statement"),
    "reset": ("reset", "reset", "statement {statement_id}|a statement"),
    "send_long_data": ("sent", "send", "{data_size} bytes|data", "for statement {statement_id}"),
}  # fmt: skip
_PEOPLE = {
    "user.login": ("logged in", "log in", "with {method}"),
    "auth": ("authenticated", "authenticate", "as {login}"),
    "user.password_change": ("changed", "change", "their password"),
    "user.create": ("created", "create", "user {name}"),
    "user.update": ("changed", "change", "user {name}"),
    "user.delete": ("deleted", "delete", "user {name}"),
    "cert.create": ("was issued", "be issued", "a {cert_type} certificate|a certificate"),
    "recovery_code.generated": ("generated", "generate", "recovery codes"),
    "recovery_code.used": ("used", "use", "a recovery code"),
    "recovery_token.create": ("requested", "request", "a recovery token", "for {name}"),
    "privilege_token.create": ("requested", "request", "a privilege token", "for {name}"),
    "reset_password_token.create": ("created", "create", "a token to reset the password", "of {name}"),
    "mfa.add": ("added", "add", "MFA device {mfa_device_name}|an MFA device"),
    "mfa.delete": ("removed", "remove", "MFA device {mfa_device_name}|an MFA device"),
    "access_request.create": ("requested", "request", "roles {roles}|access"),
    "access_request.update": ("set", "set", "an access request", "to {state}"),
    "access_request.review": ("reviewed", "review", "an access request", "as {proposed_state}"),
    "access_request.delete": ("deleted", "delete", "access request {id}|an access request"),
    "access_request.search": ("searched", "search", "for {resource_type}", "as {search_as_roles}"),
    "bot.join": ("joined", "join", "as a bot", "with {method}"),
    "instance.join": ("joined", "join", "the cluster", "as {role}", "with {method}"),
    "billing.create_card": ("added", "add", "a credit card"),
    "billing.delete_card": ("removed", "remove", "a credit card"),
    "billing.update_card": ("changed", "change", "a credit card"),
    "billing.update_info": ("changed", "change", "the billing information"),
    "upgradewindowstart.update": ("set", "set", "the upgrade window", "to {upgrade_window_start}"),
    "lock.created": ("created", "create", "lock {name}|a lock"),
    "lock.deleted": ("deleted", "delete", "lock {name}|a lock"),
}  # fmt: skip
_SFTP = (
    ("opened", "open"), ("closed", "close"), ("read", "read"), ("wrote", "write"),
    ("looked at", "look at"), ("looked at", "look at"), ("changed attributes of", "change attributes of"),
    ("changed attributes of", "change attributes of"), ("opened directory", "open directory"),
    ("listed", "list"), ("removed", "remove"), ("made directory", "make directory"),
    ("removed directory", "remove directory"), ("resolved", "resolve"), ("looked at", "look at"),
    ("renamed", "rename"), ("read link", "read link"), ("linked", "link"), ("linked", "link"),
)  # fmt: skip
"""What the numbers of an sftp event's action stand for, from 1."""
_DEVICES = {
    "TV001": ("registered", "register", "a device"),
    "TV002": ("removed", "remove", "a device"),
    "TV003": ("created", "create", "a token to enroll a device"),
    "TV004": ("enrolled", "enroll", "a device"),
    "TV005": ("authenticated", "authenticate", "with a device"),
    "TV006": ("used", "use", "a token to enroll a device"),
    "TV007": ("changed", "change", "a device"),
}
_ACTS: dict[str, tuple[str, ...]] = _SESSIONS | _DATABASES | _PEOPLE
_NOUNS = {
    "app": "app", "db": "database", "kube": "Kubernetes cluster", "github": "GitHub connector",
    "oidc": "OIDC connector", "saml": "SAML connector", "user": "user", "role": "role",
    "trusted_cluster": "trusted cluster", "lock": "lock", "bot": "bot", "session_recording": "recording",
}  # fmt: skip
_METHODS = {
    "local": "a password",
    "oidc": "OIDC",
    "saml": "SAML",
    "github": "GitHub",
    "headless": "a headless login",
}
"""How somebody logged in, in words."""
_FORMATTER = Formatter()


class _Told(NamedTuple):
    past: str
    plain: str
    rest: str


def target_of(fields: Fields) -> str | None:
    """What was acted upon: a named thing, a path, a server, a database, an app, a cluster, a desktop."""
    return first_text(
        fields.get("name"),
        fields.get("mfa_device_name"),
        _nonempty(fields.get("path")) if fields.get("event") in ("scp", "sftp", "session.disk") else None,
        fields.get("db_service"),
        fields.get("app_name"),
        fields.get("server_hostname"),
        fields.get("desktop_name"),
        fields.get("desktop_addr"),
        fields.get("kubernetes_cluster"),
        fields.get("instance_id"),
        dig(fields, ("device", "asset_tag")),
        dig(fields, ("device", "device_id")),
        fields.get("server_id"),
        fields.get("node_name"),
        fields.get("bot_name"),
        fields.get("id"),
    )


def _nonempty(value: object) -> object:
    return value or None


def tell(
    fields: Fields, event: str, code: str, user: str | None, outcome: Outcome, *, is_denied: bool
) -> str:
    """Who did what, and why it failed."""
    reason = first_text(fields.get("error"), fields.get("message"), fields.get("exitError"))
    if outcome is not Outcome.FAILURE:
        reason = None
    who = _who(fields, user)
    done = _done(fields, event, code)
    if event == "ssm.run":
        what = f"a discovery command ran on {fields.get('instance_id', 'an instance')}"
        return with_reason(f"{what} and failed" if outcome is Outcome.FAILURE else what, reason)
    if done is not None:
        past = done.plain if outcome is not Outcome.FAILURE and event.endswith(".failed") else done.past
        sentence = told(who, past, done.plain, done.rest, outcome, is_denied=is_denied)
    else:
        sentence = _by_name(fields, event, who, outcome)
    return with_reason(sentence, reason)


def _who(fields: Fields, user: str | None) -> str:
    impersonator = first_text(fields.get("impersonator"))
    name = user or first_text(fields.get("node_name"), fields.get("bot_name")) or "someone"
    return f"{impersonator} as {name}" if impersonator and impersonator != name else name


def _done(fields: Fields, event: str, code: str) -> _Told | None:
    if event == "sftp":
        return _sftp(fields)
    if event == "device":
        row = _DEVICES.get(code[:5], ("used", "use", "a device"))
        tag = first_text(dig(fields, ("device", "asset_tag")), dig(fields, ("device", "device_id")))
        ends = row[2].endswith("a device") and tag is not None
        return _Told(row[0], row[1], f"{row[2][:-8]}device {tag}" if ends else row[2])
    row_of = _ACTS.get(event)
    if row_of is None and ".statements." in event:
        statement = _STATEMENTS.get(event.rpartition(".")[2])
        row_of = None if statement is None else (*statement, _ON_DATABASE)
    if row_of is None:
        return None
    past, plain, *groups = row_of
    return _Told(past, plain, " ".join(_filled(groups, fields)))


def _sftp(fields: Fields) -> _Told:
    number = fields.get("action")
    known = isinstance(number, int) and 1 <= number <= len(_SFTP)
    past, plain = _SFTP[number - 1] if known and isinstance(number, int) else ("used", "use")
    groups = ["{path}|a file", "over SFTP", _ON_SERVER]
    return _Told(past, plain, " ".join(_filled(groups, fields)))


def _filled(groups: Iterable[str], fields: Fields) -> Iterable[str]:
    """The first alternative of each group whose fields all say something."""
    for group in groups:
        for words in group.split("|"):
            names = [name for _, name, _, _ in _FORMATTER.parse(words) if name]
            values = {name: _shown(fields.get(name)) for name in names}
            if "method" in values and "with" in words:
                values["method"] = _METHODS.get(values["method"] or "", values["method"])
            if all(values.values()):
                yield words.format(**values)
                break


def _shown(value: object) -> str | None:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value[:5]) or None
    text = first_text(value)
    if text is None:
        return None
    text = " ".join(text.split())
    return text if len(text) <= _MAX_QUERY_CHARS else f"{text[: _MAX_QUERY_CHARS - 1]}…"


def _by_name(fields: Fields, event: str, who: str, outcome: Outcome) -> str:
    """``github.created`` and ``app.delete`` of something that has a name."""
    noun, _, verb = event.rpartition(".")
    name = first_text(fields.get("name"))
    thing = _NOUNS.get(noun, " ".join(words_of(noun)))
    act = act_of(verb) or act_of(verb.removesuffix("d")) or act_of(verb.removesuffix("ed"))
    if act is None or not noun:
        told_so = act_sentence(None if who == "someone" else who, event, name, outcome)
        return told_so or f"Teleport recorded {event}"
    rest = f"{thing} {name}" if name else Act(act.verb, tuple(thing.split())).phrase()
    return told(who, act.past, act.plain, rest, outcome)
