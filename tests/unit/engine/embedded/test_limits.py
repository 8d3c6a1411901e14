"""How far a mapping may grow is the index's setting, in both directions."""

import pytest

from sealane.engine.embedded.documents import DocumentParser
from sealane.engine.mapping import Mapping, MappingLimits, parse_mapping
from sealane.errors import ApiError


def _wide(count: int) -> bytes:
    return b"{%s}" % b",".join(b'"f%d":1' % n for n in range(count))


def test_a_raised_limit_is_followed() -> None:
    limits = MappingLimits.from_settings({"index.mapping.total_fields.limit": "1500"})
    parser = DocumentParser(Mapping(), limits)
    parser.parse(_wide(1500), "1")
    assert parser.mapping.total_fields == 1500


def test_the_default_is_a_thousand_fields() -> None:
    parser = DocumentParser(Mapping(), MappingLimits())
    with pytest.raises(ApiError, match=r"Limit of total fields \[1000\] has been exceeded"):
        parser.parse(_wide(1001), "1")
    assert parser.mapping == Mapping()


def test_a_refused_document_adds_no_field() -> None:
    parser = DocumentParser(Mapping(), MappingLimits())
    parser.parse(b'{"n":1}', "1")
    with pytest.raises(ApiError):
        parser.parse(b'{"new":1,"n":"abc"}', "2")
    assert "new" not in parser.mapping.fields


# -- fields beyond the limit -------------------------------------------------------------------------------------

BEYOND = {"index.mapping.total_fields.ignore_dynamic_beyond_limit": "true"}


@pytest.mark.parametrize(
    ("limit", "source", "fields", "objects", "ignored"),
    [
        (
            2,
            b'{"a":1,"t":"x","o":{"p":1,"q":{"r":2}},"n":5,"m.z":[1,2],"l":[{"k":1},{"k":2}]}',
            {"a"},
            {"o"},
            {"l", "m", "n", "o.p", "o.q", "t"},
        ),
        (3, b'{"o":{"p":1,"q":{"r":2},"s":4},"u.v":1}', {"a", "o.p"}, {"o"}, {"o.q", "o.s", "u"}),
        (3, b'{"t":"x","b":1}', {"a", "t", "t.keyword"}, set(), {"b"}),
    ],
)
def test_new_fields_beyond_the_limit_may_be_left_out(
    limit: int, source: bytes, fields: set[str], objects: set[str], ignored: set[str]
) -> None:
    """As the reference answers: an object counts, and what does not fit is listed without what is in it."""
    settings = {**BEYOND, "index.mapping.total_fields.limit": str(limit)}
    known = parse_mapping({"properties": {"a": {"type": "long"}}})
    parser = DocumentParser(known, MappingLimits.from_settings(settings))
    for _ in range(2):
        parsed = parser.parse(source, "1")
        assert (set(parser.mapping.fields), parser.mapping.objects) == (fields, objects)
        assert sorted(parsed.ignored) == sorted(ignored)
