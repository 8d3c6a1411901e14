"""From the JSON of a role to its descriptor: of `PUT /_security/role`, of API keys, of subjects that other nodes name.

Takes decoded JSON, with places or without, and raises what the reference raises, in its order. Whether privileges exist
is asked afterwards, by `descriptor_checks`.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from sealane.errors import ApiError, IllegalArgument, ParseError, SecurityError, XContentParseError
from sealane.model.security import (
    ApplicationPrivileges,
    FieldGrant,
    IndexPrivileges,
    RemoteClusterPrivileges,
    RemoteIndexPrivileges,
    RoleDescriptor,
)
from sealane.security.rules import names
from sealane.security.rules.privileges import REMOTE_CLUSTER_PRIVILEGES

MAX_ENTRIES: Final = 1_000
"""Entries of one list of a role."""
MAX_TEXTS: Final = 10_000
"""Texts of one list: names, privileges, fields."""
_GLOBAL: Final = ("application", "profile", "role")


def token(value: object) -> str:
    """The token that a JSON value begins with, as the reference's errors name it."""
    if value is None:
        return "VALUE_NULL"
    if isinstance(value, bool):
        return "VALUE_BOOLEAN"
    if isinstance(value, str):
        return "VALUE_STRING"
    if isinstance(value, Mapping):
        return "START_OBJECT"
    return "START_ARRAY" if isinstance(value, list) else "VALUE_NUMBER"


