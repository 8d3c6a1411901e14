"""Every target on what is kept of earlier runs, and on some thousands of changed inputs: the same ones each time.

The long form, which is guided by coverage, is `make fuzz`.
"""

import random
from collections.abc import Iterator

import pytest

from tests.fuzz.corpus_files import read_corpus
from tests.fuzz.mutations import mutated
from tests.fuzz.registry import TARGETS

CHANGED_INPUTS = 400
"""Of each target, times its share."""


@pytest.fixture(scope="module", autouse=True)
def _closed() -> Iterator[None]:
    yield
    for target in TARGETS.values():
        target.close()


@pytest.mark.parametrize("name", TARGETS)
def test_hostile_bytes_are_read_or_refused(name: str) -> None:
    """No crash, no hang: only the errors that the target names."""
    target = TARGETS[name]
    inputs = [*target.seeds(), *read_corpus(name)]
    for data in inputs:
        _check(name, data)
    chance = random.Random(f"fuzz {name}")
    for _ in range(CHANGED_INPUTS * target.share // 2):
        _check(name, mutated(chance, inputs, target.words)[: target.max_len])


@pytest.mark.parametrize("name", TARGETS)
def test_a_valid_input_is_accepted(name: str) -> None:
    """A target that refuses everything finds nothing."""
    target = TARGETS[name]
    assert any(target.check(data) for data in target.seeds())


def _check(name: str, data: bytes) -> None:
    try:
        TARGETS[name].check(data)
    except Exception as surprise:
        raise AssertionError(f"target [{name}] on {data!r}") from surprise
