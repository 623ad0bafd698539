"""Makes what a template gave fit a record: plain texts, ids of entries, no half entries, no dead references.

Read from the record schemas, so that a new field needs nothing here. What the schema then still refuses is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

from adapter.core import strict_json

_TAGS = (
    "a|abbr|article|b|blockquote|body|br|button|caption|code|col|colgroup|dd|del|details|div|dl|dt|em|embed|fieldset|font|"
    "footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|label|li|link|main|meta|nav|object|ol|option|p|pre|q|s|"
    "script|section|select|small|span|strong|style|sub|sup|svg|table|tbody|td|textarea|tfoot|th|thead|title|tr|tt|u|ul|video"
)
_MARKUP = re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]*)?/?>|<!--|<!\[CDATA\[", re.IGNORECASE)
"""A tag of HTML. Other angle brackets (`<wait>`, `a < b`) are what somebody wrote, and stay."""
_BREAKS = frozenset(
    ("p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "table", "ul", "ol", "dt", "dd")
)
_SILENT = frozenset(("script", "style", "head", "title"))
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SPACE = re.compile(r"[\x00-\x1f\x7f]+")
_ONE_LINE = r"^[^\u0000-\u001f"
_LONG = r"^[^\u0000-\u0008"

Schema = Mapping[str, Any]
Lost = Callable[[tuple[str | int, ...], str], None]
"""Is told the place in the record and the rule of what is left out."""


def plain_text(text: str, *, one_line: bool) -> str:
    """A text without markup and without control characters; what is no markup stays as it was written."""
    if _MARKUP.search(text):
        reader = _Reader()
        reader.feed(text)
        reader.close()
        text = re.sub(r"[ \t]*\n\s*", "\n", "".join(reader.words)).strip()
    if one_line:
        return _CONTROL.sub("", _SPACE.sub(" ", text)) if _SPACE.search(text) else _CONTROL.sub("", text)
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


class _Reader(HTMLParser):
    """The words of markup; a block ends a line; what a browser would not show is left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent.append(tag)
        elif tag in _BREAKS:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag == self._silent[-1]:
            self._silent.pop()
        elif tag in _BREAKS:
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def cleaned(value: Any, schema: Schema, root: Schema) -> Any:
    """The value with plain texts, its fields in the schema's order, without what is empty; None: nothing is left."""
    schema = followed(schema, root)
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        order = [*(name for name in fields if name in value), *(name for name in value if name not in fields)]
        made = {name: cleaned(value[name], fields.get(name, {}), root) for name in order}
        return {name: child for name, child in made.items() if child is not None} or None
    if isinstance(value, list):
        items = [cleaned(child, _item(schema), root) for child in value]
        return [child for child in items if child is not None] or None
    pattern = str(_scalar(schema).get("pattern", "")) if isinstance(value, str) else ""
    if pattern.startswith((_ONE_LINE, _LONG)):
        text = plain_text(value, one_line=pattern.startswith(_ONE_LINE))
        return text if text.strip() else None
    return value


def named(value: Any, schema: Schema, root: Schema, seed: str) -> None:
    """Give each entry that needs an id and has none one that follows from what it says: in place.

    An entry that is changed gets another id: it is never taken for another one that stood in its place.
    """
    schema = followed(schema, root)
    if isinstance(value, dict):
        for name, child in value.items():
            named(child, schema.get("properties", {}).get(name, {}), root, f"{seed}/{name}")
    elif isinstance(value, list):
        item = followed(_item(schema), root)
        taken: Counter[str] = Counter()
        for entry in value:
            if isinstance(entry, dict) and "id" in item.get("required", ()) and "id" not in entry:
                found = rule_id(seed, entry)
                number = taken[found]
                taken[found] += 1
                entry["id"] = rule_id(f"{seed} {number}", entry) if number else found
            named(entry, item, root, f"{seed}/{entry.get('id', '') if isinstance(entry, dict) else ''}")


def rule_id(seed: str, content: Any) -> str:
    """An opaque id that is the same for the same seed and content."""
    return strict_json.digest([seed, content])[:20]


def alive(value: Any, schema: Schema, root: Schema, there: Callable[[str], bool], lost: Lost, at: Any = ()) -> Any:
    """The value without references to what is not there, and without entries that lack what they need.

    None where nothing is left. The record itself is never taken away: what it lacks, its schema says.
    """
    schema = followed(schema, root)
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        made = {n: alive(child, fields.get(n, {}), root, there, lost, (*at, n)) for n, child in value.items()}
        kept = {name: child for name, child in made.items() if child is not None}
        lacking = [name for name in schema.get("required", ()) if name not in kept] if at else []
        if lacking:
            lost((*at, lacking[0]), f"without `{lacking[0]}` this says nothing here: it is left out")
            return None
        return kept or (None if at else {})
    if isinstance(value, list):
        items = [alive(child, _item(schema), root, there, lost, (*at, n)) for n, child in enumerate(value)]
        return [child for child in items if child is not None] or None
    if isinstance(value, str) and _scalar(schema).get("x-ref") and not there(value):
        lost(at, "what it refers to becomes no record: the reference is left out")
        return None
    return value


def open_lists(files: Mapping[str, Schema]) -> frozenset[str]:
    """The code lists in which the schemas allow any short code."""
    found: set[str] = set()
    closed: set[str] = set()
    for schema in files.values():
        for node in _nodes(schema):
            if isinstance(name := node.get("x-codes"), str):
                (found if node.get("x-open") or "enum" not in node and "anyOf" not in node else closed).add(name)
    return frozenset(found - closed)


def field_of(place: tuple[str | int, ...]) -> tuple[str, ...]:
    """A place in a record without the positions in its lists."""
    return tuple(step for step in place if isinstance(step, str))


def place_of(pointer_: str) -> tuple[str | int, ...]:
    """A JSON Pointer of ours as keys and positions."""
    return tuple(int(t) if t.isdecimal() else t.replace("~1", "/").replace("~0", "~") for t in pointer_.split("/")[1:])


def followed(schema: Schema, root: Schema) -> Schema:
    """A subschema, or what its `$ref` into the same file leads to."""
    while "$ref" in schema and str(schema["$ref"]).startswith("#/"):
        target: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        schema = target
    return schema


def _item(schema: Schema) -> Schema:
    if "items" in schema:
        found: Schema = schema["items"]
        return found
    return next((branch["items"] for branch in schema.get("anyOf", ()) if "items" in branch), {})


def _scalar(schema: Schema) -> Schema:
    if "anyOf" in schema and "pattern" not in schema and "x-ref" not in schema:
        return next((branch for branch in schema["anyOf"] if branch.get("type") == "string"), schema)
    return schema


def _nodes(schema: Any) -> Iterator[Schema]:
    if isinstance(schema, Mapping):
        yield schema
        for inner in schema.values():
            yield from _nodes(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _nodes(inner)
