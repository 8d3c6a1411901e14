"""The bodies of `_reindex`, `_update_by_query` and `_delete_by_query`: bytes to plain data, with the usual errors."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sealane.errors import (
    ActionRequestValidation,
    ApiError,
    IllegalArgument,
    ParseError,
    ParsingError,
)
from sealane.model.document import OpType, VersionType
from sealane.model.dsl import SearchBody
from sealane.query.any_json import dumps
from sealane.query.body import parse_search_body
from sealane.query.cursor import (
    NUMBER,
    OBJECT,
    STRING,
    Cursor,
    Member,
    as_int,
    plain,
    read_members,
)
from sealane.query.index_requests import read_body
from sealane.query.json_text import decode
from sealane.query.located import token

DEFAULT_BATCH: Final = 1000
"""Documents of a page, unless the source's `size` says otherwise."""
NO_LIMIT: Final = -1
_BESIDE_THE_SEARCH: Final = frozenset({"conflicts", "max_docs", "script"})
_ROUTING: Final = re.compile(r"keep|discard|=.*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where copies go. `routing` is `keep`, `discard` or `=value`."""

    index: str
    op: OpType = OpType.INDEX
    version_type: VersionType = VersionType.INTERNAL
    routing: str = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reindex:
    """`indices` are as written, remote ones with their alias; `body` finds the documents, a page at a time."""

    indices: tuple[str, ...]
    body: SearchBody
    dest: Destination
    max_docs: int = NO_LIMIT
    proceed: bool = False
    """Whether a version conflict is counted only, rather than the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByQuery:
    """What documents to change where they are."""

    body: SearchBody
    max_docs: int = NO_LIMIT
    proceed: bool = False


def read_reindex(raw: bytes, *, max_docs: int | None = None) -> Reindex:
    """The body of `_reindex`; `max_docs` is that of the URL.

    Raises ParseError without a body, XContentParseError, IllegalArgument for what this node does not do,
    ActionRequestValidation.
    """
    if not raw.strip():
        raise ParseError("request body is required")
    said = read_body(raw, "reindex", _REINDEX)
    source, dest = said.get("source", {}), said.get("dest", {})
    if "remote" in source:
        raise IllegalArgument(
            "[source.remote] is not supported by this version, register the cluster and name its index as "
            "[alias:index] instead"
        )
    if dest.get("pipeline") not in (None, "_none"):
        raise IllegalArgument("[pipeline] is not supported by this version")
    limit = _max_docs(max_docs, said.get("max_docs"), said.get("size"))
    indices = _strings(source.get("index"))
    body = _search_body({name: each for name, each in source.items() if name != "index"})
    problems = [*_problems(source, limit)]
    if not indices:
        problems.append("use _all if you really want to copy from all existing indexes")
    if dest.get("index") is None:
        raise ActionRequestValidation([*problems, "index must be specified"])
    routing = dest.get("routing")
    if routing is not None and not _ROUTING.fullmatch(routing):
        problems.append("routing must be unset, [keep], [discard] or [=<some new value>]")
    if problems:
        raise ActionRequestValidation(problems)
    return Reindex(
        indices=indices,
        body=body,
        dest=Destination(
            index=dest["index"],
            op=_op_type(dest.get("op_type")),
            version_type=_version_type(dest.get("version_type")),
            routing=routing or "keep",
        ),
        max_docs=limit,
        proceed=proceeds(said.get("conflicts")),
    )


def read_by_query(
    raw: bytes,
    params: Mapping[str, Any],
    *,
    needs_query: bool,
) -> ByQuery:
    """The body of `_update_by_query`, or of `_delete_by_query`, which `needs_query`.

    `params` are those of the URL: `max_docs`, `conflicts`, `scroll_size`.
    Raises as `read_reindex`.
    """
    value = decode(raw) if raw.strip() else {}
    if not isinstance(value, dict):
        raise ParsingError(f"Expected [START_OBJECT] but found [{token(value)}]", line=1, col=1)
    if value.get("script") is not None:
        raise IllegalArgument("[script] is not supported by this version")
    members = {name: each for name, each in value.items() if name not in _BESIDE_THE_SEARCH}
    if members == value and raw.strip():
        parse_search_body(raw)  # what is wrong is told with its places in the client's text
    limit = _max_docs(params.get("max_docs"), _number(value.get("max_docs")))
    problems = ["query is missing"] if needs_query and "query" not in members else []
    problems.extend(_problems(members, limit))
    if problems:
        raise ActionRequestValidation(problems)
    size = params.get("scroll_size", DEFAULT_BATCH)
    return ByQuery(
        body=_search_body({"size": size, **members, "seq_no_primary_term": True}),
        max_docs=limit,
        proceed=proceeds(value.get("conflicts", params.get("conflicts"))),
    )


def proceeds(conflicts: str | None) -> bool:
    """Raises IllegalArgument."""
    if conflicts in (None, "abort"):
        return False
    if conflicts == "proceed":
        return True
    raise IllegalArgument(f'conflicts may only be "proceed" or "abort" but was [{conflicts}]')


def _search_body(members: Mapping[str, Any]) -> SearchBody:
    return parse_search_body(
        dumps({"size": DEFAULT_BATCH, **members, "version": True, "track_total_hits": True})
    )


def _problems(source: Mapping[str, Any], limit: int) -> list[str]:
    problems = []
    if "from" in source:
        problems.append("from is not supported in this context")
    if "stored_fields" in source:
        problems.append("stored_fields is not supported in this context")
    if limit != NO_LIMIT and limit <= 0:
        problems.append(
            "maxDocs should be greater than 0 if the request is limited to some number of documents or -1 if it "
            f"isn't but it was [{limit}]"
        )
    return problems


_MOST: Final = 2**31 - 1
"""What a larger number counts as."""


class _NotANumber(ApiError):
    es_type, status = "class_cast_exception", 500


def _number(value: Any) -> int | None:
    """Raises the reference's error, which looks no closer either."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _NotANumber(f"[max_docs] must be a number but was [{token(value)}]")
    return int(max(-_MOST, min(value, _MOST)))


def _max_docs(*said: int | None) -> int:
    """The limit, which may be said in several places. Raises IllegalArgument where they differ."""
    given = [each for each in said if each is not None]
    for each in given[1:]:
        if each != given[0]:
            raise IllegalArgument(
                f"[max_docs] set to two different values [{given[0]}] and [{each}]"
            )
    return given[0] if given else NO_LIMIT


def _strings(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(value.split(","))
    if isinstance(value, list):
        return tuple(str(each) for each in value)
    raise IllegalArgument(f"Expected [index] to be a list or a string but was [{value}]")


def _op_type(text: str | None) -> OpType:
    if text is None or text.lower() == "index":
        return OpType.INDEX
    if text.lower() == "create":
        return OpType.CREATE
    raise IllegalArgument(f"opType must be 'create' or 'index', found: [{text}]")


def _version_type(text: str | None) -> VersionType:
    try:
        return VersionType.INTERNAL if text is None else VersionType(text)
    except ValueError:
        raise IllegalArgument(f"No version type match [{text}]") from None


def _no_script(cursor: Cursor, members: Mapping[str, Any], name: str) -> None:
    raise IllegalArgument("[script] is not supported by this version")


def _dest(cursor: Cursor, members: Mapping[str, Any], name: str) -> dict[str, Any]:
    return read_members(cursor, "dest", members[name], _DEST)


_DEST: Final = dict.fromkeys(
    ("index", "op_type", "pipeline", "routing", "version_type"), Member(STRING, plain)
)

_REINDEX: Final = {
    "source": Member(OBJECT, plain),
    "dest": Member(OBJECT, _dest),
    "size": Member(NUMBER, as_int),
    "max_docs": Member(NUMBER, as_int),
    "conflicts": Member(STRING, plain),
    "script": Member((*OBJECT, *STRING), _no_script),
}
