"""The rules of role mappings: which users of a realm are meant. Pure: reads them, and asks them of a user.

{"field": {"dn": "CN=a,*"}}   any of the values fits; `*` stands for any text, `/.../` is a regular expression
{"all": [...]} {"any": [...]} {"except": {...}}, the last within `all` only
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sealane.errors import ParseError
from sealane.security.rules import names

DEPTH_MAX: Final = 32
RULES_MAX: Final = 1_000
FIELDS: Final = frozenset({"username", "dn", "groups", "realm.name", "realm.type"})
UserFields = Mapping[str, Sequence[str | None]]
"""What is known of a user, by field; several values for `groups`."""


class RuleError(ParseError):
    """Rules that are malformed. `place` is where, as far as the rules know their places."""

    def __init__(self, what: str, place: object = None) -> None:
        super().__init__(f"failed to parse rules expression. {what}")
        self.place = place


def check(rules: Any, name: str) -> None:
    """Judges the rules of a mapping. Raises RuleError, with the reference's texts."""
    _check(rules, name, depth=0, may_except=False, left=[RULES_MAX])


def matches(rules: Mapping[str, Any], user: UserFields) -> bool:
    """Whether rules that have been judged mean this user. Rules of an unknown kind mean nobody."""
    for kind, value in rules.items():
        match kind:
            case "all":
                return all(matches(each, user) for each in _listed(value))
            case "any":
                return any(matches(each, user) for each in _listed(value))
            case "except":
                return not matches(value, user)
            case "field":
                return all(_fits(field, wanted, user) for field, wanted in value.items())
    return False


def _check(rules: Any, name: str, *, depth: int, may_except: bool, left: list[int]) -> None:
    left[0] -= 1
    if depth > DEPTH_MAX or left[0] < 0:
        raise RuleError("the expression is too large")
    if not isinstance(rules, dict):
        raise RuleError(f"expected to find [START_OBJECT] but found [{_token(rules)}] instead")
    _check_single(rules, name)
    ((kind, value),) = rules.items()
    at = getattr(rules, "keys_at", {}).get(kind)
    match kind:
        case "all" | "any":
            if not isinstance(value, (list, dict)):
                raise RuleError(f"field [{kind}] requires an array")
            for each in _listed(value):
                _check(each, kind, depth=depth + 1, may_except=kind == "all", left=left)
        case "except":
            if not may_except:
                raise RuleError(f"field [{kind}] is not allowed within [{name}]", at)
            _check(value, kind, depth=depth + 1, may_except=False, left=left)
        case "field":
            _check_field(value)
        case _:
            raise RuleError(f"field [{kind}] is not recognised in object [{name}]", at)


def _check_single(rules: dict[str, Any], name: str) -> None:
    if not rules:
        raise RuleError(f"object [{name}] does not contain any fields", getattr(rules, "end", None))
    if len(rules) > 1:
        second = list(rules)[1]
        place = getattr(rules, "keys_at", {}).get(second)
        raise RuleError(f"object [{name}] contains multiple fields", place)


def _check_field(value: Any) -> None:
    if not isinstance(value, dict):
        raise RuleError(f"expected to find [START_OBJECT] but found [{_token(value)}] instead")
    _check_single(value, "field")
    ((_, wanted),) = value.items()
    for each in wanted if isinstance(wanted, list) else [wanted]:
        if isinstance(each, (dict, list)):
            raise RuleError("expected a field value but found [START_OBJECT] instead")


def _fits(field: str, wanted: Any, user: UserFields) -> bool:
    found = user.get(field, ())
    for each in wanted if isinstance(wanted, list) else [wanted]:
        if each is None and not found:
            return True
        if any(_is_value(each, value) for value in found):
            return True
    return False


def _is_value(wanted: Any, value: str | None) -> bool:
    if wanted is None or value is None:
        return wanted is value
    if isinstance(wanted, str):
        return names.matcher((wanted,))(value)
    return str(wanted) == value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _token(value: Any) -> str:
    match value:
        case list():
            return "START_ARRAY"
        case str():
            return "VALUE_STRING"
        case bool():
            return "VALUE_BOOLEAN"
        case None:
            return "VALUE_NULL"
    return "VALUE_NUMBER"
