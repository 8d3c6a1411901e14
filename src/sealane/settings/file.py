"""A node's settings as its file and its command line give them.

`sealane.yml` is YAML with nested or dotted keys; `-E key=value` goes over it. What the keys mean
is the registry's.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from sealane.errors import IllegalArgument, SettingsError
from sealane.settings.text import Value, flatten
from sealane.settings.values import Settings

_VARIABLE = re.compile(r"\$\{([^}:]+)(?::([^}]*))?\}")
_FILE_MAX_BYTES = 1024 * 1024


class _Loader(yaml.SafeLoader):
    """Keeps scalars as written (`8.10` is a text) but for nulls; refuses a key that comes twice."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - the base class declares it so


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        if key in found:
            line = key_node.start_mark.line + 1
            raise SettingsError(f"duplicate settings key [{key}] found at line number [{line}]")
        found[key] = loader.construct_object(value_node, deep=True)
    return found


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool",
    re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"),
    list("tTfF"),
)


def parse_file(text: str, source: str) -> Settings:
    """Settings of a file's text. `source` names it in errors. Raises SettingsError."""
    try:
        data = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise SettingsError(f"[{source}] is not valid YAML{place}: {problem}") from error
    if data is None:
        return Settings()
    if not isinstance(data, Mapping):
        raise SettingsError(f"[{source}] must hold keys and values, not {type(data).__name__}")
    duplicate = _said_twice(data)
    if duplicate is not None:
        raise SettingsError(f"[{source}] sets [{duplicate}] twice, nested and dotted")
    return Settings({k: v for k, v in flatten(data).items() if v is not None})


def read_file(path: Path) -> Settings:
    """Settings of the file at `path`. Raises SettingsError where it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingsError(f"cannot read settings from [{path}]: {reason}") from error
    if len(data) > _FILE_MAX_BYTES:
        raise SettingsError(f"[{path}] is larger than 1mb")
    try:
        return parse_file(data.decode("utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise SettingsError(f"[{path}] is not valid UTF-8 at byte {error.start}") from error


def parse_overrides(pairs: Iterable[str]) -> Settings:
    """Settings of `-E key=value` arguments. Raises IllegalArgument for a malformed or repeated
    one.
    """
    found: dict[str, Value] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        key = key.strip()
        if not equals or not key:
            raise IllegalArgument(f"-E takes key=value, not [{pair}]")
        if key in found:
            raise IllegalArgument(f"setting [{key}] set twice via command line -E")
        if not value:
            raise IllegalArgument(f"setting [{key}] must not be empty")
        found[key] = _listed(key, value)
    return Settings(found)


def _listed(key: str, text: str) -> Value:
    """A value in brackets is a list, as in the file: how else would `[]` be said."""
    if not (text.startswith("[") and text.endswith("]")):
        return text
    try:
        items = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError:
        return text  # an IPv6 address
    if not isinstance(items, list) or any(isinstance(each, list | dict) for each in items):
        return text
    return flatten({key: items})[key] or ()


def node_settings(
    file: Settings, overrides: Settings, variable: Callable[[str], str | None]
) -> Settings:
    """The file with the command line over it; `${NAME}` and `${NAME:default}` come from `variable`.

    Raises IllegalArgument for a variable that is not set.
    """
    merged = file.merged(overrides)
    return Settings({key: _expand(value, key, variable) for key, value in merged.items()})


def _expand(value: Value, key: str, variable: Callable[[str], str | None]) -> Value:
    def replacement(match: re.Match[str]) -> str:
        found = variable(match[1])
        if found is None:
            found = match[2]
        if found is None:
            raise IllegalArgument(f"setting [{key}]: could not resolve placeholder '{match[1]}'")
        return found

    if isinstance(value, str):
        return _VARIABLE.sub(replacement, value)
    return tuple(_VARIABLE.sub(replacement, item) for item in value)


def _said_twice(data: Mapping[str, Any]) -> str | None:
    seen: set[str] = set()

    def walk(nested: Mapping[str, Any], prefix: str) -> str | None:
        for key, value in nested.items():
            path = f"{prefix}{key}"
            if isinstance(value, Mapping):
                found = walk(value, f"{path}.")
                if found is not None:
                    return found
            elif path in seen:
                return path
            seen.add(path)
        return None

    return walk(data, "")
