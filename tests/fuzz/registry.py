"""Every target by its name."""

from collections.abc import Mapping
from types import ModuleType
from typing import Final

from tests.fuzz.target import Target
from tests.fuzz.targets import bodies, credentials, families, frames, messages, requests, texts

_MODULES: Final[tuple[ModuleType, ...]] = (
    frames,
    families,
    messages,
    bodies,
    texts,
    credentials,
    requests,
)

TARGETS: Final[Mapping[str, Target]] = {
    each.name: each for module in _MODULES for each in module.TARGETS
}
MODULE_OF: Final[Mapping[str, str]] = {
    each.name: module.__name__ for module in _MODULES for each in module.TARGETS
}
"""Where each of them is, for who imports no more than that one needs."""
