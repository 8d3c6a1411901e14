"""The query string as a mapping, decoded as the reference decodes it."""

from sealane.errors import IllegalArgument
from sealane.rest.errors import BadParameter
from sealane.rest.percent import decode_component


def parse_query(text: str) -> dict[str, str]:
    """`a=1&b` as `{"a": "1", "b": ""}`; `;` separates too, the last of equal names wins.

    Raises BadParameter for a bad percent escape.
    """
    plain = "%" not in text and "+" not in text
    values = {}
    for pair in text.replace(";", "&").split("&"):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        if not plain:
            name, value = _decoded(name), _decoded(value)
        values[name] = value
    return values


def _decoded(component: str) -> str:
    try:
        return decode_component(component, component, plus_is_space=True)
    except IllegalArgument as error:
        raise BadParameter(error) from error
