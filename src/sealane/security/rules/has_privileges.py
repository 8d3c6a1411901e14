"""`_has_privileges`: which of the privileges that are asked about a subject has, and `_privileges`: all of them.

A privilege is had where all that it grants is granted; on a pattern of names where one entry of the role covers all
that fit. Of remote clusters (`remote_index`) the same is told: of what this cluster grants towards them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sealane.errors import (
    ActionRequestValidation,
    IllegalArgument,
    ParseError,
    UnsupportedOperation,
)
from sealane.model.security import IndexPrivileges, RoleDescriptor
from sealane.security.rules.descriptor_reader import RoleReader, token
from sealane.security.rules.descriptors import fields_json
from sealane.security.rules.names import Effort
from sealane.security.rules.permission import Group, Permission, Role, grant_together
from sealane.security.rules.privileges import (
    check_cluster_privilege,
    check_index_privilege,
)

MAX_ANSWERS: Final = 20_000
"""Names times privileges of one request, and resources times privileges of applications."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexQuestion:
    """Whether privileges are had on names; `clusters` where it is about those of other clusters."""

    names: tuple[str, ...]
    privileges: tuple[str, ...]
    restricted: bool = False
    clusters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationQuestion:
    application: str
    privileges: tuple[str, ...]
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    cluster: tuple[str, ...] = ()
    index: tuple[IndexQuestion, ...] = ()
    remote_index: tuple[IndexQuestion, ...] = ()
    application: tuple[ApplicationQuestion, ...] = ()


class _Reader(RoleReader):
    """Reads questions; its errors are those of a role."""

    def questions(self, value: Any) -> Questions:
        if not isinstance(value, Mapping):
            raise ParseError(
                f"failed to parse privileges check [{self.name}]. expected an object but found "
                f"[{token(value)}] instead"
            )
        found: dict[str, Any] = {}
        for key in value:
            member = self.value(value, key)
            if key == "cluster":
                found[key] = self.texts(key, member, may_be_null=True)
            elif key in ("index", "indices"):
                found["index"] = self._questions(key, member, remote=False)
            elif key == "remote_index":
                found[key] = self._questions(key, member, remote=True)
            elif key in ("application", "applications"):
                given = self.applications(key, member)
                found["application"] = tuple(
                    ApplicationQuestion(
                        application=each.application,
                        privileges=each.privileges,
                        resources=each.resources,
                    )
                    for each in given
                )
            else:
                raise ParseError(
                    f"failed to parse privileges check [{self.name}]. unexpected field [{key}]"
                )
        if not found:
            raise ParseError(
                f"failed to parse privileges check [{self.name}]. All privilege fields "
                "[cluster,index,applications] are missing"
            )
        return Questions(**found)

    def _questions(self, key: str, value: Any, *, remote: bool) -> tuple[IndexQuestion, ...]:
        text = f"failed to parse indices privileges for role [{self.name}]"
        found = []
        for each in self._each(value, key, text):
            entry, clusters = self.entry(each, remote=remote)
            if remote and clusters is None:
                raise ParseError(f"{text}. missing required [clusters] field")
            self._check_entry(entry)
            found.append(
                IndexQuestion(
                    names=entry.names,
                    privileges=entry.privileges,
                    restricted=entry.allow_restricted_indices,
                    clusters=clusters or (),
                )
            )
        return tuple(found)

    def _check_entry(self, entry: IndexPrivileges) -> None:
        for name, limit in (("query", entry.query), ("field_security", entry.fields)):
            if limit is not None:
                raise ParseError(f"Field [{name}] is not supported in a has_privileges request")


def parse_questions(username: str, value: Any) -> Questions:
    """The decoded body of `_has_privileges`; the user's name is in its errors.

    Raises ParseError and the like, ActionRequestValidation, IllegalArgument for privileges that do not exist.
    """
    questions = _Reader(f"{username}/has_privileges").questions(value)
    _check_questions(questions)
    return questions


def _check_questions(questions: Questions) -> None:
    asked = (
        questions.cluster,
        questions.index,
        questions.remote_index,
        questions.application,
    )
    if not any(asked):
        raise ActionRequestValidation(["must specify at least one privilege"])
    starred = [each.application for each in questions.application if "*" in each.application]
    if starred:
        raise ActionRequestValidation(
            [f"Application names may not contain '*' (found '{name}')" for name in starred]
        )
    answers = sum(
        len(each.names) * len(each.privileges) * max(1, len(each.clusters))
        for each in (*questions.index, *questions.remote_index)
    ) + sum(len(each.resources) * len(each.privileges) for each in questions.application)
    if answers > MAX_ANSWERS:
        raise IllegalArgument(
            f"[{answers}] privileges are asked about, more than [{MAX_ANSWERS}] at once"
        )
    for privilege in questions.cluster:
        check_cluster_privilege(privilege)
    for each in (*questions.index, *questions.remote_index):
        for privilege in each.privileges:
            check_index_privilege(privilege)


def answer(username: str, permission: Permission, questions: Questions) -> dict[str, Any]:
    """The body of the answer. `remote_index` is in it where it was asked about."""
    effort = Effort()
    here = _Judge(permission.roles, effort)
    cluster = {name: here.cluster(name) for name in sorted(questions.cluster)}
    index = _indices(questions.index, here)
    application = _applications(permission, questions.application)
    shown: dict[str, Any] = {
        "username": username,
        "has_all_requested": True,
        "cluster": cluster,
        "index": index,
        "application": application,
    }
    if questions.remote_index:
        shown["remote_index"] = _remote(permission, questions.remote_index, effort)
    shown["has_all_requested"] = _all_true(
        [cluster, index, application, shown.get("remote_index", {})]
    )
    return shown


