"""The cache of stored documents."""

from sealane.engine.embedded.search.document_cache import DocumentCache
from sealane.engine.embedded.stored import encode_stored


def _stored(number: int, size: int = 10) -> bytes:
    return encode_stored(number, 1, 1, str(number), None, [], b"x" * size)


def test_a_kept_document_is_found_again() -> None:
    cache = DocumentCache()
    kept = cache.keep(7, _stored(7))
    assert kept.id == "7"
    assert cache.find([7, 8]) == [kept, None]


def test_it_stays_within_its_bytes_and_keeps_what_is_used() -> None:
    cache = DocumentCache(max_bytes=40_000)
    for number in range(1_000):
        cache.keep(number, _stored(number))
        assert cache.find([0]) != [None]
    assert len(cache) < 40_000 // 250
    assert cache.find([1]) == [None]


def test_a_document_that_would_fill_it_is_not_kept() -> None:
    cache = DocumentCache(max_bytes=40_000)
    assert len(cache.keep(1, _stored(1, 10_000)).source) == 10_000
    assert len(cache) == 0
