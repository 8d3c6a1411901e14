"""Content-Type and Accept: what may come in, and as what the answer goes out."""

import re
from functools import lru_cache
from typing import NamedTuple

from sealane.errors import IllegalArgument
from sealane.rest.errors import ContentTypeNotSupported, MediaTypeHeaderError, StatusError
from sealane.rest.request import JSON, TEXT, YAML

_TOKEN = re.compile(r"^[a-zA-Z0-9!#$%&'*+\-.^_`|~]+$")
_VENDOR = "application/vnd.elasticsearch+"
_KNOWN = {
    "application/json": "json",
    "application/x-ndjson": "ndjson",
    "application/yaml": "yaml",
    "text/plain": "text",
    "text/csv": "csv",
    f"{_VENDOR}json": "json",
    f"{_VENDOR}x-ndjson": "ndjson",
    f"{_VENDOR}yaml": "yaml",
}
COMPATIBLE_VERSIONS = ("7", "8", "9")


class MediaType(NamedTuple):
    """`kind` is `json`, `ndjson`, `yaml`, `text`, `csv`, or empty for one we do not know.

    `echo` is how an answer of this type names it.
    """

    kind: str
    version: str | None
    echo: str


class Negotiated(NamedTuple):
    """`body` is how to read the request's body, `answer` the answer's Content-Type, `text` whether it may be text."""

    body: str
    answer: bytes
    text: bool


def parse_media_type(header: str) -> MediaType | None:
    """None for a list or a wildcard, which ask for nothing in particular. Raises IllegalArgument."""
    if "," in header or header.strip() == "*/*":
        return None
    elements = header.lower().split(";")
    parts = elements[0].strip().split("/")
    if len(parts) != 2 or not all(_TOKEN.match(part) for part in parts):
        raise IllegalArgument(f"invalid media-type [{header}]")
    parameters = {}
    for element in elements[1:]:
        if not element.strip():
            continue
        pair = element.strip().split("=")
        if len(pair) != 2 or not all(_TOKEN.match(part.strip('"')) for part in pair):
            raise IllegalArgument(f"invalid parameters for header [{header}]")
        parameters[pair[0]] = pair[1]
    full = "/".join(parts)
    echo = ";".join([full, *(f"{name}={value}" for name, value in parameters.items())])
    return MediaType(_KNOWN.get(full, ""), parameters.get("compatible-with"), echo)


@lru_cache(maxsize=256)
def negotiate(content_type: str | None, accept: str | None, has_body: bool) -> Negotiated:
    """Raises MediaTypeHeaderError and ContentTypeNotSupported, with the reference's texts.

    Cached: a client sends the same pair with every request.
    """
    wanted = _parsed("Accept", accept)
    given = _parsed("Content-Type", content_type)
    if has_body and (given is None or given.kind in ("", "text", "csv")):
        raise ContentTypeNotSupported(content_type or "")
    _check_versions(given if has_body else None, wanted, content_type, accept, has_body)
    kind = wanted.kind if wanted is not None else ""
    if not kind and wanted is None and given is not None and has_body:
        kind = given.kind
    answer = YAML if kind == "yaml" else JSON
    asked = wanted if wanted is not None else given if has_body else None
    if asked is not None and asked.kind in ("json", "yaml") and _is_special(asked, wanted):
        answer = asked.echo.encode()
    structured = kind in ("json", "yaml", "ndjson") and wanted is not None
    return Negotiated(given.kind if given else "", answer, not structured)


def _is_special(asked: MediaType, wanted: MediaType | None) -> bool:
    """Whether the type is named by more than its plain name. Parameters count in an Accept header only."""
    name, _, parameters = asked.echo.partition(";")
    return name.startswith(_VENDOR) or (asked is wanted and bool(parameters))


def _parsed(header: str, value: str | None) -> MediaType | None:
    if value is None:
        return None
    try:
        return parse_media_type(value)
    except IllegalArgument as error:
        raise MediaTypeHeaderError(header, error) from error


def _check_versions(
    given: MediaType | None,
    wanted: MediaType | None,
    content_type: str | None,
    accept: str | None,
    has_body: bool,
) -> None:
    given_version = given.version if given else None
    wanted_version = wanted.version if wanted else None
    for header, value, version in (
        ("Accept", accept, wanted_version),
        ("Content-Type", content_type, given_version),
    ):
        if version is not None and version not in COMPATIBLE_VERSIONS:
            raise _mismatch(
                f"{header} version must be either version 8 or 7, but found {version}. {header}={value}"
            )
    if not has_body or given_version == wanted_version:
        return
    shown = f"Accept={accept or 'null'}, Content-Type={content_type or 'null'}"
    if given_version is None or wanted_version is None:
        raise _mismatch(
            "A compatible version is required on both Content-Type and Accept headers "
            f"if either one has requested a compatible version. {shown}"
        )
    raise _mismatch(
        "A compatible version is required on both Content-Type and Accept headers "
        f"if either one has requested a compatible version and the compatible versions must match. {shown}"
    )


def _mismatch(reason: str) -> MediaTypeHeaderError:
    return MediaTypeHeaderError("Accept, Content-Type", StatusError(reason))


FORMATS = {"json": JSON, "yaml": YAML, "text": TEXT, "txt": TEXT}
"""What the `format` parameter may name; another value is ignored."""
