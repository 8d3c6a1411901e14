"""Version ids: the number in every frame that decides how the rest of it is written, and which
family wrote it.

OpenSearch sets one bit of its ids, Elasticsearch counts transport versions, Sealane has two fixed
bytes of its own.
"""

from typing import Literal

FamilyName = Literal["sealane", "elasticsearch", "opensearch"]

OPENSEARCH_MASK = 0x08000000
SEALANE_VERSION = 0x534C0001
"""`SL` and the number of the message format. Bit 27 is clear, so that nobody takes it for an
OpenSearch id."""


def release_id(release: str) -> int:
    """Elasticsearch's id of a release: `8.19.0` is 8190099. Up to 8.8 the wire version too."""
    major, minor, patch = (int(part) for part in release.split("."))
    return major * 1_000_000 + minor * 10_000 + patch * 100 + 99


def opensearch_id(release: str) -> int:
    return release_id(release) ^ OPENSEARCH_MASK


ELASTICSEARCH_WIRE = 8_841_000
"""First id of the 8.19 line: known to every 8.19.x and demanded at least by every 9.x."""
ELASTICSEARCH_RELEASE = release_id("8.19.99")
"""What we claim to be. With a release that exists the peer would compare build hashes and refuse
ours."""
OPENSEARCH_WIRE = opensearch_id("2.19.0")
"""Speaks with every 2.19.x and 3.x; 2.19.1 added a field."""

HANDSHAKE_6_8 = 6_080_099
"""Elasticsearch 7 sends its first frame in this version: no size field of the variable header."""
HANDSHAKE_OPENSEARCH_2 = 7_099_999
HANDSHAKE_ELASTICSEARCH_8 = 7_170_099
HANDSHAKE_ELASTICSEARCH_9 = 8_800_000
"""From this one on the payload and the answer also carry the release as text."""

_HANDSHAKE_REQUESTS = frozenset(
    {HANDSHAKE_6_8, HANDSHAKE_OPENSEARCH_2, HANDSHAKE_ELASTICSEARCH_8, HANDSHAKE_ELASTICSEARCH_9}
)
_VARIABLE_HEADER_SIZE_SINCE = release_id("7.6.0")
_NO_FEATURES_SINCE = release_id("8.0.0")
_TRANSPORT_VERSIONS_SINCE = 8_500_000


def family_of(version: int) -> FamilyName:
    if version == SEALANE_VERSION:
        return "sealane"
    return "opensearch" if version & OPENSEARCH_MASK else "elasticsearch"


def has_variable_header_size(version: int) -> bool:
    return version >= _VARIABLE_HEADER_SIZE_SINCE


def has_features(version: int) -> bool:
    """Whether requests carry a feature list: from OpenSearch, and Elasticsearch before 8.0."""
    return version < _NO_FEATURES_SINCE or family_of(version) == "opensearch"


def is_readable(version: int, *, handshake: bool, response: bool) -> bool:
    """Whether a frame of this version can be taken apart here.

    The answer to a handshake may come in any version whose header has the modern form: OpenSearch 3
    picks its own.
    """
    if version == SEALANE_VERSION:
        return True
    if handshake:
        if response:
            return version == HANDSHAKE_6_8 or has_variable_header_size(version)
        return version in _HANDSHAKE_REQUESTS or is_speakable(version)
    return is_speakable(version)


def is_speakable(version: int) -> bool:
    """Whether this is a version that Sealane speaks after the handshake."""
    if version == SEALANE_VERSION:
        return True
    return version >= minimum_of(version)


def minimum_of(version: int) -> int:
    """The oldest version spoken here with the family that `version` belongs to."""
    return OPENSEARCH_WIRE if family_of(version) == "opensearch" else ELASTICSEARCH_WIRE


def describe(version: int) -> str:
    """A version id for people: `8.19.0` or `2.19.4` where the number tells it, otherwise the number
    itself."""
    if family_of(version) == "sealane":
        return f"sealane-{version & 0xFFFF}"
    plain = version & ~OPENSEARCH_MASK
    if family_of(version) == "elasticsearch" and (
        version < release_id("5.0.0") or version >= _TRANSPORT_VERSIONS_SINCE
    ):
        return str(version)
    return f"{plain // 1_000_000}.{plain // 10_000 % 100}.{plain // 100 % 100}"


def release_of(identifier: int) -> str:
    """The release behind a release id: 8190099 is `8.19.0`, 136408227 is `2.19.4`."""
    plain = identifier & ~OPENSEARCH_MASK
    return f"{plain // 1_000_000}.{plain // 10_000 % 100}.{plain // 100 % 100}"
