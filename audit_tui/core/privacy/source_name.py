"""The names of sources of events, which may be URLs, and which never show a password."""

from __future__ import annotations

import re

from audit_tui.core.lazy_pattern import lazy_pattern

# Two letters at least: C:/ is a path. pathlib makes one slash of two.
_URL = lazy_pattern(r"[a-z][a-z0-9+.\-]+:/", re.IGNORECASE)
_PASSWORD = lazy_pattern(r"\b([a-z][a-z0-9+.\-]+:/{1,2}[^\s/?#:@]*):[^\s/]*@", re.IGNORECASE)
_PASSWORD_OPTION = lazy_pattern(r"([?&](?:password|passwd|pwd|token|secret)=)[^\s&#]+", re.IGNORECASE)


def is_url(name: str) -> bool:
    """Tell whether a name is that of a source elsewhere, and not a path."""
    return _URL.match(name) is not None


def without_password(text: str) -> str:
    """Return a text with the passwords of all URLs in it hidden: ``postgresql://ann:***@host/audit``."""
    return _PASSWORD_OPTION.sub(r"\1***", _PASSWORD.sub(r"\1:***@", text))
