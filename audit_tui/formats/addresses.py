"""The place that a request came from, in one spelling."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from audit_tui.formats.values import NOTHING, column_text

_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?=\d)|\Z)){4}\Z", re.ASCII)

_PORT = re.compile(
    r"(?:#|p| port |(?<=[0-9a-f]:[0-9a-f]{4}):|(?<=\.\d|\d\d):(?=\d+:\w))\d{1,5}(?::\w+)?\Z",
    re.ASCII | re.IGNORECASE,
)


def parsed_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address of the internet that a text is, perhaps in brackets or with a port; or None."""
    return _parsed(_host(text)) or _parsed(_PORT.sub("", _host(text)))


def _host(text: str) -> str:
    host = text.strip()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    before, _, port = host.partition(":")
    return before if host.count(":") == 1 and port.isdecimal() else host


def _parsed(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@lru_cache(maxsize=4_096)
def _normal(text: str) -> str:
    address = parsed_address(text)
    if address is None:
        return text.strip()
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def source_address(value: object) -> str | None:
    """An address as text: without port and brackets, IPv6 in its short form.

    A text that is not an address (a host name, ``AWS Internal``, ``1.2.3.4.``) stays as it is. Of a list
    the first is taken, the others are the proxies after it. None when there is none.
    """
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, str):
        return None
    if _IPV4.match(value) is not None:
        return value
    text = column_text(value)
    return None if text is None or text.strip().lower() in NOTHING else _normal(text)
