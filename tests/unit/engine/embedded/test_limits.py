"""How far a mapping may grow is the index's setting, in both directions."""

import pytest

from sealane.engine.embedded.documents import DocumentParser
from sealane.engine.mapping import Mapping, MappingLimits
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
