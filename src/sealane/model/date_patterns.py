"""The elements a date format is made of: how each is read and written.

A format is a row of elements. Each has a regular expression with one group a field, and a function that writes it.
The letters are Java's; the named formats of the reference are rows of the same elements with other widths.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property

from sealane.errors import IllegalArgument
from sealane.model.civil import Civil, days_from_civil, is_leap

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_ZONE_TEXT = r"Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?|[A-Za-z][A-Za-z0-9~/._+-]*"


@dataclass(frozen=True, slots=True)
class Moment:
    """What is written: local date and time of day, with where it is."""

    date: Civil
    offset_ms: int
    zone: tzinfo

    @property
    def day_of_year(self) -> int:
        return days_from_civil(*self.date[:3]) - days_from_civil(self.date.year, 1, 1) + 1

    @property
    def weekday(self) -> int:
        """1 is Monday."""
        return (days_from_civil(*self.date[:3]) + 3) % 7 + 1

    @property
    def week(self) -> tuple[int, int]:
        """ISO year and week."""
        year = self.date.year
        week = (self.day_of_year - self.weekday + 10) // 7
        if week < 1:
            return year - 1, weeks_in(year - 1)
        if week > weeks_in(year):
            return year + 1, 1
        return year, week


def weeks_in(year: int) -> int:
    january_1 = (days_from_civil(year, 1, 1) + 3) % 7
    return 53 if january_1 == 3 or (january_1 == 2 and is_leap(year)) else 52


@dataclass(frozen=True, slots=True)
class Element:
    """`pattern` has one group for each of `fields`, in order."""

    pattern: str
    fields: tuple[str, ...]
    write: Callable[[Moment], str]


@dataclass(frozen=True)
class Row:
    """Elements in order, and the whole row's regular expression."""

    elements: tuple[Element, ...]

    @cached_property
    def regex(self) -> "re.Pattern[str]":
        return re.compile("".join(each.pattern for each in self.elements) + r"\Z")

    @cached_property
    def fields(self) -> tuple[str, ...]:
        return tuple(name for each in self.elements for name in each.fields)

    def write(self, moment: Moment) -> str:
        return "".join(each.write(moment) for each in self.elements)

    def first_problem(self, text: str) -> str:
        """Where a text that does not match stops being one, in Java's words."""
        at = 0
        for count in range(1, len(self.elements) + 1):
            prefix = "".join(each.pattern for each in self.elements[:count])
            matched = re.match(prefix, text)
            if not matched:
                return f"Text '{text}' could not be parsed at index {at}"
            at = matched.end()
        return f"Text '{text}' could not be parsed, unparsed text found at index {at}"


_READ: dict[str, Callable[[Moment], int]] = {
    "year": lambda m: m.date.year,
    "year_of_era": lambda m: m.date.year if m.date.year > 0 else 1 - m.date.year,
    "month": lambda m: m.date.month,
    "day": lambda m: m.date.day,
    "day_of_year": lambda m: m.day_of_year,
    "week_year": lambda m: m.week[0],
    "week": lambda m: m.week[1],
    "weekday": lambda m: m.weekday,
    "quarter": lambda m: (m.date.month + 2) // 3,
    "hour": lambda m: m.date.ms_of_day // 3_600_000,
    "clock_hour": lambda m: m.date.ms_of_day // 3_600_000 or 24,
    "hour_of_half": lambda m: m.date.ms_of_day // 3_600_000 % 12,
    "clock_hour_of_half": lambda m: m.date.ms_of_day // 3_600_000 % 12 or 12,
    "minute": lambda m: m.date.ms_of_day // 60_000 % 60,
    "second": lambda m: m.date.ms_of_day // 1000 % 60,
    "milli_of_day": lambda m: m.date.ms_of_day,
    "nano": lambda m: m.date.ms_of_day % 1000 * 1_000_000,
}


def number(field: str, at_least: int, at_most: int, *, signed: bool = False) -> Element:
    read = _READ[field]

    def write(moment: Moment) -> str:
        value = read(moment)
        digits = str(abs(value)).rjust(at_least, "0")
        if value < 0:
            return f"-{digits}"
        # Java marks a year that is longer than its pattern.
        return f"+{digits}" if at_least >= 4 and len(digits) > at_least else digits

    sign = "[+-]?" if signed else ""
    width = f"{{{at_least}}}" if at_least == at_most else f"{{{at_least},{at_most}}}"
    return Element(rf"({sign}[0-9]{width})", (field,), write)


def literal(text: str) -> Element:
    return Element(re.escape(text), (), lambda _: text)


def names(field: str, table: Sequence[str]) -> Element:
    read = _READ[field]
    longest_first = sorted(table, key=len, reverse=True)
    return Element(
        f"({'|'.join(map(re.escape, longest_first))})",
        (f"{field}_name",),
        lambda moment: table[read(moment) - 1],
    )


def fraction(at_least: int, at_most: int, *, point: bool = False, shown: int = 3) -> Element:
    """Digits after the second; with `point`, the decimal point before them as well."""
    lead, dot = (r"[.,]", ".") if point else ("", "")
    return Element(
        rf"{lead}([0-9]{{{at_least},{at_most}}})",
        ("fraction",),
        lambda moment: dot + f"{moment.date.ms_of_day % 1000:03d}000000"[:shown],
    )


def half() -> Element:
    return Element("(AM|PM)", ("half",), lambda m: "AM" if m.date.ms_of_day < 43_200_000 else "PM")


