"""The body of a bulk request: pairs of lines, an action with its metadata and a source, made into items.

Action lines that name no document are common and equal, so what they mean is remembered by their bytes. A malformed
action line refuses the request; a malformed source only its own item, later, where it is read.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson

from sealane.cluster.documents import BulkItem
from sealane.cluster.partial_updates import Update
from sealane.errors import (
    ActionRequestValidation,
    ApiError,
    DocumentParsing,
    IllegalArgument,
    InvalidIndexName,
    NumberFormatError,
    ParseError,
    XContentEofError,
    XContentParseError,
)
from sealane.model.document import OpType, VersionType, WriteOp
from sealane.model.dsl import SourceFilter
from sealane.rest.bodies import not_xcontent, read_json
from sealane.rest.params import boolean
from sealane.rest.source_filter import source_filter_of_body
from sealane.rest.tokens import token
from sealane.rest.update_body import read_update, refuse_script
from sealane.rest.write_rules import item_problems, version_type_of

_OPS = {"index": OpType.INDEX, "create": OpType.CREATE, "delete": OpType.DELETE}
_KNOWN = "expected field [create], [delete], [index] or [update]"
_TEXTS = ("_index", "_id", "routing", "op_type", "version_type", "pipeline")
_NUMBERS = ("version", "retry_on_conflict", "if_seq_no", "if_primary_term")
_FLAGS = ("list_executed_pipelines",)
_REMEMBERED_MAX = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkDefaults:
    """What the URL says for items that do not say it themselves."""

    index: str = ""
    routing: str | None = None
    require_alias: bool = False
    require_data_stream: bool = False
    pipeline: str | None = None
    returned: SourceFilter | None = None


@dataclass(slots=True)
class _Action:
    """One action line, understood."""

    kind: str
    index: str | None
    id: str | None = None
    routing: str | None = None
    version: int | None = None
    version_type: VersionType = VersionType.INTERNAL
    retry_on_conflict: int = 0
    if_seq_no: int | None = None
    if_primary_term: int | None = None
    require_alias: bool = False
    require_data_stream: bool = False
    pipeline: str | None = None
    returned: SourceFilter | None = None
    plain: bool = field(default=False)
    """Names an index and perhaps an id, nothing else."""


def read_bulk(body: bytes, defaults: BulkDefaults) -> list[BulkItem]:
    """Raises ParseError for no body, IllegalArgument for a malformed action line, ActionRequestValidation."""
    if not body:
        raise ParseError("request body is required")
    if body[-1] != 0x0A:
        raise IllegalArgument("The bulk request must be terminated by a newline [\\n]")
    lines = body.split(b"\n")
    if b"\r" in body:
        lines = [line.removesuffix(b"\r") for line in lines]
    items = _items(lines, defaults)
    if not items:
        raise ActionRequestValidation(["no requests added"])
    return items


def _items(lines: list[bytes], defaults: BulkDefaults) -> list[BulkItem]:
    remembered: dict[bytes, _Action] = {}
    items: list[BulkItem] = []
    problems: list[str] = []
    add = items.append
    at, last = 0, len(lines) - 1
    while at < last:
        line = lines[at]
        at += 1
        if not line:
            continue
        action = remembered.get(line)
        if action is None:
            action = _read_action(line, at, defaults)
            if action.id is None and len(remembered) < _REMEMBERED_MAX:
                remembered[line] = action
        kind = action.kind
        source = None
        if kind != "delete":
            if at >= last:
                break
            source = lines[at]
            at += 1
            if source[:1] == b"{" and kind != "update" and action.plain and action.index:
                add(
                    BulkItem(
                        action=kind,
                        index=action.index,
                        op=WriteOp(
                            op=_OPS[kind], id=action.id, routing=action.routing, source=source
                        ),
                    )
                )
                continue
        item, found = _careful_item(action, source)
        problems += found
        add(item)
    if problems:
        raise ActionRequestValidation(problems)
    return items


def _careful_item(action: _Action, source: bytes | None) -> tuple[BulkItem, list[str]]:
    """An item that needs checking, and which rules it breaks."""
    op: WriteOp | Update
    problems: list[str] = []
    error: ApiError | None = None
    if action.kind == "update":
        if action.version is not None or action.version_type is not VersionType.INTERNAL:
            raise IllegalArgument(
                "Update requests do not support versioning. "
                "Please use `if_seq_no` and `if_primary_term` instead"
            )
        if not source:
            raise XContentParseError("[1:0] [UpdateRequest] Expected START_OBJECT but was: null")
        op, problems, scripted = read_update(
            source,
            action.id or "",
            retry_on_conflict=action.retry_on_conflict,
            routing=action.routing,
            if_seq_no=action.if_seq_no,
            if_primary_term=action.if_primary_term,
            returned=action.returned,
        )
        if scripted and not problems:
            error = refuse_script()
    else:
        op = WriteOp(
            op=_OPS[action.kind],
            id=action.id,
            routing=action.routing,
            source=source,
            if_seq_no=action.if_seq_no,
            if_primary_term=action.if_primary_term,
            version=action.version,
            version_type=action.version_type,
        )
        problems = item_problems(op)
        if source is not None:
            error = _source_error(source)
    if action.kind in ("delete", "update") and not action.id:
        problems.insert(0, "id is missing")
    if action.index is None:
        problems.insert(0, "index is missing")
    elif not action.index:
        error = InvalidIndexName("", "must not be empty")
    item = BulkItem(
        action=action.kind,
        index=action.index or "",
        op=op,
        require_alias=action.require_alias,
        require_data_stream=action.require_data_stream,
    )
    if action.id == "" and action.kind in ("index", "create"):
        error = IllegalArgument("if _id is specified it must not be empty")
    if action.pipeline not in (None, "_none"):
        error = IllegalArgument(f"pipeline with id [{action.pipeline}] does not exist")
    item.error = error
    return item, problems


def _source_error(source: bytes) -> ApiError | None:
    """What can be said of a source without reading it."""
    if not source:
        return DocumentParsing("[0:0] failed to parse, document is empty")
    return None if source.lstrip()[:1] == b"{" else not_xcontent()


# -- action lines ------------------------------------------------------------------------------------------------


def _read_action(line: bytes, number: int, defaults: BulkDefaults) -> _Action:
    try:
        parsed = orjson.loads(line)
    except orjson.JSONDecodeError:
        parsed = _lenient(line)
    if type(parsed) is not dict:
        raise _malformed(number, f"expected START_OBJECT but found [{token(parsed)}]")
    if not parsed:
        raise _malformed(number, "expected FIELD_NAME but found [END_OBJECT]")
    # The reference reads no further than the first member.
    kind, meta = next(iter(parsed.items()))
    if kind not in _OPS and kind != "update":
        raise _malformed(number, f"{_KNOWN} but found [{kind}]")
    if type(meta) is not dict:
        raise _malformed(number, f"expected START_OBJECT or END_OBJECT but found [{token(meta)}]")
    action = _Action(
        kind,
        defaults.index or None,
        routing=defaults.routing,
        require_alias=defaults.require_alias,
        require_data_stream=defaults.require_data_stream,
        pipeline=defaults.pipeline,
        returned=defaults.returned,
        plain=not (defaults.require_alias or defaults.require_data_stream)
        and defaults.pipeline is None,
    )
    quotes = 2
    for name, value in meta.items():
        quotes += 4 if type(value) is str else 2
        if name == "_id" and type(value) is str:
            action.id = value
            action.plain = action.plain and 0 < len(value) <= 128
        elif name == "_index" and type(value) is str:
            action.index = value
        else:
            action.plain = False
            _read_member(action, name, value, number)
    if line.count(b'"') != quotes:
        # A repeated key has vanished, or the line holds more than its first member: the scan tells which.
        _lenient(line)
    return action


def _lenient(line: bytes) -> Any:
    """A line with comments, with something after its object, or without its last brace: all are accepted.

    Raises XContentParseError, XContentEofError for anything else.
    """
    try:
        return read_json(line, eof_is_own_type=True)
    except XContentEofError:
        try:
            return orjson.loads(line + b"}")
        except orjson.JSONDecodeError:
            pass  # the first error says it better
        raise


def _read_member(action: _Action, name: str, value: Any, number: int) -> None:
    if type(value) in (dict, list):
        if name == "_source" and type(value) is dict:
            action.returned = source_filter_of_body(value)
            return
        if name == "dynamic_templates" and type(value) is dict:
            return
        raise _malformed(
            number, f"expected a simple value for field [{name}] but found [{token(value)}]"
        )
    if name in _TEXTS:
        if value is not None:
            _set_text(action, name, _as_text(value))
    elif name in _NUMBERS:
        if value is not None:
            setattr(action, name, _number(name, value))
    elif name in ("require_alias", "require_data_stream"):
        setattr(action, name, boolean(name, _as_text(value)))
    elif name == "_source":
        action.returned = source_filter_of_body(value)
    elif name not in _FLAGS:
        raise IllegalArgument(
            f"Action/metadata line [{number}] contains an unknown parameter [{name}]"
        )


def _set_text(action: _Action, name: str, text: str) -> None:
    match name:
        case "op_type":
            # The reference looks for one value only, and ignores the others.
            if action.kind == "index" and text == "create":
                action.kind = text
        case "version_type":
            action.version_type = version_type_of(text)
        case _:
            setattr(action, name.removeprefix("_"), text)


def _as_text(value: Any) -> str:
    return value if type(value) is str else orjson.dumps(value).decode()


def _number(name: str, value: Any) -> int:
    if type(value) is int:
        return value
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        kind = NumberFormatError if name == "retry_on_conflict" else IllegalArgument
        raise kind(f'For input string: "{value}"') from error


def _malformed(number: int, problem: str) -> IllegalArgument:
    return IllegalArgument(f"Malformed action/metadata line [{number}], {problem}")
