"""The roles that are always there, and can be neither put nor deleted: what a server of 8.19 shows of them.

They are data: `reserved_roles.json`, one role a line, as `GET /_security/role` writes them.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from sealane.model.security import RoleDescriptor
from sealane.security.rules.descriptors import parse_role

SUPERUSER: Final = "superuser"


@cache
def reserved_json() -> Mapping[str, Mapping[str, Any]]:
    """By name, as GET shows them."""
    text = files("sealane.security.rules").joinpath("reserved_roles.json").read_bytes()
    shown: dict[str, dict[str, Any]] = json.loads(text)
    return shown


RESERVED_ROLES: Final[Mapping[str, RoleDescriptor]] = {
    name: parse_role(name, shown) for name, shown in reserved_json().items()
}
"""By name."""


def is_reserved(name: str) -> bool:
    return name in RESERVED_ROLES
