"""Turning an answer's JSON into what the client asked to see: filtered, indented, as YAML, as plain text."""

from typing import Any

from sealane.query.any_json import dumps, loads
from sealane.rest.filter_path import FilterPath


def render_json(body: bytes, *, filter_path: FilterPath | None, pretty: bool) -> bytes:
    if not filter_path and not pretty:
        return body
    data = loads(body)
    if filter_path:
        data = filter_path.apply(data)
    return pretty_json(data) if pretty else dumps(data)


def render_yaml(body: bytes, *, filter_path: FilterPath | None) -> bytes:
    data = loads(body)
    if filter_path:
        data = filter_path.apply(data)
    lines: list[str] = ["---"]
    _yaml(data, "", lines)
    return ("\n".join(lines) + "\n").encode()


def pretty_json(data: Any) -> bytes:
    """Two spaces a level, a space on either side of the colon, an end of line at the end: the reference's printer."""
    out: list[str] = []
    _pretty(data, "\n", out)
    out.append("\n")
    return "".join(out).encode()


def _pretty(value: Any, margin: str, out: list[str]) -> None:
    if isinstance(value, dict):
        if not value:
            out.append("{ }")
            return
        inner = margin + "  "
        separator = "{"
        for name, each in value.items():
            out.append(f"{separator}{inner}{_scalar(name)} : ")
            _pretty(each, inner, out)
            separator = ","
        out.append(f"{margin}}}")
    elif isinstance(value, list):
        if not value:
            out.append("[ ]")
        elif any(isinstance(each, dict | list) for each in value) or len(value) > 0:
            inner = margin + "  "
            separator = "["
            for each in value:
                out.append(f"{separator}{inner}")
                _pretty(each, inner, out)
                separator = ","
            out.append(f"{margin}]")
    else:
        out.append(_scalar(value))


def _scalar(value: Any) -> str:
    return dumps(value).decode()


def _yaml(value: Any, margin: str, lines: list[str]) -> None:
    """Appends to the last line what belongs there, and the rest as new lines."""
    if isinstance(value, dict) and value:
        for name, each in value.items():
            _yaml_entry(f"{margin}{_yaml_name(name)}:", each, margin, lines)
    elif isinstance(value, list) and value:
        for each in value:
            if isinstance(each, dict | list) and each:
                before = len(lines)
                _yaml(each, margin + "  ", lines)
                lines[before] = f"{margin}- " + lines[before][len(margin) + 2 :]
            else:
                lines.append(f"{margin}- {_yaml_scalar(each)}")
    else:
        lines[-1] += f" {_yaml_scalar(value)}"


def _yaml_entry(head: str, value: Any, margin: str, lines: list[str]) -> None:
    if isinstance(value, dict) and value:
        lines.append(head)
        _yaml(value, margin + "  ", lines)
    elif isinstance(value, list) and value:
        lines.append(head)
        _yaml(value, margin, lines)
    else:
        lines.append(f"{head} {_yaml_scalar(value)}")


def _yaml_name(name: str) -> str:
    plain = name.replace("_", "").replace(".", "").replace("-", "")
    return name if plain.isalnum() and not name[0].isdigit() and name[0] != "-" else _scalar(name)


def _yaml_scalar(value: Any) -> str:
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return "[]"
    return _scalar(value)