def offset(*, zero: str, colon: bool, minutes: str = "always") -> Element:
    """`minutes` says when they are written: `always`, `unless_zero` or `never`."""

    def write(moment: Moment) -> str:
        if moment.offset_ms == 0:
            return zero
        total = abs(moment.offset_ms) // 60_000
        text = f"{'-' if moment.offset_ms < 0 else '+'}{total // 60:02d}"
        if minutes == "always" or (minutes == "unless_zero" and total % 60):
            text += f"{':' if colon else ''}{total % 60:02d}"
        return text

    separator = ":" if colon else ""
    tail = {
        "always": rf"{separator}\d\d",
        "unless_zero": rf"(?:{separator}\d\d)?",
        "never": "",
    }[minutes]
    return Element(rf"({re.escape(zero)}|[+-]\d\d{tail})", ("zone",), write)


def any_zone(*, colon: bool = True) -> Element:
    return Element(f"({_ZONE_TEXT})", ("zone",), offset(zero="Z", colon=colon).write)


def zone_name() -> Element:
    def write(moment: Moment) -> str:
        return getattr(moment.zone, "key", None) or (
            "Z" if moment.offset_ms == 0 else offset(zero="Z", colon=True).write(moment)
        )

    return Element(f"({_ZONE_TEXT})", ("zone",), write)


def optional(inner: Sequence[Element]) -> Element:
    row = Row(tuple(inner))
    return Element(f"(?:{''.join(e.pattern for e in inner)})?", row.fields, row.write)


_NUMBERS = {
    "M": "month",
    "L": "month",
    "d": "day",
    "H": "hour",
    "k": "clock_hour",
    "K": "hour_of_half",
    "h": "clock_hour_of_half",
    "m": "minute",
    "s": "second",
    "w": "week",
    "e": "weekday",
    "c": "weekday",
}


def _letters(letter: str, count: int) -> Element | None:
    """The element of one run of a pattern letter; None for a letter without a meaning."""
    match letter:
        case "y" | "u" | "Y":
            field = {"y": "year_of_era", "u": "year", "Y": "week_year"}[letter]
            if count == 2:
                read = _READ[field]
                return Element("([0-9]{2})", (f"{field}_2000",), lambda m: f"{read(m) % 100:02d}")
            return number(field, count, max(9, count), signed=letter != "y")
        case "E" | "M" | "L" | "e" | "c" if count <= 5 and (letter == "E" or count >= 3):
            field, table = ("month", MONTHS) if letter in "ML" else ("weekday", DAYS)
            if count == 4:
                return names(field, table)
            width = 1 if count == 5 else 3
            return names(field, [name[:width] for name in table])
        case _ if letter in _NUMBERS and count <= 2:
            return number(_NUMBERS[letter], count, 2)
        case "D" if count <= 3:
            return number("day_of_year", count, 3)
        case "Q" | "q" if count <= 2:
            return number("quarter", count, 2)
        case "S" if count <= 9:
            return fraction(count, count, shown=count)
        case "n":
            return number("nano", count, max(9, count))
        case "A":
            return number("milli_of_day", count, max(9, count))
        case "a" if count == 1:
            return half()
        case "Z":
            return offset(zero="+0000", colon=False) if count < 4 else offset(zero="Z", colon=True)
        case "X" | "x" if count <= 5:
            colon, minutes = count in (3, 5), "unless_zero" if count == 1 else "always"
            zero = "Z" if letter == "X" else {1: "+00", 2: "+0000", 4: "+0000"}.get(count, "+00:00")
            return offset(zero=zero, colon=colon, minutes=minutes)
        case "z" | "V" | "v" | "O":
            return zone_name()
        case "G":
            return Element("(AD|BC)", ("era",), lambda m: "AD" if m.date.year > 0 else "BC")
    return None


_MAX_WIDTH = 19
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|(\[)|(\])|([{}#])|(.)", re.DOTALL)


def compile_pattern(text: str) -> Row:
    """The row of a Java pattern. Raises IllegalArgument with Java's text where it is none."""
    stack: list[list[Element]] = [[]]
    at = 0
    while at < len(text):
        if text[at] == "'" and not _TOKEN.match(text, at).group(1) and text[at : at + 2] != "''":  # type: ignore[union-attr]
            raise _invalid(text, f"Pattern ends with an incomplete string literal: {text}")
        token = _TOKEN.match(text, at)
        assert token is not None
        at = token.end()
        quoted, letter, opens, closes, reserved, other = token.groups()
        if quoted is not None:
            stack[-1].append(literal(quoted.replace("''", "'") or "'"))
        elif letter is not None:
            stack[-1].append(_run(text, letter, len(token.group())))
        elif opens:
            stack.append([])
        elif closes:
            if len(stack) == 1:
                raise _invalid(text, "Pattern invalid as it contains ] without previous [")
            inner = stack.pop()
            stack[-1].append(optional(inner))
        elif reserved:
            raise _invalid(text, f"Pattern includes reserved character: '{reserved}'")
        else:
            stack[-1].append(literal(other))
    while len(stack) > 1:
        inner = stack.pop()
        stack[-1].append(optional(inner))
    return Row(tuple(stack[0]))


def _run(pattern: str, letter: str, count: int) -> Element:
    if letter in "yuYnA" and count > _MAX_WIDTH:
        reason = f"The minimum width must be from 1 to {_MAX_WIDTH} inclusive but was {count}"
        raise _invalid(pattern, reason)
    element = _letters(letter, count)
    if element is None:
        known = letter in "GyuYDMLQqwWdEecahHkKmsSAnNVvzOXxZ"
        problem = "Too many pattern letters" if known else "Unknown pattern letter"
        raise _invalid(pattern, f"{problem}: {letter}")
    return element


def _invalid(pattern: str, problem: str) -> IllegalArgument:
    return IllegalArgument(
        f"Invalid format: [{pattern}]: {problem}", caused_by=IllegalArgument(problem)
    )
