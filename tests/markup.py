"""Pages as their elements, and text that tries to become more of them."""

from __future__ import annotations

from html.parser import HTMLParser

HOSTILE = (
    "</details></pre></td><script>alert(1)</script><img src=x onerror=alert(2)>\"'><a href=javascript:alert(3)>x</a>"
    " {{7*7}} {% raw %} \x00 \x1b[31m \u202eevil\u202c \ud800 &lt;b&gt; -->"
)
"""For any text field of an event: markup, a template, NUL, an escape sequence, bidi controls, a lone surrogate."""

_INLINE = {"a", "b", "code", "span", "time"}
_VOID = {"meta", "link", "input", "br", "img", "hr"}


class Markup(HTMLParser):
    """The elements of a page in order, with the names of their attributes; its text; what was not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self._text: list[str] = []
        self.feed(page)
        self.close()
        self.faults += [f"never closed: {tag}" for tag in self.open]

    @property
    def text(self) -> str:
        return " ".join("".join(self._text).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(sorted(name for name, _ in attrs))))
        self._apart(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action"}]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._apart(tag)
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.faults.append(f"</{tag}> inside {self.open[-3:]}")

    def _apart(self, tag: str) -> None:
        if tag not in _INLINE:
            self._text.append(" ")

    def handle_data(self, data: str) -> None:
        self._text.append(data)
