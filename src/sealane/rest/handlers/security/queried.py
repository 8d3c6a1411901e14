"""`_security/_query/api_key` and `_security/_query/user`: keys and users by the query DSL."""

from collections.abc import Mapping
from typing import Any, Final

from sealane.errors import ActionRequestValidation
from sealane.model.security import AuthenticationType, Subject
from sealane.rest.handlers.security import bodies, key_answers
from sealane.rest.handlers.security.record_queries import Queries, Record, unsupported
from sealane.rest.params import boolean
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.security.stores import own_keys
from sealane.security.stores.api_keys import KeyFilter, owner_of
from sealane.security.stores.security import Security
from sealane.security.stores.users import RESERVED_USERS

SIZE: Final = 10
RESULT_MAX: Final = 10_000
_KEY_FIELDS: Final = frozenset(
    {
        "name",
        "type",
        "creation",
        "expiration",
        "invalidated",
        "invalidation",
        "username",
        "realm",
        "metadata",
    }
)
_USER_FIELDS: Final = frozenset({"username", "roles", "full_name", "email", "enabled"})
_KNOWN: Final[Mapping[str, bodies.Read]] = {
    "query": bodies.anything,
    "from": bodies.a_number,
    "size": bodies.a_number,
    "sort": bodies.anything,
    "search_after": bodies.anything,
    "aggs": bodies.anything,
    "aggregations": bodies.anything,
}


def routes(security: Security) -> list[Route]:
    now_ms = security.clock.now_ms

    async def api_keys(request: Request) -> Response:
        subject = request.ctx.subject
        permission = security.permission(subject)
        everybodys = permission.cluster(own_keys.QUERY, own_keys=False)
        wanted = KeyFilter() if everybodys else _own(subject)
        limited_by = request.params.get("with_limited_by", False)
        records = [
            {"_id": key_id, **key_answers.shown(key_id, key, limited_by=limited_by)}
            for key_id, key in security.api_keys.find(wanted)
        ]
        fields = _read(request.body, "query_api_key_request_payload")
        return _answer(fields, records, Queries(_KEY_FIELDS, now_ms()), "api_keys")

    async def users(request: Request) -> Response:
        records = [
            {"_id": name, **shown}
            for name, shown in security.users.shown(()).items()
            if name not in RESERVED_USERS
        ]
        fields = _read(request.body, "query_user_request_payload")
        return _answer(fields, records, Queries(_USER_FIELDS, now_ms()), "users")

    return [
        Route(
            methods=("GET", "POST"),
            paths=("/_security/_query/api_key",),
            handler=api_keys,
            action=own_keys.QUERY,
            indices=no_indices,
            params={
                "with_limited_by": boolean,
                "with_profile_uid": boolean,
                "typed_keys": boolean,
            },
            body=True,
        ),
        Route(
            methods=("GET", "POST"),
            paths=("/_security/_query/user",),
            handler=users,
            action="cluster:admin/xpack/security/user/query",
            indices=no_indices,
            params={"with_profile_uid": boolean},
            body=True,
        ),
    ]


def _own(subject: Subject) -> KeyFilter:
    """The keys of whoever asks. Who comes with a key has no other than that."""
    if subject.type is AuthenticationType.API_KEY and subject.api_key is not None:
        return KeyFilter(ids=(subject.api_key.id,))
    return KeyFilter(owner=owner_of(subject))


def _read(body: bytes, kind: str) -> bodies.Fields:
    if not body:
        return bodies.Fields({}, kind, _KNOWN)
    return bodies.read_fields(body, kind, _KNOWN)


def _answer(
    fields: bodies.Fields, records: list[dict[str, Any]], queries: Queries, member: str
) -> Response:
    first, size = fields.get("from", 0), fields.get("size", SIZE)
    for name, number in (("from", first), ("size", size)):
        if number < 0:
            raise ActionRequestValidation(
                [f"[{name}] parameter cannot be negative but was [{number}]"]
            )
    if first + size > RESULT_MAX:
        raise ActionRequestValidation(
            [
                f"Result window is too large, from + size must be less than or equal to: [{RESULT_MAX}] but was "
                f"[{first + size}]"
            ]
        )
    for name in ("aggs", "aggregations", "search_after"):
        if name in fields:
            raise unsupported(name)
    found: list[Record] = list(records)
    if "query" in fields:
        holds = queries.read(fields.get("query"))
        found = [each for each in found if holds(each)]
    by = queries.sorter(fields.get("sort", []))
    page = queries.sort(found, by)[first : first + size]
    shown = []
    for record, values in page:
        each = {name: value for name, value in record.items() if name != "_id"}
        shown.append({**each, "_sort": values} if by else each)
    return json_response({"total": len(found), "count": len(shown), member: shown})