def _all_true(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_all_true(each) for each in value.values())
    if isinstance(value, list):
        return all(_all_true(each) for each in value)
    return bool(value)


class _Judge:
    """Answers for the roles of all sides. The same question is not judged twice."""

    def __init__(self, roles: Sequence[Role], effort: Effort) -> None:
        self._roles = roles
        self._effort = effort
        self._covering: dict[tuple[str, bool], list[tuple[Group, ...]]] = {}
        self._granted: dict[tuple[tuple[Group, ...], str], bool] = {}

    def cluster(self, privilege: str) -> bool:
        return bool(self._roles) and all(
            role.within_cluster(privilege, self._effort) for role in self._roles
        )

    def index(self, name: str, privilege: str, restricted: bool) -> bool:
        covering = self._covering.get((name, restricted))
        if covering is None:
            covering = self._covering[name, restricted] = [
                role.groups_within(name, self._effort, restricted=restricted)
                for role in self._roles
            ]
        return bool(covering) and all(self._grant(groups, privilege) for groups in covering)

    def _grant(self, groups: tuple[Group, ...], privilege: str) -> bool:
        known = self._granted.get((groups, privilege))
        if known is None:
            known = grant_together(groups, privilege, self._effort)
            self._granted[groups, privilege] = known
        return known


def _indices(questions: Sequence[IndexQuestion], judge: _Judge) -> dict[str, dict[str, bool]]:
    """By name and privilege; what is asked twice is had where each time it is."""
    shown: dict[str, dict[str, bool]] = {}
    for question in questions:
        for name in question.names:
            known = shown.setdefault(name, {})
            for privilege in question.privileges:
                verdict = judge.index(name, privilege, question.restricted)
                known[privilege] = verdict and known.get(privilege, True)
    return {name: dict(sorted(shown[name].items())) for name in sorted(shown)}


def _remote(
    permission: Permission, questions: Sequence[IndexQuestion], effort: Effort
) -> dict[str, dict[str, dict[str, bool]]]:
    shown: dict[str, dict[str, dict[str, bool]]] = {}
    aliases = sorted({alias for question in questions for alias in question.clusters})
    for alias in aliases:
        roles = [Role.of(side) for side in permission.toward(alias)]
        asked = [question for question in questions if alias in question.clusters]
        shown[alias] = _indices(asked, _Judge(roles, effort))
    return shown


def _applications(
    permission: Permission, questions: Sequence[ApplicationQuestion]
) -> dict[str, dict[str, dict[str, bool]]]:
    """By application, resource and privilege."""
    shown: dict[str, dict[str, dict[str, bool]]] = {}
    for question in questions:
        resources = shown.setdefault(question.application, {})
        for resource in question.resources:
            known = resources.setdefault(resource, {})
            for privilege in question.privileges:
                known[privilege] = bool(permission.roles) and all(
                    role.application(question.application, privilege, resource)
                    for role in permission.roles
                )
    return shown


def privileges_of(permission: Permission) -> dict[str, Any]:
    """The body of `GET /_security/user/_privileges`: what roles grant, united.

    Raises IllegalArgument for a subject whose rights are an intersection: there is no such list for it.
    """
    if len(permission.sides) != 1:
        raise IllegalArgument(
            "Cannot retrieve privileges for API keys with assigned role descriptors. Please use the Get API key "
            "information API https://ela.st/es-api-get-api-key",
            caused_by=UnsupportedOperation("cannot retrieve cluster permission on limited role"),
        )
    side = permission.sides[0]
    found = {
        "cluster": sorted({name for role in side for name in role.cluster}),
        "global": [dict(role.global_) for role in side if role.global_ is not None],
        "indices": _united(side),
        "applications": [
            {
                "application": each.application,
                "privileges": sorted(each.privileges),
                "resources": sorted(each.resources),
            }
            for role in side
            for each in role.applications
        ],
        "run_as": sorted({user for role in side for user in role.run_as}),
    }
    return found | _remote_privileges(side)


def _united(side: Sequence[RoleDescriptor]) -> list[dict[str, Any]]:
    """Entries that differ in nothing but their limits become one, which has a limit where all of them have."""
    alike: dict[tuple[frozenset[str], frozenset[str], bool], list[IndexPrivileges]] = {}
    for role in side:
        for entry in role.indices:
            key = (
                frozenset(entry.names),
                frozenset(entry.privileges),
                entry.allow_restricted_indices,
            )
            alike.setdefault(key, []).append(entry)
    return [_shown_together(entries) for entries in alike.values()]


def _shown_together(entries: Sequence[IndexPrivileges]) -> dict[str, Any]:
    first = entries[0]
    shown: dict[str, Any] = {"names": sorted(first.names), "privileges": sorted(first.privileges)}
    fields = [fields_json(each.fields) for each in entries if each.fields is not None]
    if len(fields) == len(entries):
        shown["field_security"] = fields
    queries = [each.query for each in entries if each.query is not None]
    if len(queries) == len(entries):
        shown["query"] = list(dict.fromkeys(queries))
    shown["allow_restricted_indices"] = first.allow_restricted_indices
    return shown


def _remote_privileges(side: Sequence[RoleDescriptor]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    remote = [each for role in side for each in role.remote_indices]
    if remote:
        shown["remote_indices"] = [
            {**_shown_together([each.entry]), "clusters": list(each.clusters)} for each in remote
        ]
    groups = [each for role in side for each in role.remote_cluster]
    if groups:
        shown["remote_cluster"] = [
            {"privileges": list(each.privileges), "clusters": list(each.clusters)}
            for each in groups
        ]
    return shown
