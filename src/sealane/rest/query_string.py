"""The query string as a mapping, decoded as the reference decodes it."""

from sealane.rest.percent import decode_component


def parse_query(text: str) -> dict[str, str]:
    """`a=1&b` as `{"a": "1", "b": ""}`; `;` separates too, the last of equal names wins.

    Raises IllegalArgument for a bad percent escape.
    """
    plain = "%" not in text and "+" not in text
    values = {}
    for pair in text.replace(";", "&").split("&"):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        if not plain:
            name = decode_component(name, text, plus_is_space=True)
            value = decode_component(value, text, plus_is_space=True)
        values[name] = value
    return values
