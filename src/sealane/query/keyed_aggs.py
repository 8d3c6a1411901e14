"""The aggregations whose buckets are values of fields, beyond terms: several, rare and significant ones."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.query.bucket_aggs import ORDER, collect_mode
from sealane.query.cursor import (
    BOOLEAN,
    NUMBER,
    OBJECT,
    STRING,
    STRING_ARRAY,
    VALUE,
    Cursor,
    Member,
    as_bool,
    as_float,
    plain,
    read_members,
)
from sealane.query.members import NamedObjectNotFound
from sealane.query.metric_aggs import (
    AggReader,
    at_least,
    missing_value,
    require_field,
    source_members,
)
from sealane.query.queries import parse_inner
from sealane.query.term_rules import TERM_RULES, VALUE_TYPE

_MAX_RARE = 100


def _counts(agg: str) -> dict[str, Member]:
    return {
        "size": Member(NUMBER, at_least(0, "size", agg, above=True)),
        "shard_size": Member(NUMBER, at_least(0, "shardSize", agg, above=True)),
        "min_doc_count": Member(NUMBER, at_least(0, "minDocCount", agg)),
        "shard_min_doc_count": Member(NUMBER, at_least(0, "shardMinDocCount", agg)),
    }


# -- multi_terms -------------------------------------------------------------------------------------------------


def _terms_fields(agg: str) -> Any:
    known = {
        **source_members(agg),
        "time_zone": Member(STRING, plain),
        "filter": Member(OBJECT, plain),
    }

    def read(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[dsl.TermsField, ...]:
        value = members[name]
        fields = []
        for index, item in enumerate(value):
            cursor.value(value, index)
            found = read_members(cursor, "multi_terms", item, known)
            require_field(found)
            fields.append(dsl.TermsField(found["field"], found.get("missing")))
        cursor.end(value)
        if len(fields) < 2:
            raise IllegalArgument(
                f"The [terms] parameter in the aggregation [{agg}] must be present and have at "
                "least 2 fields or scripts."
            )
        return tuple(fields)

    return read


def _multi_terms(
    cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str
) -> dict[str, Any]:
    known = {
        **_counts(agg),
        "terms": Member(("START_ARRAY",), _terms_fields(agg)),
        "order": ORDER,
        "show_term_doc_count_error": Member(BOOLEAN, as_bool),
        "collect_mode": Member(STRING, collect_mode),
    }
    found = read_members(cursor, kind, container[kind], known)
    if "terms" not in found:
        raise IllegalArgument("Required [terms]")
    found.pop("collect_mode", None)
    return {"build": dsl.MultiTermsAgg, **found}


# -- rare_terms --------------------------------------------------------------------------------------------------


def _max_doc_count(agg: str) -> Any:
    lower = at_least(0, "max_doc_count", agg, above=True)

    def read(cursor: Cursor, members: Mapping[str, Any], name: str) -> int:
        value = int(lower(cursor, members, name))
        if value > _MAX_RARE:
            # The reference's own words, blanks included.
            raise IllegalArgument(f"[max_doc_count] must be smallerthan {_MAX_RARE}in [{agg}]")
        return value

    return read


def _precision(agg: str) -> Any:
    def read(cursor: Cursor, members: Mapping[str, Any], name: str) -> float:
        value = as_float(cursor, members, name)
        if value < 0.00001:
            raise IllegalArgument("[precision] must be greater than 0.00001")
        return value

    return read


def _rare_terms(
    cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str
) -> dict[str, Any]:
    known = {
        **source_members(agg),
        **TERM_RULES,
        "value_type": VALUE_TYPE,
        "max_doc_count": Member(NUMBER, _max_doc_count(agg)),
        "precision": Member(NUMBER, _precision(agg)),
    }
    found = read_members(cursor, kind, container[kind], known)
    require_field(found)
    # How exactly the reference remembers common terms; here they are remembered exactly.
    found.pop("precision", None)
    return {"build": dsl.RareTermsAgg, **found}


# -- significant_terms, significant_text ---------------------------------------------------------------------------


def _superset(name: str, *, negatives: bool) -> Member:
    known = {"background_is_superset": Member(BOOLEAN, as_bool)}
    if negatives:
        known["include_negatives"] = Member(BOOLEAN, as_bool)

    def read(cursor: Cursor, members: Mapping[str, Any], member: str) -> dsl.Heuristic:
        found = read_members(cursor, name, members[member], known)
        return dsl.Heuristic(kind=name, **found)  # type: ignore[arg-type]

    return Member(OBJECT, read)


def _plain_heuristic(name: str) -> Member:
    def read(cursor: Cursor, members: Mapping[str, Any], member: str) -> dsl.Heuristic:
        read_members(cursor, name, members[member], {})
        return dsl.Heuristic(kind=name)  # type: ignore[arg-type]

    return Member(OBJECT, read)


def _no_script_heuristic(*_: Any) -> dsl.Heuristic:
    raise IllegalArgument("scripts are not supported by this version")


_HEURISTICS = {
    "jlh": _plain_heuristic("jlh"),
    "percentage": _plain_heuristic("percentage"),
    "chi_square": _superset("chi_square", negatives=True),
    "mutual_information": _superset("mutual_information", negatives=True),
    "gnd": _superset("gnd", negatives=False),
    "script_heuristic": Member(OBJECT, _no_script_heuristic),
}


def _significant_members(agg: str) -> dict[str, Member]:
    return {
        **_counts(agg),
        **TERM_RULES,
        "background_filter": Member(OBJECT, parse_inner),
        "execution_hint": Member(STRING, plain),
    }


def _significant(
    cursor: Cursor, kind: str, container: Mapping[str, Any], known: Mapping[str, Member]
) -> dict[str, Any]:
    members = container[kind]
    found: dict[str, Any] = {}
    for name in members:
        heuristic = _HEURISTICS.get(name)
        if heuristic is not None:
            cursor.value(members, name)
            found["heuristic"] = heuristic.convert(cursor, members, name)
        elif name not in known:
            key = cursor.key(members, name)
            value = cursor.value(members, name)
            cause = NamedObjectNotFound(f"[{value}] unknown field [{name}]")
            cursor.place = key
            error = cursor.content_error(f"[{kind}] unknown field [{name}]", caused_by=cause)
            error.root_causes = [cause]
            cursor.place = value
            raise error
    own = {name: value for name, value in members.items() if name in known}
    return found | read_members(cursor, kind, _like(members, own), known)


def _like(members: Mapping[str, Any], own: dict[str, Any]) -> Mapping[str, Any]:
    """The members without some, which know their places as before."""
    if len(own) == len(members):
        return members
    for name in [each for each in members if each not in own]:
        assert isinstance(members, dict)
        del members[name]
    return members


def _significant_terms(
    cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str
) -> dict[str, Any]:
    known = {**source_members(agg), **_significant_members(agg), "value_type": VALUE_TYPE}
    found = _significant(cursor, kind, container, known)
    require_field(found)
    return {"build": dsl.SignificantTermsAgg, **found}


def _source_fields(cursor: Cursor, members: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = members[name]
    return (value,) if isinstance(value, str) else tuple(str(each) for each in value)


def _significant_text(
    cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str
) -> dict[str, Any]:
    known = {
        **_significant_members(agg),
        "field": Member(STRING, plain),
        "source_fields": Member(STRING_ARRAY, _source_fields),
        "filter_duplicate_text": Member(BOOLEAN, as_bool),
    }
    found = _significant(cursor, kind, container, known)
    if "field" not in found:
        raise IllegalArgument("Required one of fields [field], but none were specified.")
    return {"build": dsl.SignificantTermsAgg, "text": True, **found}


# -- samplers ----------------------------------------------------------------------------------------------------


def _sampler(cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str) -> dict[str, Any]:
    members = container[kind]
    found: dict[str, Any] = {}
    for name, value in members.items():
        cursor.value(members, name)
        if name != "shard_size" or not isinstance(value, int | float):
            raise cursor.error(f'Unsupported property "{name}" for aggregation "{agg}')
        found["shard_size"] = int(as_float(cursor, members, name))
    return {"build": dsl.SamplerAgg, **found}


def _diversified_sampler(
    cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str
) -> dict[str, Any]:
    sources = source_members(agg)
    known = {
        "field": sources["field"],
        "missing": Member(VALUE, missing_value(agg)),
        "script": sources["script"],
        "shard_size": Member(NUMBER, at_least(0, "shardSize", agg)),
        "max_docs_per_value": Member(NUMBER, at_least(0, "maxDocsPerValue", agg)),
        "execution_hint": Member(STRING, plain),
    }
    found = read_members(cursor, kind, container[kind], known)
    require_field(found)
    return {"build": dsl.SamplerAgg, **found}


def _probability(cursor: Cursor, members: Mapping[str, Any], name: str) -> float:
    value = as_float(cursor, members, name)
    if value <= 0:
        raise IllegalArgument(f"[probability] must be greater than 0.0, was [{value}]")
    if not (value <= 0.5 or value == 1.0):
        raise IllegalArgument(
            f"[probability] must be between 0.0 and 0.5 or exactly 1.0, was [{value}]"
        )
    return value


def _random_sampler(
    cursor: Cursor, agg: str, container: Mapping[str, Any], kind: str
) -> dict[str, Any]:
    known = {
        "probability": Member(NUMBER, _probability),
        "seed": Member(NUMBER, at_least(-(2**31), "seed", agg)),
        "shard_seed": Member(NUMBER, at_least(-(2**31), "shard_seed", agg)),
    }
    found = read_members(cursor, kind, container[kind], known)
    return {"build": dsl.RandomSamplerAgg, **found}


KEYED: dict[str, AggReader] = {
    "multi_terms": _multi_terms,
    "rare_terms": _rare_terms,
    "significant_terms": _significant_terms,
    "significant_text": _significant_text,
    "sampler": _sampler,
    "diversified_sampler": _diversified_sampler,
    "random_sampler": _random_sampler,
}
