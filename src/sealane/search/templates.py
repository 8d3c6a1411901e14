"""Search templates: which text is meant, and what it says with its parameters. Rendered on the local cluster always;
the search that comes out of it is any other.
"""

from typing import Final, Protocol

import orjson

from sealane.cluster.scripts import SOURCE_MAX_BYTES, StoredScript
from sealane.errors import IllegalArgument, JsonParseError
from sealane.query import strip_comments
from sealane.query.mustache import ESCAPES, escape_json, render
from sealane.query.template_body import Template

_SHOWN_CHARACTERS: Final = 100


class Scripts(Protocol):
    """The stored scripts of this cluster."""

    async def find(self, script_id: str) -> StoredScript:
        """Raises ResourceNotFound."""


class SearchTemplates:
    """Renders templates. Contacts no other cluster."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    async def render(self, template: Template) -> bytes:
        """The body of the search that the template means; it may still be malformed.

        Raises ResourceNotFound for an id that is not stored, ScriptError for a malformed template, ParseError,
        IllegalArgument for one that is too long.
        """
        if template.id is not None:
            stored = await self._scripts.find(template.id)
            escape = ESCAPES.get(stored.options.get("content_type", ""), escape_json)
            return render(stored.source, template.params, escape).encode("utf-8", "surrogatepass")
        source = template.source or ""
        size = len(source.encode("utf-8", "surrogatepass"))
        if size > SOURCE_MAX_BYTES:
            raise IllegalArgument(
                f"exceeded max allowed inline script size in bytes [{SOURCE_MAX_BYTES}] with size "
                f"[{size}] for script [{source[:_SHOWN_CHARACTERS]}...]"
            )
        return render(source, template.params).encode("utf-8", "surrogatepass")

    async def render_search(self, template: Template) -> bytes:
        """As `render`, with what the template says beside its text: `explain` and `profile`."""
        body = await self.render(template)
        if not (template.explain or template.profile):
            return body
        try:
            members = orjson.loads(strip_comments(body))
        except orjson.JSONDecodeError:
            return body  # the search's own parser says what is wrong
        if not isinstance(members, dict):
            return body
        for name, wanted in (("explain", template.explain), ("profile", template.profile)):
            if wanted:
                members[name] = True
        return orjson.dumps(members)

    async def simulate(self, template: Template) -> orjson.Fragment:
        """What `_render/template` shows. Raises as `render`, and JsonParseError where that is no JSON."""
        body = await self.render(template)
        try:
            return orjson.Fragment(orjson.dumps(orjson.loads(strip_comments(body))))
        except orjson.JSONDecodeError as error:
            text = body.decode("utf-8", "replace")
            raise JsonParseError(f"the rendered template is no JSON: {error}: {text}") from error
