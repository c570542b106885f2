"""The sentence that tells an Okta event."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import Outcome
from audit_tui.formats.words.narrating import fill, named_act, narrate, shown, sign_in
from audit_tui.formats.words.sentences import act_of, told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FIXED = {
    "app.generic.unauth_app_access_attempt": "access[ {app}] without being assigned to it",
    "app.oauth2.authorize.code": "request an authorization code[ for {app}]",
    "app.oauth2.token.detect_reuse": "use a token[ of {app}] again",
    "app.token.reuse": "use a token again",
    "application.lifecycle.activate": "activate app[ {app}]",
    "application.lifecycle.create": "create app[ {app}]",
    "application.lifecycle.deactivate": "deactivate app[ {app}]",
    "application.lifecycle.delete": "delete app[ {app}]",
    "application.lifecycle.update": "update app[ {app}]",
    "application.user_membership.add": "assign app[ {app}][ to {user}]",
    "application.user_membership.remove": "take app[ {app}][ from {user}]",
    "application.user_membership.show_password": "show the password[ of {user}][ for {app}]",
    "application.integration.rate_limit_exceeded": "exceed the rate limit[ of {app}]",
    "group.lifecycle.create": "create group[ {group}]",
    "group.lifecycle.delete": "delete group[ {group}]",
    "group.privilege.grant": "grant an admin role[ to group {group}]",
    "group.privilege.revoke": "revoke an admin role[ from group {group}]",
    "group.user_membership.add": "add[ {user}][ to group {group}]",
    "group.user_membership.remove": "remove[ {user}][ from group {group}]",
    "policy.evaluate_sign_on": "be checked by the sign-on policy[ of {app}]",
    "security.threat.detected": "send suspicious requests[ from {address}]",
    "system.api_token.create": "create API token[ {token}]",
    "system.api_token.revoke": "revoke API token[ {token}]",
    "system.idp.lifecycle.create": "create an identity provider",
    "system.mfa.factor.activate": "activate an MFA factor",
    "system.mfa.factor.deactivate": "deactivate an MFA factor",
    "system.operation.rate_limit.violation": "exceed the rate limit of an operation",
    "system.operation.rate_limit.warning": "come near the rate limit of an operation",
    "system.org.rate_limit.violation": "exceed the rate limit of the organization",
    "system.org.rate_limit.warning": "come near the rate limit of the organization",
    "user.account.lock": "be locked out",
    "user.account.privilege.grant": "grant an admin role[ to {user}]",
    "user.account.privilege.revoke": "revoke the admin roles[ of {user}]",
    "user.account.report_suspicious_activity_by_enduser": "report suspicious activity",
    "user.account.reset_password": "reset the password[ of {user}]",
    "user.account.unlock": "unlock the account[ of {user}]",
    "user.account.update_password": "change the password[ of {user}]",
    "user.account.update_profile": "update the profile[ of {user}]",
    "user.lifecycle.activate": "activate user[ {user}]",
    "user.lifecycle.create": "create user[ {user}]",
    "user.lifecycle.deactivate": "deactivate user[ {user}]",
    "user.lifecycle.delete.initiated": "delete user[ {user}]",
    "user.lifecycle.suspend": "suspend user[ {user}]",
    "user.lifecycle.unsuspend": "unsuspend user[ {user}]",
    "user.mfa.factor.activate": "activate an MFA factor[ for {user}]",
    "user.mfa.factor.deactivate": "deactivate an MFA factor[ of {user}]",
    "user.mfa.factor.reset_all": "reset all MFA factors[ of {user}]",
    "user.mfa.factor.suspend": "suspend an MFA factor[ of {user}]",
    "user.mfa.factor.unsuspend": "unsuspend an MFA factor[ of {user}]",
    "user.mfa.factor.update": "update an MFA factor[ of {user}]",
    "user.session.access_admin_app": "open the admin console",
    "user.session.clear": "clear the sessions[ of {user}]",
    "user.session.end": "sign out[ from {address}]",
    "user.session.impersonation.end": "stop impersonating[ {user}]",
    "user.session.impersonation.grant": "allow impersonation[ of {user}]",
    "user.session.impersonation.initiate": "begin to impersonate[ {user}]",
    "user.session.impersonation.revoke": "revoke impersonation[ of {user}]",
}
"""What people say for it; begins with the verb as it stands after "to"."""
_SIGN_INS = {
    "user.session.start": "Okta",
    "user.authentication.sso": None,
    "user.authentication.auth_via_AD_agent": "Okta by Active Directory",
    "user.authentication.auth_via_IDP": "Okta by an identity provider",
    "user.authentication.auth_via_LDAP_agent": "Okta by LDAP",
    "user.authentication.auth_via_inbound_SAML": "Okta by SAML",
    "user.authentication.auth_via_social": "Okta by a social login",
}
"""Signing in, and to what when no app is named."""
_KINDS = {"User": "user", "AppUser": "user", "AppInstance": "app", "UserGroup": "group", "Token": "token"}
_DULL = frozenset({"lifecycle", "account", "system", "user"})
_MFA = "user.authentication.auth_via_mfa"


class OktaNames(NamedTuple):
    """Whom and what a record names; each None when it does not."""

    target: str | None
    user: str | None
    app: str | None
    group: str | None
    token: str | None
    address: str | None
    message: str | None
    """The vendor's own words, without names."""

    @classmethod
    def of(
        cls, event: str, targets: Sequence[tuple[str, str]], *, message: str | None, address: str | None
    ) -> OktaNames:
        """What the targets say, each with its type."""
        first: dict[str, str] = {}
        for kind, name in targets:
            first.setdefault(_KINDS.get(kind, ""), name)
        kinds = ("app", "user") if event.startswith(("app", "policy")) else ("group", "user", "app")
        named = [first[kind] for kind in kinds if kind in first]
        target = named[0] if named else (targets[0][1] if targets else None)
        return cls(
            target,
            first.get("user"),
            first.get("app"),
            first.get("group"),
            first.get("token"),
            address,
            message,
        )


