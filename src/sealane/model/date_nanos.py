"""Dates with nanoseconds, as text."""

import re

from sealane.model.dates import format_date

NS_IN_MS = 1_000_000
DEFAULT_NANOS_FORMAT = "strict_date_optional_time_nanos||epoch_millis"
_MILLIS = re.compile(r"\.(\d{3})(?=\D|$)")


def nanos_text(nanos: int, date_format: str) -> str:
    """With as many digits of its second as it needs, where the format shows fractions at all."""
    text = format_date(nanos // NS_IN_MS, date_format)
    rest = nanos % NS_IN_MS
    if not rest:
        return text
    first = date_format.split("||")[0]
    digits = f"{rest:06d}".rstrip("0")
    if first == "epoch_millis":
        return f"{text}.{digits}"
    if first in ("strict_date_optional_time", "strict_date_optional_time_nanos"):
        return _MILLIS.sub(lambda found: f".{found[1]}{digits}", text, count=1)
    return text
