"""The body of an update, alone or as a line of a bulk: a partial document with what to do where there is none."""

from typing import Any

import orjson

from sealane.cluster.partial_updates import Update
from sealane.errors import ApiError, IllegalArgument, XContentParseError
from sealane.model.dsl import SourceFilter
from sealane.model.suggest import similarity
from sealane.rest.bodies import read_json
from sealane.rest.json_scan import line_and_column
from sealane.rest.source_filter import source_filter_of_body
from sealane.rest.tokens import token
from sealane.rest.write_rules import INTERNAL_VERSION, id_problems, seq_no_problems

_FIELDS = (
    "_source",
    "detect_noop",
    "doc",
    "doc_as_upsert",
    "if_primary_term",
    "if_seq_no",
    "script",
    "scripted_upsert",
    "upsert",
)
_FLAGS = ("detect_noop", "doc_as_upsert", "scripted_upsert")
_OBJECTS = ("doc", "upsert")
_NUMBERS = ("if_primary_term", "if_seq_no")


def read_update(
    body: bytes,
    doc_id: str,
    *,
    retry_on_conflict: int = 0,
    routing: str | None = None,
    if_seq_no: int | None = None,
    if_primary_term: int | None = None,
    as_upsert: bool = False,
    versioned: bool = False,
    returned: SourceFilter | None = None,
) -> tuple[Update, list[str], bool]:
    """The update, the rules it breaks, and whether it asks for a script.

    What the body says wins over the arguments, which come from the URL or the action line. Raises
    XContentParseError for a malformed body.
    """
    fields = _read_fields(body) if body else {}
    if_seq_no = fields.get("if_seq_no", if_seq_no)
    if_primary_term = fields.get("if_primary_term", if_primary_term)
    doc = fields.get("doc")
    as_upsert = fields.get("doc_as_upsert", as_upsert)
    upsert = doc if as_upsert else fields.get("upsert")
    if "_source" in fields:
        returned = source_filter_of_body(fields["_source"])
    problems = []
    if versioned:
        problems.append(INTERNAL_VERSION)
    problems += seq_no_problems(if_seq_no, if_primary_term)
    if if_seq_no is not None:
        if retry_on_conflict > 0:
            problems.append("compare and write operations can not be retried")
        if as_upsert:
            problems.append("compare and write operations can not be used with upsert")
        if "upsert" in fields:
            problems.append("upsert requests don't support `if_seq_no` and `if_primary_term`")
    scripted = "script" in fields
    if not scripted and doc is None:
        problems.append("script or doc is missing")
    if scripted and doc is not None:
        problems.append("can't provide both script and doc")
    if as_upsert and doc is None:
        problems.append("doc must be specified if doc_as_upsert is enabled")
    problems += id_problems(doc_id)
    update = Update(
        id=doc_id,
        doc=doc or {},
        upsert=None if upsert is None else orjson.dumps(upsert),
        detect_noop=fields.get("detect_noop", True),
        retry_on_conflict=max(0, retry_on_conflict),
        routing=routing,
        if_seq_no=if_seq_no,
        if_primary_term=if_primary_term,
        returned=returned if returned is not None and returned.enabled else None,
    )
    return update, problems, scripted


def refuse_script() -> IllegalArgument:
    return IllegalArgument(
        "failed to execute script",
        caused_by=IllegalArgument("script_lang not supported [painless]"),
    )


def _read_fields(body: bytes) -> dict[str, Any]:
    parsed = read_json(body)
    if not isinstance(parsed, dict):
        raise _fault(body, 0, f"Expected START_OBJECT but was: {token(parsed)}")
    for name, value in parsed.items():
        at = _key_offset(body, name)
        if name not in _FIELDS:
            raise _fault(body, at, f"unknown field [{name}]{_suggestion(name)}")
        value_at = at + len(name) + 3
        if name in _OBJECTS and not isinstance(value, dict):
            raise _fault(body, value_at, f"{name} doesn't support values of type: {token(value)}")
        if name in _NUMBERS and type(value) is not int:
            parsed[name] = _number(body, value_at, name, value)
        if (name == "script" and not isinstance(value, dict | str)) or (
            name == "_source" and type(value) in (int, float)
        ):
            raise _fault(body, value_at, f"{name} doesn't support values of type: {token(value)}")
        if name in _FLAGS and not isinstance(value, bool):
            parsed[name] = _flag(body, value_at, name, value)
    return parsed


def _flag(body: bytes, at: int, name: str, value: Any) -> bool:
    if value in ("true", "false"):
        return bool(value == "true")
    if not isinstance(value, str):
        raise _fault(body, at, f"{name} doesn't support values of type: {token(value)}")
    raise _fault(
        body,
        at,
        f"failed to parse field [{name}]",
        IllegalArgument(f"Failed to parse value [{value}] as only [true] or [false] are allowed."),
    )


def _number(body: bytes, at: int, name: str, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        pass  # told below, with its place
    if not isinstance(value, str | float):
        raise _fault(body, at, f"{name} doesn't support values of type: {token(value)}")
    cause = IllegalArgument(f'For input string: "{value}"')
    raise _fault(body, at, f"failed to parse field [{name}]", cause)


def _fault(body: bytes, at: int, problem: str, cause: ApiError | None = None) -> XContentParseError:
    line, column = line_and_column(body, at)
    return XContentParseError(f"[{line}:{column}] [UpdateRequest] {problem}", caused_by=cause)


def _key_offset(body: bytes, name: str) -> int:
    return max(0, body.find(orjson.dumps(name)))


def _suggestion(name: str) -> str:
    scored = [(similarity(name, each), each) for each in _FIELDS]
    close = [each for score, each in sorted(scored, key=lambda s: (-s[0], s[1])) if score > 0.5]
    if not close:
        return ""
    if len(close) == 1:
        return f" did you mean [{close[0]}]?"
    return f" did you mean any of [{', '.join(close)}]?"
