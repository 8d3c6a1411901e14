"""Role descriptors as JSON: read, checked, and written as GET shows them.

`descriptor_reader` knows the shape; here is what is asked of a whole descriptor, for each of the places they come from.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sealane.errors import (
    ActionRequestValidation,
    ApiError,
    IllegalArgument,
    ParseError,
    XContentParseError,
)
from sealane.model.security import (
    ApplicationPrivileges,
    FieldGrant,
    IndexPrivileges,
    RoleDescriptor,
)
from sealane.security.rules.descriptor_reader import MAX_ENTRIES, RoleReader, token
from sealane.security.rules.names import Effort
from sealane.security.rules.privileges import (
    check_cluster_privilege,
    check_index_privilege,
    problems,
)

DESCRIPTION_MAX: Final = 1_000
_PREFIX: Final = re.compile(r"[a-z][A-Za-z0-9]*")


def parse_role(name: str, value: Any, effort: Effort | None = None) -> RoleDescriptor:
    """The body of `PUT /_security/role/{name}`, decoded. Raises what a malformed one raises; see `check_role`. `effort`
    is shared by all the roles of a request.
    """
    return RoleReader(name, effort=effort).role(value)


def parse_role_descriptors(
    value: Any, kind: str = "api_key_request", *, place: object = "1:1"
) -> tuple[RoleDescriptor, ...]:
    """`role_descriptors` of a request for an API key; `kind` is that request's name in errors.

    `place` is where the value is; what it is made of has places of its own where the body was read with them.
    """
    field = f"[{kind}] failed to parse field [role_descriptors]"
    if isinstance(value, list):
        raise XContentParseError(
            f"[{place}] {field}",
            caused_by=IllegalArgument(
                "[role_descriptors] doesn't support arrays. Use a single object with multiple fields."
            ),
        )
    if not isinstance(value, Mapping):
        raise XContentParseError(
            f"[{place}] [{kind}] role_descriptors doesn't support values of type: {token(value)}"
        )
    if len(value) > MAX_ENTRIES:
        raise IllegalArgument(f"[role_descriptors] may have at most [{MAX_ENTRIES}] members")
    found = []
    effort = Effort()
    for name in value:
        reader = RoleReader(name, of_key=True, effort=effort)
        try:
            found.append(reader.role(reader.value(value, name)))
        except ApiError as error:
            inner = XContentParseError(
                f"[{reader.place}] [role_descriptors] failed to parse field [{name}]",
                caused_by=error,
            )
            raise XContentParseError(f"[{reader.place}] {field}", caused_by=inner) from None
    return tuple(found)


def check_role(role: RoleDescriptor) -> list[str]:
    """What is wrong with a descriptor, in words: privileges that do not exist, reserved metadata and the like."""
    found = problems(check_cluster_privilege, role.cluster)
    for entry in role.indices:
        found += _entry_problems(entry)
    for remote in role.remote_indices:
        found += _entry_problems(remote.entry)
        if any(not alias.strip() for alias in remote.clusters):
            found.append("remote index cluster alias cannot be an empty string")
    for application in role.applications:
        found += _application_problems(application)
    if any(key.startswith("_") for key in role.metadata):
        found.append("role descriptor metadata keys may not start with [_]")
    if role.description is not None and len(role.description) > DESCRIPTION_MAX:
        found.append(f"Role description must be less than {DESCRIPTION_MAX} characters.")
    return found


def check_roles(roles: Iterable[RoleDescriptor]) -> None:
    """Raises ActionRequestValidation for what is wrong with any of them."""
    found = [problem for role in roles for problem in check_role(role)]
    if found:
        raise ActionRequestValidation(found)


def _entry_problems(entry: IndexPrivileges) -> list[str]:
    seen: set[str] = set()
    for privilege in entry.privileges:
        if privilege in seen:
            return [f"duplicate element: {privilege}"]
        seen.add(privilege)
    return problems(check_index_privilege, entry.privileges)[:1]


def _application_problems(application: ApplicationPrivileges) -> list[str]:
    name = application.application
    if "*" in name:
        return []
    prefix = name.split("-", 1)[0]
    if not _PREFIX.fullmatch(prefix):
        return [
            f"An application name prefix must match the pattern ^[a-z][A-Za-z0-9]*$ (found '{prefix}')"
        ]
    if len(prefix) < 3:
        return [f"An application name prefix must be at least 3 characters long (found '{prefix}')"]
    return []


def check_queries(role: RoleDescriptor, check: Callable[[bytes], None]) -> None:
    """Has the query of each entry of a role read by `check`, which raises ApiError for one that is not allowed.

    Raises ParseError that says which.
    """
    for at, entry in enumerate(role.indices):
        if entry.query is None:
            continue
        try:
            check(entry.query.encode())
        except ApiError as error:
            root = [error] if error.root_causes is None else error.root_causes
            text = f"failed to parse field 'query' for indices [{','.join(entry.names)}]"
            failed = ParseError(
                f"{text} at index privilege [{at}] of role descriptor", caused_by=error
            )
            failed.root_causes = root if not isinstance(error, XContentParseError) else [failed]
            raise failed from None


def role_json(role: RoleDescriptor, *, of_key: bool = False) -> dict[str, Any]:
    """A descriptor as GET shows it, in the reference's order."""
    shown: dict[str, Any] = {"cluster": list(role.cluster)}
    if role.global_ is not None:
        shown["global"] = dict(role.global_)
    shown["indices"] = [entry_json(entry) for entry in role.indices]
    shown["applications"] = [
        {
            "application": each.application,
            "privileges": list(each.privileges),
            "resources": list(each.resources),
        }
        for each in role.applications
    ]
    shown["run_as"] = list(role.run_as)
    shown["metadata"] = dict(role.metadata)
    shown["transient_metadata"] = {"enabled": True}
    if role.remote_indices:
        shown["remote_indices"] = [
            {**entry_json(each.entry), "clusters": list(each.clusters)}
            for each in role.remote_indices
        ]
    if role.remote_cluster:
        shown["remote_cluster"] = [
            {"privileges": list(each.privileges), "clusters": list(each.clusters)}
            for each in role.remote_cluster
        ]
    if role.description is not None and not of_key:
        shown["description"] = role.description
    return shown


def entry_json(entry: IndexPrivileges, *, privileges: bool = True) -> dict[str, Any]:
    """One entry of `indices`, or of a key's `access`, which does not show its privileges."""
    shown: dict[str, Any] = {"names": list(entry.names)}
    if privileges:
        shown["privileges"] = list(entry.privileges)
    if entry.fields is not None:
        shown["field_security"] = fields_json(entry.fields)
    if entry.query is not None:
        shown["query"] = entry.query
    shown["allow_restricted_indices"] = entry.allow_restricted_indices
    return shown


def fields_json(fields: FieldGrant) -> dict[str, list[str]]:
    shown = {"grant": list(fields.grant)}
    if fields.excepted is not None:
        shown["except"] = list(fields.excepted)
    return shown
