"""How a name of indices says whose they are: `alias:index`, split at the first colon."""

from sealane.errors import IllegalArgument


def split_alias(expression: str) -> tuple[str, str] | None:
    """(alias pattern, index part), or None for a local expression. Raises IllegalArgument on an empty alias."""
    if expression.startswith(("<", "-<")):
        return None
    at = expression.find(":")
    if at == 0:
        raise IllegalArgument(
            f"index name [{expression}] is invalid because the remote part is empty"
        )
    if at < 0 or expression.startswith("::", at):
        return None
    return expression[:at], expression[at + 1 :]
