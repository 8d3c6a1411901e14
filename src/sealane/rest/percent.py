"""Percent-decoding of paths and query strings."""

from sealane.errors import IllegalArgument


def decode_component(text: str, whole: str, *, plus_is_space: bool = False) -> str:
    """Percent-decoding as the reference does it. `whole` is named in errors."""
    if plus_is_space:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    parts = text.split("%")
    out = bytearray(parts[0].encode("utf-8", "surrogateescape"))
    for part in parts[1:]:
        digits = part[:2]
        try:
            if len(digits) < 2 or not digits.isalnum():
                raise ValueError(digits)
            out.append(int(digits, 16))
        except ValueError as error:
            where = whole.find("%" + part)
            raise IllegalArgument(
                f"invalid escape sequence `%{digits}' at index {where} of: {whole}"
                if len(digits) == 2
                else f"partial escape sequence at end of string: {whole}"
            ) from error
        out += part[2:].encode("utf-8", "surrogateescape")
    return out.decode("utf-8", "replace")
