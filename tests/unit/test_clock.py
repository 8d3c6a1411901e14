"""Ids that are made many at a time are ids like others."""

from sealane.clock import RandomIds


def test_document_ids_have_20_characters_and_come_once() -> None:
    ids = RandomIds()
    made = [ids.document() for _ in range(1_000)]
    assert len(set(made)) == len(made)
    assert {len(each) for each in made} == {20}
    assert all(each.replace("-", "a").replace("_", "a").isalnum() for each in made)
