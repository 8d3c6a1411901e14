"""The files of the config folder that hold users and roles: read, and read again when they change.

    users           name:hash               one user a line
    users_roles     role:user,user          one role a line
    roles.yml       name: {cluster: [...]}  as the body of PUT _security/role
    role_mapping.yml  role: [DN, DN]        who of a PKI realm has which role

A line that cannot be read is left out and said in the log: it grants nothing. What the lines mean is left to the
realms and to `roles`.
"""

import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, TypeVar

import yaml

_log = logging.getLogger("sealane.security")

FILE_MAX_BYTES: Final = 8 * 1024 * 1024
_NAME: Final = re.compile(r"[\x20-\x7e]{1,507}")
_UNREAD: Final = (-1, -1, -1)
"""In place of what a file looked like that could not be opened: it may be without looking any different."""

T = TypeVar("T")


def read_users(text: str) -> dict[str, str]:
    """Hashes by user."""
    found = {}
    for number, line in _lines(text):
        name, colon, hashed = line.partition(":")
        if not colon or _NAME.fullmatch(name) is None or name != name.strip() or not hashed.strip():
            _log.error("line [%d] of the file [users] is not of the form name:hash", number)
            continue
        found[name] = hashed.strip()
    return found


def read_users_roles(text: str) -> dict[str, tuple[str, ...]]:
    """Roles by user."""
    found: dict[str, dict[str, None]] = {}
    for number, line in _lines(text):
        role, colon, users = line.partition(":")
        role = role.strip()
        if not colon or not role:
            _log.error(
                "line [%d] of the file [users_roles] is not of the form role:user,user", number
            )
            continue
        for user in users.split(","):
            if user.strip():
                found.setdefault(user.strip(), {})[role] = None
    return {user: tuple(roles) for user, roles in found.items()}


def read_roles(text: str) -> dict[str, Any]:
    """Bodies of roles, as yet unjudged. Raises ValueError for what is no YAML of the form."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"is not YAML: {str(error).splitlines()[0]}") from None
    if data is None:
        return {}
    if not isinstance(data, dict) or not all(isinstance(name, str) for name in data):
        raise ValueError("does not hold roles by name")
    return data


def read_role_mapping(text: str) -> dict[str, tuple[str, ...]]:
    """Distinguished names by role. Raises ValueError for what is no YAML of the form."""
    found = {}
    for role, names in read_roles(text).items():
        listed = [names] if isinstance(names, str) else names
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise ValueError(f"does not list names for the role [{role}]")
        found[role] = tuple(listed)
    return found


def _lines(text: str) -> list[tuple[int, str]]:
    numbered = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in numbered if line and not line.startswith("#")]


class WatchedFile(Generic[T]):
    """One file and what was read of it last. A file that is not there says nothing; one that turns out unreadable
    leaves what was there before.
    """

    def __init__(self, path: Path, read: Callable[[str], Mapping[str, T]]) -> None:
        self._path = path
        self._read = read
        self._seen: tuple[int, int, int] | None = None
        self.content: Mapping[str, T] = {}
        self.last_error: str | None = None

    def look(self) -> bool:
        """Reads the file if it has changed; whether the content has."""
        try:
            stat = self._path.stat()
            seen: tuple[int, int, int] | None = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except FileNotFoundError:
            seen = None
        except OSError as error:
            self._fail(str(error.strerror))
            return False
        if seen == self._seen:
            return False
        self._seen = seen
        before = self.content
        self._load(0 if seen is None else seen[1], present=seen is not None)
        return self.content != before

    def _load(self, size: int, *, present: bool) -> None:
        if not present:
            self.content, self.last_error = {}, None
            return
        if size > FILE_MAX_BYTES:
            self._fail(f"is larger than [{FILE_MAX_BYTES}] bytes")
            return
        try:
            self.content, self.last_error = self._read(self._path.read_text("utf-8")), None
        except OSError as error:
            self._seen = _UNREAD
            self._fail(str(error.strerror))
        except UnicodeDecodeError:
            self._fail("is not UTF-8")
        except ValueError as error:
            self._fail(str(error))

    def _fail(self, why: str) -> None:
        if self.last_error != why:
            _log.error("the file [%s] cannot be used: it %s", self._path.name, why)
        self.last_error = why


class Changed(NamedTuple):
    """Of what files tell other than before."""

    users: bool
    roles: bool
    mapping: bool


class ConfigFiles:
    """All of them, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.users = WatchedFile(folder / "users", read_users)
        self.users_roles = WatchedFile(folder / "users_roles", read_users_roles)
        self.roles = WatchedFile(folder / "roles.yml", read_roles)
        self.role_mapping = WatchedFile(folder / "role_mapping.yml", read_role_mapping)

    def look(self) -> Changed:
        """Reads those that have changed."""
        hashes, roles_of_users = self.users.look(), self.users_roles.look()
        return Changed(
            hashes or roles_of_users,
            self.roles.look(),
            self.role_mapping.look(),
        )

    @property
    def last_error(self) -> str | None:
        """Why one of them cannot be used as it is now."""
        watched = (self.users, self.users_roles, self.roles, self.role_mapping)
        return next((each.last_error for each in watched if each.last_error is not None), None)
