"""How Python objects are named: `package.module:attribute`."""

from __future__ import annotations

import re

_OBJECT = re.compile(r"(?P<module>\w+(?:\.\w+)*):(?P<attribute>\w+(?:\.\w+)*)")


def split_name(text: str) -> tuple[str, str] | None:
    """Module and attribute; None for any other text, such as a file's name."""
    match = _OBJECT.fullmatch(text)
    return (match["module"], match["attribute"]) if match and not match["module"].endswith(".py") else None
