"""Index options from query parameters."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model.search import IndicesOptions

STRICT = IndicesOptions()
"""Names must exist, patterns may match nothing; open indices only."""
OPEN_AND_CLOSED = IndicesOptions(expand_closed=True)
CLOSED_ONLY = IndicesOptions(expand_open=False, expand_closed=True)
CHANGING = IndicesOptions(allow_no_indices=False, expand_closed=True)
"""For what changes indices: a pattern has to match something."""
PERMISSIVE = IndicesOptions(expand_closed=True, expand_hidden=True)


def options_of(params: Mapping[str, Any], default: IndicesOptions) -> IndicesOptions:
    """`default`, changed by what the request says. Raises IllegalArgument for an unknown wildcard state."""
    if not params:
        return default
    options = default
    if "ignore_unavailable" in params:
        options = replace(options, ignore_unavailable=params["ignore_unavailable"])
    if "allow_no_indices" in params:
        options = replace(options, allow_no_indices=params["allow_no_indices"])
    if "expand_wildcards" in params:
        options = _expanding(options, params["expand_wildcards"])
    return options


def _expanding(options: IndicesOptions, states: tuple[str, ...]) -> IndicesOptions:
    open_, closed, hidden = False, False, False
    for state in states:
        match state:
            case "open":
                open_ = True
            case "closed":
                closed = True
            case "hidden":
                hidden = True
            case "all":
                open_ = closed = hidden = True
            case "none":
                open_ = closed = hidden = False
            case _:
                raise IllegalArgument(f"No valid expand wildcard value [{state}]")
    return replace(options, expand_open=open_, expand_closed=closed, expand_hidden=hidden)
