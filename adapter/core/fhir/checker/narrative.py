"""Is a narrative the XHTML that FHIR allows, and nothing that runs, loads or leads outside? (txt-1, txt-2)

Source: http://hl7.org/fhir/R4/narrative.html#xhtml: one `div` in XHTML's namespace with the elements and attributes of
formatting, links and images; no scripts, forms, frames, objects, external style sheets. Read by a scanner of its own:
a narrative is hostile input, and an XML parser would follow what it declares.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_INLINE = frozenset({
    "a", "b", "em", "i", "strong", "small", "big", "sub", "sup", "code", "tt", "dfn", "q", "var", "abbr", "acronym",
    "cite", "bdo", "kbd", "samp",
})  # fmt: skip
_PARAGRAPHS = _INLINE | {"p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "address", "span", "caption", "dd", "dt"}
_BLOCKS = frozenset({"div", "pre", "table", "ul", "ol"})
_VOID = frozenset({"br", "img", "hr", "area", "col"})
_WITHIN = {
    "tr": ("table", "thead", "tbody", "tfoot"), "thead": ("table",), "tbody": ("table",), "tfoot": ("table",),
    "caption": ("table",), "colgroup": ("table",), "col": ("colgroup", "table"), "th": ("tr",), "td": ("tr",),
    "li": ("ul", "ol"), "dd": ("dl",), "dt": ("dl",), "area": ("map",),
}  # fmt: skip
"""Where an element must stand."""
_HOLDS_ONLY = {
    "table": ("tbody", "tr", "caption", "thead", "tfoot", "col", "colgroup"), "tr": ("td", "th"), "tbody": ("tr",),
    "thead": ("tr",), "tfoot": ("tr",), "ul": ("li",), "ol": ("li",), "dl": ("dd", "dt"), "map": ("area",),
    "colgroup": ("col",),
}  # fmt: skip
"""What may stand in an element, and no text."""
ELEMENTS = _PARAGRAPHS | _BLOCKS | _VOID | {"blockquote"} | _WITHIN.keys() | _HOLDS_ONLY.keys()
_EVERYWHERE = frozenset({
    "title", "style", "class", "id", "lang", "xml:lang", "dir", "accesskey", "tabindex", "span", "width", "align",
    "valign", "char", "charoff", "abbr", "axis", "headers", "scope", "rowspan", "colspan",
})  # fmt: skip
_OF_ELEMENT = {
    "a": {"href", "name", "charset", "type", "hreflang", "rel", "rev", "shape", "coords"},
    "img": {"src", "border", "alt", "longdesc", "height", "width", "usemap", "ismap"},
    "blockquote": {"cite"}, "q": {"cite"}, "map": {"name"}, "area": {"shape", "coords", "href", "nohref", "alt"},
    "table": {"summary", "width", "border", "frame", "rules", "cellspacing", "cellpadding"}, "pre": {"space"},
    "td": {"nowrap"},
}  # fmt: skip
NAMESPACE = "http://www.w3.org/1999/xhtml"
_SAFE_LINK = re.compile(r"(?:https?:|mailto:|tel:|[^:]*\Z)", re.IGNORECASE)
_SAFE_IMAGE = re.compile(r"(?:data:image/(?:png|jpeg|gif|webp|bmp)[;,]|(?!//)[A-Za-z0-9./_-]+\Z)", re.IGNORECASE)
_UNSAFE_STYLE = re.compile(r"url\s*\(|expression\s*\(|@import|javascript:|behavior\s*:|-moz-binding|\\", re.IGNORECASE)
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9]*)"
    r"(?P<attributes>(?:\s+[A-Za-z_][\w.:-]*\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*(?P<empty>/?)>"
    r"|<!--(?P<comment>(?:(?!--).)*)-->",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([A-Za-z_][\w.:-]*)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_REFERENCE = re.compile(r"&(?:#(?:\d{1,7}|x[0-9A-Fa-f]{1,6})|amp|lt|gt|quot|apos);")
_PLAIN = {f"<{end}{name}>": name for name in ELEMENTS for end in ("", "/")}
_DEEPEST = 100
_WORDS = r"[^<&]*(?:&(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});[^<&]*)*"
_OURS = re.compile(
    rf'<div xmlns="{NAMESPACE}"(?: lang="[A-Za-z-]{{2,35}}" xml:lang="[A-Za-z-]{{2,35}}")?>(?:<h3>[^<&\s]{_WORDS}</h3>'
    rf"(?:<p>(?:<b>{_WORDS}</b>)?{_WORDS}(?:<br/>{_WORDS})*</p>)*|[^<&\s]{_WORDS}(?:<br/>{_WORDS})*)</div>"
)
"""A heading and paragraphs, or lines of text, as the adapter writes them (fhir/narrative.py): seen at once."""
_MISPLACED = frozenset(
    (around, name)
    for around in ELEMENTS
    for name in ELEMENTS
    if (name in _WITHIN and around not in _WITHIN[name]) or (around in _HOLDS_ONLY and name not in _HOLDS_ONLY[around])
)

NOT_XHTML = "must be one well-formed XHTML div (txt-1)"
NOT_ALLOWED = "holds an element or attribute that FHIR's narrative does not allow (txt-1)"
UNSAFE = "leads or loads from outside, or runs something (txt-1)"
EMPTY = "must show something: text that is not only spaces, or an image (txt-2)"
MISPLACED = "holds an element where XHTML does not allow it (txt-1)"
NOWHERE = "has a link to a place that is not in this resource (txt-1)"


def wrong(div: str, known: Callable[[str], bool] = lambda _: False) -> str | None:
    """What a narrative's XHTML breaks, or None. `known`: whether an element of the resource has this id."""
    text = div.strip()
    return None if _OURS.fullmatch(text) else _Reader(text).problem(known)