def tell(event: str, user: str | None, names: OktaNames, outcome: Outcome, result: str) -> str:
    """Who did what to whom; the reason of a failure is not told here.

    Args:
        event: eventType.
        user: Who did it; None when nobody is named.
        names: What the record names.
        outcome: A failure is told as one.
        result: outcome.result, in upper case.
    """
    is_denied = result == "DENY"
    if event in _SIGN_INS:
        app = names.app if event == "user.authentication.sso" else _SIGN_INS[event]
        return sign_in(user, app, names.address, outcome, is_denied=is_denied)
    if event == _MFA:
        pattern = "pass MFA[ from {address}]"
        return narrate(user, pattern, names._asdict(), outcome, is_denied=is_denied)
    if event.startswith("policy.evaluate_sign_on"):
        return _policy(user, names, result)
    if event in _FIXED:
        # Refused for what it is: a rate limit, a threat, a lock are told as they are.
        as_it_is = event.startswith(("system.", "security.", "user.account.lock"))
        shown_as = Outcome.UNKNOWN if as_it_is else outcome
        return narrate(user, _FIXED[event], names._asdict(), shown_as, is_denied=is_denied and not as_it_is)
    return _by_name(event, user, names, outcome, is_denied=is_denied)


def _policy(user: str | None, names: Mapping[str, str | None] | OktaNames, result: str) -> str:
    values = names._asdict() if isinstance(names, OktaNames) else names
    pattern = {
        "DENY": "be refused by the sign-on policy[ of {app}]",
        "CHALLENGE": "be asked for another factor by the sign-on policy[ of {app}]",
        "ALLOW": "be allowed by the sign-on policy[ of {app}]",
    }.get(result, "be checked by the sign-on policy[ of {app}]")
    return narrate(user, pattern, values, Outcome.UNKNOWN)


def _by_name(event: str, user: str | None, names: OktaNames, outcome: Outcome, *, is_denied: bool) -> str:
    """An event that is not in the table: the vendor's own words, else what its name says."""
    who = shown(user or "someone")
    message = shown(names.message or "")
    act = act_of(message)
    if act is not None:
        rest = message.partition(" ")[2]
        target = "" if names.target is None or names.target in message else f" ({shown(names.target)})"
        return told(who, act.past, act.plain, f"{rest}{target}".strip(), outcome, is_denied=is_denied)
    found = None
    if not message:
        found = named_act(".".join(word for word in event.split(".") if word not in _DULL))
    if found is None:
        words = message or " ".join(event.split("."))
        return fill("[{words}][ for {who}]", {"words": words, "who": user})
    act = found.act
    rest = f"{' '.join(act.noun)} {shown(names.target)}".strip() if names.target else act.phrase()
    return told(who, act.past, act.plain, rest, outcome, is_denied=is_denied)
