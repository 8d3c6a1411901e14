"""The hash of a text that the reference's language computes: random scores and the order of its tables depend on it."""


def text_hash(text: str) -> int:
    """Over the UTF-16 units, as 32 bits without a sign."""
    units = text.encode("utf-16-le", "surrogatepass")
    result = 0
    for at in range(0, len(units), 2):
        result = (result * 31 + units[at] + (units[at + 1] << 8)) & 0xFFFF_FFFF
    return result
