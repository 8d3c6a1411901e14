"""Numbers as text: Java's own form of a double, and the patterns of `DecimalFormat` that `format` names."""

import re
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from math import isinf, isnan
from typing import NamedTuple


def java_double(value: float) -> str:
    """`1.0`, `1.0E7`, `-Infinity`: what Java prints."""
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = repr(float(value))
        return text if "e" not in text else f"{Decimal(text):f}"
    sign, digits, exponent = Decimal(repr(float(value))).normalize().as_tuple()
    assert isinstance(exponent, int)
    head, rest = str(digits[0]), "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{head}.{rest}E{exponent + len(digits) - 1}"


_EXACT_MAX = 2.0**53


class _Pattern(NamedTuple):
    prefix: str
    suffix: str
    least_whole: int
    least_fraction: int
    most_fraction: int
    group: int
    scale: int


_BODY = re.compile(r"[#0,]*(?:\.[0#]*)?")


@lru_cache(maxsize=128)
def _compiled(pattern: str) -> _Pattern:
    positive = pattern.split(";", 1)[0]
    quoted: list[str] = []

    def keep(found: "re.Match[str]") -> str:
        quoted.append(found[1] or "'")
        return chr(0xE000 + len(quoted) - 1)

    plain = re.sub(r"'([^']*)'", keep, positive)
    first = re.search(r"[#0,.]", plain) or re.search(r"$", plain)
    assert first is not None
    # A pattern without a digit is a prefix of whole numbers.
    body = _BODY.match(plain, first.start())
    assert body is not None
    whole, _, fraction = body[0].partition(".")
    prefix, suffix = (
        "".join(
            quoted[ord(c) - 0xE000] if 0xE000 <= ord(c) < 0xE000 + len(quoted) else c for c in part
        )
        for part in (plain[: first.start()], plain[body.end() :])
    )
    comma = whole.rfind(",")
    affixes = prefix + suffix
    return _Pattern(
        prefix,
        suffix,
        whole.count("0"),
        fraction.count("0"),
        len(fraction),
        len(whole) - comma - 1 if comma >= 0 else 0,
        100 if "%" in affixes else 1000 if "‰" in affixes else 1,
    )


def decimal_format(value: float, pattern: str) -> str:
    """The number by a pattern such as `#,##0.00`, half to even. Raises IllegalArgument when it is none."""
    form = _compiled(pattern)
    if isnan(value):
        return "NaN"
    sign = "-" if value < 0 else ""
    if isinf(value):
        return f"{sign}{form.prefix}∞{form.suffix}"
    # Beyond 2^53 only the digits that tell a double from its neighbours are written, and zeros after them.
    exact = abs(Decimal(value if abs(value) < _EXACT_MAX else repr(float(value))) * form.scale)
    rounded = exact.quantize(Decimal(1).scaleb(-form.most_fraction), rounding=ROUND_HALF_EVEN)
    whole, _, fraction = f"{rounded:f}".partition(".")
    fraction = fraction[: form.least_fraction] + fraction[form.least_fraction :].rstrip("0")
    whole = whole.lstrip("0").rjust(form.least_whole, "0")
    if not whole and not fraction:
        whole = "0"
    if form.group:
        whole = _grouped(whole, form.group)
    point = "." if fraction else ""
    return f"{sign}{form.prefix}{whole}{point}{fraction}{form.suffix}"


def _grouped(digits: str, size: int) -> str:
    head = len(digits) % size
    groups = [digits[:head]] if head else []
    groups += [digits[at : at + size] for at in range(head, len(digits), size)]
    return ",".join(groups)