class _Reader:
    """One pass over the text of a narrative: what is open, what it has shown, and where its links lead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._open: list[str] = []
        self._shows = False
        self._ids: set[str] = set()
        self._links: set[str] = set()

    def problem(self, known: Callable[[str], bool]) -> str | None:
        text, at = self._text, 0
        while (begin := text.find("<", at)) >= 0:
            if (begin > at and (why := self._words(text[at:begin]))) or (at and not self._open and (why := NOT_XHTML)):
                return why
            tag = _TAG.match(text, begin)
            if tag is None:
                return NOT_XHTML
            if why := self._tag(tag):
                return why
            at = tag.end()
        if self._open or not at or at != len(text):
            return NOT_XHTML
        if not self._shows:
            return EMPTY
        return NOWHERE if any(link not in self._ids and not known(link) for link in self._links) else None

    def _words(self, text: str) -> str | None:
        if "&" in text and not _references(text):
            return NOT_XHTML
        if not text.isspace():
            if not self._open:
                return NOT_XHTML
            if self._open[-1] in _HOLDS_ONLY:
                return MISPLACED
            self._shows = True
        return None

    def _tag(self, tag: re.Match[str]) -> str | None:
        name = _PLAIN.get(tag[0])
        if name is None:
            if tag["comment"] is not None:
                return None if self._open else NOT_XHTML
            name = tag["name"]
            if name not in ELEMENTS:
                return NOT_ALLOWED
            if tag["end"] and (tag["attributes"] or tag["empty"]):
                return NOT_XHTML
            if tag["attributes"] and (why := self._attributes(name, tag["attributes"])):
                return why
        if tag["end"]:
            return None if self._open and self._open.pop() == name else NOT_XHTML
        if not self._open and not _begins(name, tag["attributes"] or ""):
            return NOT_XHTML
        if self._open and (why := self._place(name)):
            return why
        self._shows = self._shows or name == "img"
        if not tag["empty"]:
            self._open.append(name)
        return NOT_XHTML if len(self._open) > _DEEPEST else None

    def _place(self, name: str) -> str | None:
        """Where an element may stand, by what is open around it."""
        around = self._open[-1]
        if around in _VOID or (around, name) in _MISPLACED:
            return MISPLACED
        if name in _BLOCKS and not _PARAGRAPHS.isdisjoint(self._open):
            return MISPLACED
        return MISPLACED if name in _INLINE and name in self._open else None

    def _attributes(self, element: str, text: str) -> str | None:
        seen = set()
        for name, double, single in _ATTRIBUTE.findall(text):
            value = double or single
            if name in seen or ("&" in value and not _references(value)):
                return NOT_XHTML
            seen.add(name)
            if name == "xmlns":
                if value != NAMESPACE:
                    return NOT_XHTML
            elif name not in _EVERYWHERE and name not in _OF_ELEMENT.get(element, ()):
                return NOT_ALLOWED
            elif why := self._value(element, name, value):
                return why
        return None

    def _value(self, element: str, name: str, value: str) -> str | None:
        """Values that lead somewhere. A character written as a number hides what it spells: refused in an address."""
        if name == "id" or (name == "name" and element == "a"):
            self._ids.add(value)
        elif name == "href":
            if not value.strip() or "&#" in value or not _SAFE_LINK.match(value.strip()):
                return UNSAFE
            if value.startswith("#") and len(value) > 1:
                self._links.add(value[1:])
        elif name in ("src", "longdesc", "usemap"):
            if value.startswith("#"):
                self._links.add(value[1:])
            elif not _SAFE_IMAGE.match(value):
                return UNSAFE
        elif name == "style" and ("&" in value or _UNSAFE_STYLE.search(value)):
            return UNSAFE
        return None


def _begins(name: str, attributes: str) -> bool:
    return name == "div" and any(
        key == "xmlns" and (a or b) == NAMESPACE for key, a, b in _ATTRIBUTE.findall(attributes)
    )


def _references(text: str) -> bool:
    """Every `&` begins a reference by number, or by one of XML's five names: HTML's names are none of XML's."""
    return "&" not in _REFERENCE.sub("", text)
