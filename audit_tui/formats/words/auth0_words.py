"""What the type codes of Auth0 mean, and the sentence that tells an event."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import Outcome
from audit_tui.formats.words.narrating import narrate, shown
from audit_tui.formats.words.sentences import act_of, past_tense, told, with_reason

if TYPE_CHECKING:
    from audit_tui.formats.loose import Loose

_SUCCESS, _FAILURE, _UNKNOWN = Outcome.SUCCESS, Outcome.FAILURE, Outcome.UNKNOWN


class Code(NamedTuple):
    """What a type says."""

    family: str
    """The kind of thing: ``login``, ``signup``, ``api``, ``mfa``."""
    pattern: str | None
    """The sentence, beginning with the verb as it stands after "to"; None for codes that are not known."""
    outcome: Outcome


_LOGIN = "sign in[ to {app}][ from {address}]"
_SIGNUP = "sign up[ for {app}][ from {address}]"


def _codes(family: str, outcome: Outcome, patterns: dict[str, str]) -> dict[str, Code]:
    return {code: Code(family, pattern, outcome) for code, pattern in patterns.items()}


CODES: dict[str, Code] = {
    **_codes(
        "login",
        _SUCCESS,
        {
            "s": _LOGIN,
            "ss_sso_info": _LOGIN,
            "ssa": f"{_LOGIN} silently",
            "scoa": f"{_LOGIN} across origins",
            "sens": "sign in natively[ to {app}][ from {address}]",
        },
    ),
    **_codes(
        "login",
        _FAILURE,
        {
            "f": _LOGIN,
            "fu": _LOGIN,
            "fp": _LOGIN,
            "fc": _LOGIN,
            "fsa": f"{_LOGIN} silently",
            "fcoa": f"{_LOGIN} across origins",
            "fco": "use an origin that is not allowed[ for {app}]",
            "fens": "sign in natively[ to {app}][ from {address}]",
            "flo": "sign out[ from {app}]",
            "fdeac": "activate a device",
            "fdeaz": "authorize a device",
            "fdecc": "confirm a device",
        },
    ),
    **_codes(
        "login",
        _UNKNOWN,
        {
            "w": "be warned on signing in[ to {app}]",
            "pwd_leak": "use a leaked password[ from {address}]",
            "signup_pwd_leak": "sign up with a leaked password[ from {address}]",
            "reset_pwd_leak": "reset to a leaked password[ from {address}]",
            "ublkdu": "have a block removed",
            "depnote": "use a feature that is deprecated",
            "cls": "be sent a code or link[ for {app}]",
            "cs": "be sent a code[ for {app}]",
            "mfar": "be asked for MFA[ for {app}]",
        },
    ),
    **_codes("logout", _SUCCESS, {"slo": "sign out[ from {app}]", "srrt": "revoke a refresh token"}),
    **_codes(
        "signup",
        _SUCCESS,
        {"ss": _SIGNUP, "sv": "verify the e-mail address", "svr": "ask to verify the e-mail address"},
    ),
    **_codes(
        "signup",
        _FAILURE,
        {
            "fs": _SIGNUP,
            "fv": "verify the e-mail address",
            "fvr": "ask to verify the e-mail address",
            "fn": "be sent a notification",
        },
    ),
    **_codes(
        "account",
        _SUCCESS,
        {
            "scp": "change the password",
            "scpr": "ask for a change of password",
            "sce": "change the e-mail address",
            "scu": "change the user name",
            "scpn": "change the phone number",
            "sdu": "delete the user",
            "sui": "import users",
            "scv": "ask to change the e-mail address",
            "spm": "be sent a message",
            "srp": "reset the password",
        },
    ),
    **_codes(
        "account",
        _FAILURE,
        {
            "fcp": "change the password",
            "fcpr": "ask for a change of password",
            "fce": "change the e-mail address",
            "fcu": "change the user name",
            "fcpn": "change the phone number",
            "fdu": "delete the user",
            "fui": "import users",
            "fcpro": "provision an AD or LDAP connector",
            "fpn": "be sent a push notification",
        },
    ),
    **_codes(
        "api",
        _SUCCESS,
        {
            "sapi": "call the Management API",
            "seacft": "exchange a code for a token[ of {app}]",
            "seccft": "exchange credentials for a token[ of {app}]",
            "sepft": "exchange a password for a token[ of {app}]",
            "sertft": "refresh a token[ of {app}]",
            "sede": "exchange a device code for a token[ of {app}]",
            "seoobft": "exchange a password and an MFA challenge for a token",
            "seotpft": "exchange a password and an MFA code for a token",
            "sercft": "exchange a password and an MFA recovery code for a token",
            "mgmt_api_read": "read from the Management API",
        },
    ),
    **_codes(
        "api",
        _FAILURE,
        {
            "fapi": "call the Management API",
            "feacft": "exchange a code for a token[ of {app}]",
            "feccft": "exchange credentials for a token[ of {app}]",
            "fepft": "exchange a password for a token[ of {app}]",
            "fertft": "refresh a token[ of {app}]",
            "ferrt": "refresh a token[ of {app}]",
            "fede": "exchange a device code for a token[ of {app}]",
            "feoobft": "exchange a password and an MFA challenge for a token",
            "feotpft": "exchange a password and an MFA code for a token",
            "fercft": "exchange a password and an MFA recovery code for a token",
            "api_limit": "call the API: the limit of requests is reached",
            "cls_limit": "be sent a code",
        },
    ),
    **_codes(
        "mfa",
        _SUCCESS,
        {
            "gd_auth_succeed": "pass MFA[ from {address}]",
            "gd_enrollment_complete": "enroll in MFA",
            "gd_send_pn": "be sent a push notification for MFA",
            "gd_send_sms": "be sent a text message for MFA",
            "gd_send_email": "be sent an e-mail for MFA",
            "gd_send_voice": "be called for MFA",
            "gd_recovery_succeed": "use an MFA recovery code",
            "gd_update_device_account": "update an MFA device",
            "gd_module_switch": "switch MFA on or off",
            "gd_tenant_update": "update the MFA settings",
        },
    ),
    **_codes(
        "mfa",
        _FAILURE,
        {
            "gd_auth_failed": "pass MFA[ from {address}]",
            "gd_auth_rejected": "pass MFA[ from {address}]",
            "gd_recovery_failed": "use an MFA recovery code",
            "gd_send_pn_failure": "be sent a push notification for MFA",
            "gd_send_sms_failure": "be sent a text message for MFA",
            "gd_enrollment_failed": "enroll in MFA",
            "gd_otp_rate_limit_exceed": "pass MFA: too many codes",
            "gd_recovery_rate_limit_exceed": "use a recovery code: too many tries",
        },
    ),
    **_codes(
        "mfa",
        _UNKNOWN,
        {
            "gd_start_auth": "begin MFA",
            "gd_start_enroll": "begin to enroll in MFA",
            "gd_unenroll": "unenroll from MFA",
            "gd_user_delete": "be removed from MFA",
        },
    ),
    **_codes(
        "protection",
        _FAILURE,
        {
            "limit_wc": "be blocked after too many failed sign-ins[ from {address}]",
            "limit_ui": "be blocked after too many calls for a user's profile",
            "limit_mu": "be blocked after too many failed sign-ins[ from {address}] as many users",
            "limit_delegation": "be blocked after too many calls of delegation",
            "limit_sul": "be blocked after too many sign-ins[ from {address}]",
        },
    ),
}
"""The documented types that an audit needs; others are told by their first letters."""
WARNINGS = frozenset({"w", "pwd_leak", "signup_pwd_leak", "reset_pwd_leak", "api_limit", "depnote"})
_REASONS = {"fu": "there is no such user", "fp": "wrong password", "fc": "by the connector"}
_TOLD_AS_IT_IS = ("limit_",)


@lru_cache(maxsize=1_024)
def code_of(event: str) -> Code:
    """What a type says; of one that is not known, what its first letter says by Auth0's rule."""
    known = CODES.get(event)
    if known is not None:
        return known
    if event.startswith("limit_"):
        return Code("protection", None, _FAILURE)
    if event.startswith("gd_"):
        return Code("mfa", None, _UNKNOWN)
    is_code = len(event) <= 8 and event.isalpha()
    outcome = {"s": _SUCCESS, "f": _FAILURE}.get(event[:1], _UNKNOWN) if is_code else _UNKNOWN
    return Code("other", None, outcome)


