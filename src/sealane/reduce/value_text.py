"""Values of aggregations as text: under the request's format, or as their field's type has them."""

from math import isnan

from sealane.model.dates import DEFAULT_FORMAT, format_date
from sealane.reduce.number_format import decimal_format

_LONG_MAX = 2**63 - 1


def value_text(value: float, kind: str | None, wanted: str | None, own: str | None) -> str | None:
    """A value under the request's format, or its field's; None where neither writes it as text."""
    if kind == "date":
        return format_date(_as_long(value), wanted or own or DEFAULT_FORMAT)
    if kind == "boolean":
        return "true" if value else "false"
    return decimal_format(value, wanted) if wanted else None


def _as_long(value: float) -> int:
    """A double as Java makes it a long: what is no number is 0, what is too large the largest."""
    return 0 if isnan(value) else int(max(-(2.0**63), min(value, _LONG_MAX)))
