"""Version ids: the number in every frame that decides how the rest of it is written, and which
family wrote it.

OpenSearch sets one bit of its ids, Elasticsearch counts transport versions, Sealane has two fixed
bytes of its own.
"""

from bisect import bisect_right
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


def _bounds(releases: tuple[tuple[int, int], tuple[int, int]]) -> tuple[str, str]:
    (major, minor), (end, _) = releases
    return f"{major}.{minor}.0", f"{end - 1}.x"


ELASTICSEARCH_WIRE = 8_841_000
"""First id of the 8.19 line: known to every 8.19.x and demanded at least by every 9.x."""
ELASTICSEARCH_RELEASE = release_id("8.19.99")
"""What we claim to be. With a release that exists the peer would compare build hashes and refuse
ours."""
OPENSEARCH_WIRE = opensearch_id("2.19.0")
"""Speaks with every 2.19.x and 3.x; 2.19.1 added a field."""

HANDSHAKE_6_8 = 6_080_099
"""Elasticsearch 7 sends its first frame in this version: no size field of the variable header."""
HANDSHAKE_OPENSEARCH_1 = 6_079_999
HANDSHAKE_OPENSEARCH_2 = 7_099_999
HANDSHAKE_ELASTICSEARCH_8 = 7_170_099
HANDSHAKE_ELASTICSEARCH_9 = 8_800_000
"""From this one on the payload and the answer also carry the release as text."""

_SPOKEN = frozenset({SEALANE_VERSION, ELASTICSEARCH_WIRE, OPENSEARCH_WIRE})
"""Versions of frames after the first handshake."""
_ELASTICSEARCH_BELOW = 10_000_000
_OPENSEARCH_BELOW = opensearch_id("4.0.0") - 99
RELEASES = {"elasticsearch": ((8, 19), (10, 0)), "opensearch": ((2, 19), (4, 0))}
"""By family, the first release that is spoken with and the first that is not any more."""
_ACCEPTED = {
    "elasticsearch": ("Elasticsearch", *_bounds(RELEASES["elasticsearch"])),
    "opensearch": ("OpenSearch", *_bounds(RELEASES["opensearch"])),
    "sealane": ("Sealane", f"sealane-{SEALANE_VERSION & 0xFFFF}", "the same"),
}
"""By family: its product, and what is accepted of it."""
_LINES = (
    (8_500_020, "8.9"),
    (8_500_061, "8.10"),
    (8_512_001, "8.11"),
    (8_560_000, "8.12"),
    (8_595_000, "8.13"),
    (8_636_001, "8.14"),
    (8_702_002, "8.15"),
    (8_772_001, "8.16"),
    (8_797_002, "8.17"),
    (8_840_000, "8.18"),
    (8_841_000, "8.19"),
    (9_000_000, "9.0"),
    (9_112_000, "9.1"),
)
"""First wire version of each line of releases since Elasticsearch counts them apart."""
_HANDSHAKE_REQUESTS = frozenset(
    {
        HANDSHAKE_6_8,
        HANDSHAKE_OPENSEARCH_1,
        HANDSHAKE_OPENSEARCH_2,
        HANDSHAKE_ELASTICSEARCH_8,
        HANDSHAKE_ELASTICSEARCH_9,
    }
)
"""Some only to tell their senders what is accepted here."""
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
    if version in _SPOKEN:
        return True
    if not handshake:
        return False
    if response:
        return version in _HANDSHAKE_REQUESTS or has_variable_header_size(version)
    return version in _HANDSHAKE_REQUESTS or is_accepted(version)


def is_accepted(version: int) -> bool:
    """Whether a peer that names this as its own version can be spoken with."""
    if family_of(version) == "opensearch":
        return OPENSEARCH_WIRE <= version < _OPENSEARCH_BELOW
    return ELASTICSEARCH_WIRE <= version < _ELASTICSEARCH_BELOW


def spoken_with(version: int) -> int:
    """The version of frames to a peer that named `version`: the pin of its family."""
    return OPENSEARCH_WIRE if family_of(version) == "opensearch" else ELASTICSEARCH_WIRE


def refusal(what: str, version: int, release: str | None = None) -> str:
    """Why a peer of this version is refused; `release` is what it says of itself. The first half is
    the reference's."""
    product, lowest, highest = _ACCEPTED[family_of(version)]
    shown = release or describe(version)
    return (
        f"Received {what} from unsupported version: [{shown}] minimal compatible version is: "
        f"[{lowest}]: remote speaks {product} {shown}, this node accepts {product} {lowest} to "
        f"{highest}"
    )


def describe(version: int) -> str:
    """A version id for people: `7.17.10`, `8.19` or `2.19.4` where the number tells it, otherwise
    the number itself."""
    family = family_of(version)
    if family == "sealane":
        return f"sealane-{version & 0xFFFF}"
    if family == "opensearch" or release_id("5.0.0") <= version < _TRANSPORT_VERSIONS_SINCE:
        return release_of(version)
    line = bisect_right(_LINES, (version, "~")) - 1
    if line < 0 or version // 1000 != _LINES[line][0] // 1000:
        return str(version)
    return _LINES[line][1]


def release_of(identifier: int) -> str:
    """The release behind a release id: 8190099 is `8.19.0`, 136408227 is `2.19.4`."""
    plain = identifier & ~OPENSEARCH_MASK
    return f"{plain // 1_000_000}.{plain // 10_000 % 100}.{plain // 100 % 100}"
