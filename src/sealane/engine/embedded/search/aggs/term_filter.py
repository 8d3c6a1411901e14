"""`include` and `exclude` of terms: exact values, regular expressions, and one partition of all keys."""

from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.aggs.columns import Column
from sealane.engine.embedded.search.aggs.lucene_regex import compile_regex
from sealane.engine.mapping import FieldType
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.model.lucene_regexp import Pattern
from sealane.reduce.key_hashing import mix64, murmur3_32, sortable_long

RawKey = str | int | float
_Rule = frozenset[RawKey] | Pattern | None
_PARTITION_SEED = 31


class TermFilter:
    """Judges keys in the column's own form. `restricts` is False where it lets all pass."""

    def __init__(
        self,
        name: str,
        include: dsl.TermRule | None,
        exclude: dsl.TermRule | None,
        column: Column,
    ) -> None:
        """Raises IllegalArgument for values that the column cannot have, and for expressions over numbers."""
        self.restricts = include is not None or exclude is not None
        self._name = name
        self._column = column
        self._partition = include if isinstance(include, dsl.TermPartition) else None
        self._include = self._rule(include)
        self._exclude = self._rule(exclude)

    def _rule(self, rule: dsl.TermRule | None) -> _Rule:
        if rule is None or isinstance(rule, dsl.TermPartition):
            return None
        if isinstance(rule, str):
            if self._column.type not in ("keyword", None):
                numeric = self._column.type != "ip"
                raise IllegalArgument(
                    f"Aggregation [{self._name}] cannot support regular expression style "
                    "include/exclude settings as they can only be applied to string fields. Use "
                    + (
                        "an array of numeric values for include/exclude clauses used to filter "
                        "numeric fields"
                        if numeric
                        else "an array of values for include/exclude clauses"
                    )
                )
            return compile_regex(rule)
        return frozenset(self._exact(each) for each in rule)

    def _exact(self, value: dsl.Scalar) -> RawKey:
        match self._column.type:
            case "double":
                return _told_apart(float(values.decimal_of(value, FieldType.DOUBLE)))
            case "ip":
                return values.ip_column(values.text_of(value))
            case "boolean":
                text = values.text_of(value)
                if text not in ("true", "false"):
                    raise IllegalArgument(
                        f"Cannot parse boolean [{text}], expected either [true] or [false]"
                    )
                return int(text == "true")
            case "date":
                mapped = self._column.mapped
                assert mapped is not None
                return values.date(value, mapped, 0, round_up=False, fmt=None, zone=None)
            case "long":
                return int(values.decimal_of(value, FieldType.DOUBLE))
        return values.text_of(value)

    def __call__(self, key: RawKey) -> bool:
        if not self.restricts:
            return True
        if self._partition is not None:
            return self._hash(key) % self._partition.of == self._partition.number
        if self._column.type == "double":
            key = _told_apart(float(key))
        return (self._include is None or _holds(self._include, key)) and not (
            self._exclude is not None and _holds(self._exclude, key)
        )

    def _hash(self, key: RawKey) -> int:
        """As the reference hashes keys into partitions: text by its bytes, numbers by their bits."""
        match self._column.type:
            case "ip":
                return murmur3_32(bytes.fromhex(str(key)), _PARTITION_SEED)
            case "double":
                return mix64(sortable_long(float(key)))
        if isinstance(key, str):
            return murmur3_32(key.encode(), _PARTITION_SEED)
        return mix64(int(key))


def _told_apart(number: float) -> RawKey:
    """The two zeros are different keys, which no set of numbers knows."""
    return number or str(number)


def _holds(rule: "frozenset[RawKey] | Pattern", key: RawKey) -> bool:
    if isinstance(rule, frozenset):
        return key in rule
    return rule.fullmatch(str(key))