def tell(event: str, inner: Loose, person: str | None, address: str | None) -> str:
    """Who did what, in Auth0's own words where they say more than the type.

    Args:
        event: The type.
        inner: The event's data.
        person: Who did it, as people are called; None when nobody is named.
        address: Where it came from.
    """
    code = code_of(event)
    said = inner.text("description")
    if code.family == "api" and event in ("sapi", "fapi") and said is not None:
        return _api_call(said, inner, person, code.outcome)
    app = inner.text("client_name")
    names = {"app": None if app == person else app, "address": address}
    if code.pattern is None:
        by = f" by {shown(person)}" if person else ""
        return said or f"{shown(event)}{by}"
    shown_as = _UNKNOWN if event.startswith(_TOLD_AS_IT_IS) else code.outcome
    sentence = narrate(person, code.pattern, names, shown_as)
    reason = _REASONS.get(event) or (said if code.outcome is _FAILURE and shown_as is _FAILURE else None)
    return with_reason(sentence, reason)


def _api_call(said: str, inner: Loose, person: str | None, outcome: Outcome) -> str:
    """A call of the Management API, which describes itself: ``Create a role``."""
    first, _, rest = said.rstrip(".").partition(" ")
    verb = first.lower()
    verb = verb if act_of(verb) is not None else verb.removesuffix("s")
    act = act_of(verb)
    who = shown(person or "someone")
    if act is None:
        by = f" by {shown(person)}" if person else ""
        failed = " failed" if outcome is _FAILURE else ""
        return f"{said}{failed}{by}"
    name = inner.text("details.request.body.name", "details.request.body.email")
    named = f": {shown(name)}" if name else ""
    also, _, after = rest.removeprefix("or ").partition(" ")
    if rest.startswith("or ") and act_of(also) is not None:
        return told(
            who, f"{act.past} or {past_tense(also)}", f"{act.plain} or {also}", f"{after}{named}", outcome
        )
    return told(who, act.past, act.plain, f"{rest}{named}", outcome)
