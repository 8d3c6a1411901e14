"""A document that the terms of a query are taken from: `{"index": ..., "id": ..., "path": ...}`.

`search.lookups` puts its terms in its place before the query runs.
"""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.query.cursor import STRING, Cursor, Member, plain, read_members

_MEMBERS = {name: Member(STRING, plain) for name in ("index", "id", "path", "routing")}
_REQUIRED = ("index", "id", "path")


def check_lookup(cursor: Cursor, members: Mapping[str, Any]) -> None:
    """Raises XContentParseError for another member, IllegalArgument for one that is missing."""
    found = read_members(cursor, "terms_lookup", members, _MEMBERS)
    missing = [name for name in _REQUIRED if name not in found]
    if missing:
        raise IllegalArgument(f"Required [{', '.join(missing)}]")