class RoleReader:
    """Reads one descriptor. `place` is where the reference's parser would stand: of the last value that was read."""

    def __init__(
        self, name: str, *, of_key: bool = False, effort: names.Effort | None = None
    ) -> None:
        """`effort` is what may be spent on comparing fields, shared by all descriptors of a request."""
        self.name = name
        self.place: object = "1:1"
        self._effort = effort or names.Effort()
        self._of_key = of_key
        self._entries = f"failed to parse indices privileges for role [{name}]"

    def value(self, container: Any, key: str | int) -> Any:
        """A member of an object or a list. The place moves there."""
        places = getattr(container, "values_at", None)
        if places is not None:
            self.place = places[key]
        return container[key]

    def done(self, container: Any) -> None:
        """The place moves to the end of an object or a list that was read."""
        self.place = getattr(container, "end", self.place)

    def role(self, value: Any) -> RoleDescriptor:
        """Raises ParseError, IllegalArgument, XContentParseError."""
        if not isinstance(value, Mapping):
            raise ParseError(
                f"failed to parse role [{self.name}]. expected an object but found [{token(value)}] instead"
            )
        found: dict[str, Any] = {}
        for key in value:
            member = self.value(value, key)
            reader = _MEMBERS.get(key)
            if reader is None or (key == "description" and self._of_key):
                self._unexpected(key)
            if key == "transient_metadata":
                if not isinstance(member, Mapping):
                    self._unexpected(key)
                continue
            name, read = reader
            found[name] = read(self, key, member)
            if isinstance(member, Mapping | list):
                self.done(member)
        return RoleDescriptor(name=self.name, **found)

    def _unexpected(self, key: str) -> NoReturn:
        raise ParseError(f"failed to parse role [{self.name}]. unexpected field [{key}]")

    def texts(self, key: str, value: Any, *, may_be_null: bool = False) -> tuple[str, ...]:
        """A list of texts."""
        if value is None and may_be_null:
            return ()
        if not isinstance(value, list):
            found = "null value instead" if value is None else f"[{token(value)}] value instead"
            raise self._inner(
                f"could not parse [{key}] field. expected a string array but found {found}"
            )
        if len(value) > MAX_TEXTS:
            raise IllegalArgument(f"[{key}] may have at most [{MAX_TEXTS}] elements")
        for at in range(len(value)):
            each = self.value(value, at)
            if not isinstance(each, str):
                raise self._inner(
                    "could not parse [null] field. expected a string array but one of the value in the "
                    f"array is [{token(each)}]"
                )
        return tuple(value)

    def _inner(self, reason: str) -> ParseError:
        cause = ParseError(reason)
        return ParseError(
            f"failed to parse role [{self.name}]", caused_by=cause, root_causes=[cause]
        )

    def _each(self, value: Any, key: str, text: str) -> list[Any]:
        """The objects of a list; `text` begins its errors."""
        if not isinstance(value, list):
            raise ParseError(
                f"{text}. expected field [{key}] value to be an array, but found [{token(value)}] instead"
            )
        if len(value) > MAX_ENTRIES:
            raise IllegalArgument(f"[{key}] may have at most [{MAX_ENTRIES}] elements")
        for at in range(len(value)):
            self._check_object(self.value(value, at), text)
        return value

    def _check_object(self, value: Any, text: str) -> None:
        if not isinstance(value, Mapping):
            raise ParseError(
                f"{text}. expected field [null] value to be an array of objects, but found an array "
                f"element of type [{token(value)}]"
            )

    def indices(self, key: str, value: Any) -> tuple[IndexPrivileges, ...]:
        return tuple(self.entry(each)[0] for each in self._each(value, key, self._entries))

    def remote_indices(self, key: str, value: Any) -> tuple[RemoteIndexPrivileges, ...]:
        text = f"failed to parse remote indices privileges for role [{self.name}]"
        found = []
        for each in self._each(value, key, text):
            entry, clusters = self.entry(each, remote=True)
            if clusters is None:
                raise ParseError(f"{text}. missing required [clusters] field")
            found.append(RemoteIndexPrivileges(clusters=clusters, entry=entry))
        return tuple(found)

    def entry(
        self,
        value: Any,
        *,
        remote: bool = False,
        privileges: tuple[str, ...] | None = None,
    ) -> tuple[IndexPrivileges, tuple[str, ...] | None]:
        """One entry of `indices`, and its `clusters`. With `privileges` it has these, and must not name any."""
        self._check_object(value, self._entries)
        found: dict[str, Any] = {}
        clusters: tuple[str, ...] | None = None
        for key in value:
            member = self.value(value, key)
            if key == "privileges" and privileges is not None:
                raise ParseError(f"{self._entries}. field [privileges] must not present")
            if key == "clusters" and remote:
                clusters = self.texts(key, member)
            elif key in _ENTRY:
                name, read = _ENTRY[key]
                found[name] = read(self, key, member)
            elif key == "transient_metadata":
                if not isinstance(member, Mapping):
                    raise ParseError(f"{self._entries}. unexpected field [{key}]")
            elif key == "fields":
                raise ParseError(
                    f'["fields": [...]] format has changed for field permissions in role [{self.name}], use '
                    '["field_security": {"grant":[...],"except":[...]}] instead'
                )
            else:
                raise ParseError(f"{self._entries}. unexpected field [{key}]")
        self.done(value)
        if remote and clusters is None:
            return IndexPrivileges(names=(), privileges=()), None
        return self._made(found, privileges), clusters

    def _made(self, found: dict[str, Any], privileges: tuple[str, ...] | None) -> IndexPrivileges:
        if "names" not in found:
            raise ParseError(f"{self._entries}. missing required [names] field")
        if privileges is not None:
            found["privileges"] = privileges
        if found.get("privileges") is None:
            raise ParseError(f"{self._entries}. missing required [privileges] field")
        if not found["privileges"]:
            raise IllegalArgument("indices privileges must define at least one privilege")
        if "fields" in found:
            found["fields"] = self._granted(found["fields"])
        return IndexPrivileges(**found)

    def names(self, key: str, value: Any) -> tuple[str, ...]:
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list):
            raise ParseError(
                f"{self._entries}. expected field [{key}] value to be a string or an array of strings, "
                f"but found [{token(value)}] instead"
            )
        if not value:
            self.done(value)
            raise ParseError(f"{self._entries}. [{key}] cannot be an empty array")
        return self.texts(key, value)

    def privileges(self, key: str, value: Any) -> tuple[str, ...] | None:
        return None if value is None else self.texts(key, value)

    def query(self, key: str, value: Any) -> str | None:
        """As text: what was an object is written without blanks, a text is kept as it is."""
        if isinstance(value, Mapping):
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        if value is None or isinstance(value, str):
            return value or None
        raise ParseError(
            f"{self._entries}. expected field [{key}] value to be null, a string, an array, or an object, "
            f"but found [{token(value)}] instead"
        )

    def restricted(self, key: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ParseError(
                f"{self._entries}. expected field [{key}] value to be a boolean, but found "
                f"[{token(value)}] instead"
            )
        return value

    def fields(self, key: str, value: Any) -> Mapping[str, tuple[str, ...]]:
        if not isinstance(value, Mapping):
            raise ParseError(
                f'{self._entries}. expected START_OBJECT but got {token(value)} in "{key}".'
            )
        found: dict[str, tuple[str, ...]] = {}
        for each in value:
            if each not in ("grant", "except"):
                self.value(value, each)
                raise ParseError(
                    f'{self._entries}. "{key}" only accepts options grant and except, but got: {each}'
                )
            member = self.value(value, each)
            if member is None:
                raise ParseError(f"{self._entries}. {each} must not be null.")
            found[each] = self.texts(each, member)
        self.done(value)
        if not found:
            raise ParseError(f'{self._entries}. "{key}" must not be empty.')
        return found

    def _granted(self, found: Mapping[str, tuple[str, ...]]) -> FieldGrant:
        """Checked when the entry ends, as in the reference."""
        if "grant" not in found:
            raise ParseError(f"{self._entries}. field_security requires grant if except is given")
        grant, excepted = found["grant"], found.get("except")
        if excepted and not names.all_within(excepted, grant, self._effort):
            cause: ApiError = SecurityError(
                "Exceptions for field permissions must be a subset of the granted fields but "
                f"{','.join(excepted)} is not a subset of {','.join(grant)}"
            )
            raise ParseError(
                f"{self._entries} - {cause.reason}", caused_by=cause, root_causes=[cause]
            )
        return FieldGrant(grant=grant, excepted=excepted)

    def remote_cluster(self, key: str, value: Any) -> tuple[RemoteClusterPrivileges, ...]:
        text = f"failed to parse remote_cluster for role [{self.name}]"
        found = []
        for each in self._each(value, key, text):
            members: dict[str, tuple[str, ...]] = {}
            for name in each:
                member = self.value(each, name)
                if name not in ("clusters", "privileges"):
                    raise ParseError(f"{text}. unexpected field [{name}]")
                members[name] = self.texts(name, member)
                if name == "privileges":
                    self.done(member)
                    self._check_remote(text, members[name])
            found.append(self._remote_entry(text, members))
        return tuple(found)

    def _check_remote(self, text: str, privileges: tuple[str, ...]) -> None:
        if any(each.lower() not in REMOTE_CLUSTER_PRIVILEGES for each in privileges):
            raise ParseError(
                f"{text}. [{', '.join(REMOTE_CLUSTER_PRIVILEGES)}] are the only values allowed for [privileges] "
                f"within [remote_cluster]. Found [{', '.join(privileges)}]"
            )

    def _remote_entry(
        self, text: str, members: Mapping[str, tuple[str, ...]]
    ) -> RemoteClusterPrivileges:
        for one, other in (("privileges", "clusters"), ("clusters", "privileges")):
            if one not in members and other in members:
                raise ParseError(f"{text}. [{one}] must be defined when [{other}] are defined ")
        clusters, privileges = members.get("clusters"), members.get("privileges")
        if not clusters or not privileges:
            raise IllegalArgument("remote cluster groups must not be null or empty")
        if any(not alias.strip() for alias in clusters):
            raise IllegalArgument(
                "remote_cluster clusters aliases must contain valid non-empty, non-null values "
                f"[{', '.join(clusters)}]"
            )
        return RemoteClusterPrivileges(clusters=clusters, privileges=privileges)

    def applications(self, key: str, value: Any) -> tuple[ApplicationPrivileges, ...]:
        text = f"failed to parse application privileges for role [{self.name}]"
        return tuple(self._application(each, text) for each in self._each(value, key, text))

    def _application(self, value: Any, text: str) -> ApplicationPrivileges:
        found: dict[str, Any] = {}
        for key in value:
            member = self.value(value, key)
            if key == "application":
                if not isinstance(member, str):
                    raise XContentParseError(
                        f"[{self.place}] [application] application doesn't support values of type: {token(member)}"
                    )
                found[key] = member
            elif key in ("privileges", "resources"):
                found[key] = self.texts(key, member)
            else:
                place = getattr(value, "keys_at", {}).get(key, self.place)
                raise XContentParseError(f"[{place}] [application] unknown field [{key}]")
        for key in ("resources", "privileges", "application"):
            if key not in found:
                raise ParseError(f"{text}. missing required [{key}] field")
        if not found["privileges"]:
            raise IllegalArgument("application privileges must define at least one privilege")
        return ApplicationPrivileges(**found)

    def global_(self, key: str, value: Any) -> Mapping[str, Any] | None:
        if not isinstance(value, Mapping):
            raise XContentParseError(
                f"[{self.place}] failed to parse privilege. expected [START_OBJECT] but found "
                f"[{token(value)}] instead"
            )
        for each in value:
            if each not in _GLOBAL:
                place = getattr(value, "keys_at", {}).get(each, self.place)
                raise XContentParseError(
                    f"[{place}] failed to parse privilege. expected one of [{','.join(_GLOBAL)}] but found "
                    f"[{each}] instead"
                )
            if not isinstance(self.value(value, each), Mapping):
                raise XContentParseError(
                    f"[{self.place}] failed to parse privilege. expected [START_OBJECT] but found "
                    f"[{token(value[each])}] instead"
                )
        return {each: dict(value.get(each, {})) for each in _GLOBAL} if value else None

    def metadata(self, key: str, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise ParseError(
                f"expected field [{key}] to be of type object, but found [{token(value)}] instead"
            )
        return dict(value)

    def description(self, key: str, value: Any) -> str:
        if value is None or isinstance(value, Mapping | list):
            raise IllegalArgument(f"Expected text at {self.place} but found {token(value)}")
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)

    def optional_texts(self, key: str, value: Any) -> tuple[str, ...]:
        return self.texts(key, value, may_be_null=True)


_Read = tuple[str, Callable[[RoleReader, str, Any], Any]]
_MEMBERS: Final[dict[str, _Read]] = {
    "indices": ("indices", RoleReader.indices),
    "index": ("indices", RoleReader.indices),
    "cluster": ("cluster", RoleReader.optional_texts),
    "run_as": ("run_as", RoleReader.optional_texts),
    "applications": ("applications", RoleReader.applications),
    "metadata": ("metadata", RoleReader.metadata),
    "transient_metadata": ("", RoleReader.metadata),
    "global": ("global_", RoleReader.global_),
    "remote_indices": ("remote_indices", RoleReader.remote_indices),
    "remote_cluster": ("remote_cluster", RoleReader.remote_cluster),
    "description": ("description", RoleReader.description),
}
_ENTRY: Final[dict[str, _Read]] = {
    "names": ("names", RoleReader.names),
    "privileges": ("privileges", RoleReader.privileges),
    "query": ("query", RoleReader.query),
    "field_security": ("fields", RoleReader.fields),
    "allow_restricted_indices": ("allow_restricted_indices", RoleReader.restricted),
}
