"""The queries that look for terms by their form: wildcard, regexp, fuzzy, and terms_set."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.query.cursor import Cursor, as_bool, as_int, text_of
from sealane.query.fuzziness import fuzziness_of
from sealane.query.located import token
from sealane.query.members import (
    common,
    read_common,
    required_field,
    single_field,
    text_or_none,
    unsupported_member,
)

_REGEXP_FLAGS = {
    "INTERSECTION": 0x01,
    "COMPLEMENT": 0x02,
    "EMPTY": 0x04,
    "ANYSTRING": 0x08,
    "INTERVAL": 0x20,
    "NONE": 0,
    "ALL": 0xFF,
}


def wildcard(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    """`{"field": "te*t"}` or `{"field": {"value": "te*t", ...}}`."""
    field = required_field(single_field(cursor, "wildcard", members))
    body = members[field]
    found: dict[str, Any] = {}
    if not isinstance(body, dict):
        found["value"] = text_or_none(cursor, members, field)
    else:
        for name in body:
            if name in ("value", "wildcard"):
                found["value"] = _text(cursor, body, name)
            elif name == "rewrite":
                found[name] = text_or_none(cursor, body, name)
            elif name == "case_insensitive":
                found[name] = as_bool(cursor, body, name)
            elif not read_common(cursor, body, name, found):
                raise unsupported_member(cursor, "wildcard", body, name)
    if found.get("value") is None:
        raise IllegalArgument("value cannot be null")
    return dsl.Wildcard(
        field=field,
        value=found["value"],
        case_insensitive=found.get("case_insensitive", False),
        rewrite=found.get("rewrite"),
        **common(found),
    )


def _text(cursor: Cursor, members: Mapping[str, Any], name: str) -> str:
    text = text_or_none(cursor, members, name)
    if text is None:
        raise IllegalArgument(
            f"Expected text at {cursor.value(members, name)} but found VALUE_NULL"
        )
    return text


def regexp(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    """`{"field": "te.*t"}` or `{"field": {"value": "te.*t", ...}}`."""
    field = required_field(single_field(cursor, "regexp", members))
    body = members[field]
    found: dict[str, Any] = {}
    if not isinstance(body, dict):
        found["value"] = text_or_none(cursor, members, field)
    else:
        for name in body:
            _regexp_member(cursor, body, name, found)
    if found.get("value") is None:
        raise IllegalArgument("value cannot be null")
    return dsl.Regexp(
        field=field,
        value=found["value"],
        flags=found.get("flags", 0xFF),
        case_insensitive=found.get("case_insensitive", False),
        rewrite=found.get("rewrite"),
        **common(found),
    )


def _regexp_member(
    cursor: Cursor, body: Mapping[str, Any], name: str, found: dict[str, Any]
) -> None:
    if name in ("value", "rewrite"):
        found[name] = text_or_none(cursor, body, name)
    elif name == "flags":
        found[name] = _flags(text_or_none(cursor, body, name))
    elif name == "flags_value":
        found["flags"] = as_int(cursor, body, name)
    elif name == "max_determinized_states":
        as_int(cursor, body, name)  # nothing is determinized as a whole here
    elif name == "case_insensitive":
        found[name] = as_bool(cursor, body, name)
    elif not read_common(cursor, body, name, found):
        raise unsupported_member(cursor, "regexp", body, name)


def _flags(text: str | None) -> int:
    if not text:
        return 0xFF
    flags = 0
    for name in text.split("|"):
        if not name:
            continue
        if name.upper() not in _REGEXP_FLAGS:
            raise IllegalArgument(f"Unknown regexp flag [{name}]")
        flags |= _REGEXP_FLAGS[name.upper()]
    return flags


def fuzzy(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    """`{"field": "tets"}` or `{"field": {"value": "tets", "fuzziness": 1, ...}}`."""
    field = single_field(cursor, "fuzzy", members)
    if not field:
        raise IllegalArgument("field name cannot be null or empty")
    body = members[field]
    if isinstance(body, list):
        if body:
            cursor.value(body, 0)
        raise cursor.error(
            f"[fuzzy] query doesn't support multiple fields, found [{field}] and [null]"
        )
    found: dict[str, Any] = {}
    if not isinstance(body, dict):
        found["value"] = body
    else:
        for name in body:
            _fuzzy_member(cursor, body, name, found)
    if found.get("value") is None:
        raise IllegalArgument("query value cannot be null")
    return dsl.Fuzzy(
        field=field,
        value=found["value"],
        fuzzing=dsl.Fuzzing(
            fuzziness=found.get("fuzziness", dsl.Fuzziness()),
            prefix_length=found.get("prefix_length", 0),
            max_expansions=found.get("max_expansions", 50),
            transpositions=found.get("transpositions", True),
            rewrite=found.get("rewrite"),
        ),
        **common(found),
    )


def _fuzzy_member(
    cursor: Cursor, body: Mapping[str, Any], name: str, found: dict[str, Any]
) -> None:
    value = body[name]
    if not isinstance(value, str | int | float):
        cursor.value(body, name)
        raise cursor.error(f"[fuzzy] unexpected token [{token(value)}] after [{name}]")
    if name in ("value", "term"):
        found["value"] = value
    elif name == "fuzziness":
        found[name] = fuzziness_of(value)
    elif name in ("prefix_length", "max_expansions"):
        found[name] = as_int(cursor, body, name)
    elif name == "transpositions":
        found[name] = as_bool(cursor, body, name)
    elif name == "rewrite":
        found[name] = text_of(value)
    elif not read_common(cursor, body, name, found):
        raise unsupported_member(cursor, "fuzzy", body, name)


def terms_set(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    """`{"field": {"terms": [...], "minimum_should_match_field": "n"}}`."""
    field = next(iter(members), None)
    body = None if field is None else members[field]
    if field is None or not isinstance(body, dict):
        if field is None:
            cursor.end(members)
        else:
            cursor.value(members, field)
        shown = "END_OBJECT" if field is None else token(body)
        raise cursor.error(f"[terms_set] unknown token [{shown}]")
    found: dict[str, Any] = {}
    for name in body:
        _terms_set_member(cursor, body, name, found)
    _single_body(cursor, members, field)
    return dsl.TermsSet(
        field=field,
        values=tuple(found.get("terms", ())),
        minimum_field=found.get("field"),
        minimum=found.get("minimum"),
        **common(found),
    )


def _single_body(cursor: Cursor, members: Mapping[str, Any], field: str) -> None:
    others = [name for name in members if name != field]
    if others:
        cursor.key(members, others[0])
        raise cursor.error("[terms_set] unknown token [FIELD_NAME]")


def _terms_set_member(
    cursor: Cursor, body: Mapping[str, Any], name: str, found: dict[str, Any]
) -> None:
    value = body[name]
    if isinstance(value, list):
        if name != "terms":
            raise unsupported_member(cursor, "terms_set", body, name)
        found["terms"] = _terms(cursor, value)
    elif isinstance(value, dict):
        if name != "minimum_should_match_script":
            cursor.value(body, name)
            raise cursor.error(f"[terms_set] unknown token [{token(value)}] after [{name}]")
        raise cursor.error(
            "[terms_set] [minimum_should_match_script] is not supported: use "
            "[minimum_should_match_field] or [minimum_should_match]"
        )
    elif name in ("minimum_should_match_field", "minimum_should_match"):
        if "field" in found or "minimum" in found:
            raise IllegalArgument(
                "A field or script has already been specified. Cannot specify both a value and a "
                "script or field"
                if name == "minimum_should_match"
                else "A script has already been specified. Cannot specify both a field and script"
            )
        found["minimum" if name == "minimum_should_match" else "field"] = text_of(value)
    elif not read_common(cursor, body, name, found):
        raise unsupported_member(cursor, "terms_set", body, name)


def _terms(cursor: Cursor, values: list[Any]) -> list[dsl.Scalar]:
    for index, value in enumerate(values):
        if value is None:
            cursor.value(values, index)
            raise cursor.error("No value specified for terms query")
        if isinstance(value, list | dict):
            cursor.value(values, index)
            raise cursor.error(f"[terms_set] unknown token [{token(value)}] after [terms]")
    return values
