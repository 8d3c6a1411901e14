"""`?q=`: a query in Lucene's syntax in the URL, with the parameters that belong to it. It takes the body's place."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.rest.params import Parser, boolean, string

URL_QUERY_PARAMS: dict[str, Parser] = {
    "q": string,
    "df": string,
    "analyzer": string,
    "analyze_wildcard": boolean,
    "default_operator": string,
    "lenient": boolean,
}
_MEMBERS = {
    "df": "default_field",
    "analyzer": "analyzer",
    "analyze_wildcard": "analyze_wildcard",
    "lenient": "lenient",
    "default_operator": "default_operator",
}


def url_query(params: Mapping[str, Any]) -> dict[str, Any]:
    """The query of `q`, as a body has it."""
    options = {member: params[name] for name, member in _MEMBERS.items() if name in params}
    return {"query_string": {"query": params["q"], **options}}


def refuse_lost_options(params: Mapping[str, Any], path: str) -> None:
    """As `check_url_query`, where the reference looks for the options only beside a query."""
    lost = [] if "q" in params else sorted(name for name in _MEMBERS if name in params)
    if lost:
        listed = ", ".join(f"[{name}]" for name in lost)
        plural = "s" if len(lost) > 1 else ""
        raise IllegalArgument(f"request [{path}] contains unrecognized parameter{plural}: {listed}")


def check_url_query(params: Mapping[str, Any], path: str) -> None:
    """Raises IllegalArgument for options of a query that is not there."""
    if "q" in params:
        return
    lost = [name for name in _MEMBERS if name in params]
    if lost:
        raise IllegalArgument(
            f"request [{path}] contains parameters [{', '.join(lost)}] but missing query string "
            "parameter 'q'."
        )
