"""The body of a count: a query, and nothing else."""

from typing import Any

from sealane.errors import ParsingError
from sealane.query.json_text import decode
from sealane.query.located import scan, token


def parse_count_body(raw: bytes) -> dict[str, Any]:
    """The body's members: `query` or none. Raises ParsingError for others, and what malformed JSON raises."""
    body = {} if not raw.strip() else decode(raw)
    if not isinstance(body, dict):
        raise ParsingError(f"Expected [START_OBJECT] but found [{token(body)}]", line=1, col=1)
    other = next((name for name in body if name != "query"), None)
    if other is not None:
        line, col = scan(raw).value.keys_at[other]
        raise ParsingError(f"request does not support [{other}]", line=line, col=col)
    return body
