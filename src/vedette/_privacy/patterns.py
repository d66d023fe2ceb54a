"""The expressions that secrets in texts are looked for with.

All are linear in the length of the text: they start at borders of words and have bounded repetitions. They are compiled
at the first use, on the worker, where ``re`` is there already: ``msgspec`` brings it along.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# What holds a text inside of a text: quotes, escaped by some other text around them, too, for JSON in scripts
# (`\u0022`) and for HTML (`&quot;`).
_ENTITY = r"&(?:amp;){0,3}(?:quot|apos|#0{0,4}3[49]|#[xX]0{0,4}2[27]);"
_ESCAPE = r"\\{1,7}u002[27]"
_QUOTE = rf"""(?:\\{{0,7}}["'`]|{_ESCAPE}|{_ENTITY})"""
_OPENING = rf"""[bBrRuUfF]{{0,2}}(\\{{0,7}}(?:'''|\"\"\"|["'])|{_ESCAPE}|{_ENTITY})"""
# Behind `\u0022`, its digits are no part of the name.
_NAME_START = r"(?<![\w.%-])(?:(?<=\\)u002[27])?"

# A name, in quotes or not, and what stands between it and its value.
_PAIR = (
    rf"{_NAME_START}([\w.%-]{{1,128}}(?:\[[\w.-]{{0,64}}\]){{0,4}})"
    rf"({_QUOTE})?\]?\s{{0,8}}(={{1,3}}>?|:=|:(?!:|//))(?(2)\s{{0,8}}|[ \t]{{0,8}})"
)
# `['password', 'x']`: a name in quotes at the beginning of a list, and what stands behind the comma.
_LISTED = rf"[\[(]\s{{0,8}}[bBuU]?({_QUOTE})([\w.%-]{{1,128}})\1\s{{0,8}},\s{{0,8}}"
# `{'name': 'password', 'value': 'x'}`, `<input name="password" value="x">`, `name: PASSWORD\n  value: x`
_RECORD_NAME = (
    rf"{_NAME_START}(?:name|key|field|header|param|parameter|property|attribute|variable|path|id)({_QUOTE})?"
    rf"\s{{0,8}}[:=]\s{{0,8}}(?:[bBuU]?{_QUOTE}([\w.%/\[\] -]{{1,128}})(?={_QUOTE})|([\w.%/-]{{1,128}}))"
)
_RECORD_VALUE = rf"{_NAME_START}values?({_QUOTE})?\s{{0,8}}[:=](?(1)\s{{0,8}}|[ \t]{{0,8}})"

# What a value may begin with that holds blanks: a call, something between angles, a key in PEM form.
_CALL = r"[A-Za-z_][\w.]{0,128}(?=\()"
_ANGLES = r"<[^<>\r\n]{1,2048}>"
PEM: Final = "-----BEGIN "
_PEM_END = r"-----END [A-Z0-9 ]{1,64}-----"
_GOES_ON = r"\}?\w"
_BRACKETS = r"""[\[\](){}]|\\.|["']"""
# What stands for a value that is filled in elsewhere, and what no secret can be.
_HARMLESS = r"""(?:%(?:\(\w{1,64}\))?[srd]|\{\d?\}|\?|None|null|True|False|true|false|YES|NO)(?![^\s,;&)\]}'"])"""
_WORD_END = r"[\s&]"
_CLAUSE_END = r"[\r\n&]|[,;](?=\s)"
_DATA_END = r"[\r\n&]|[,;)\]}](?=\s)"
_LINE_END = r"[\r\n]"
_ITEM_END = r"[\r\n,;)\]}>]"
# Pydantic tells the field on one line and its value on the next.
_FIELD_INPUT = r"^([\w.-]{1,256})\n  [^\n]{0,2048}\[type=\w{1,64}, input_value=([^\n]*), input_type=\w{1,128}\]$"

_SCHEMES = r"\b(bearer|basic|digest|negotiate|token|apikey|aws4-hmac-sha256)[ ]{1,8}([\w.~+/=:-]+)"
_PRIVATE_KEY = r"-{4,5} ?BEGIN [A-Z0-9 ]{0,64}PRIVATE KEY[A-Z ]{0,16}-{4,5}"
_PRIVATE_KEY_END = r"-{4,5} ?END [A-Z0-9 ]{0,64}PRIVATE KEY[A-Z ]{0,16}-{4,5}"

_AUTHORITY_END = r"[\s\"'<>\\`]"
# `user:pass'word@host`, but not `'http://host:80','ann@host'`
_ODD_AUTHORITY = r"""[\w.%+~-]{0,128}:(?!\d{1,5}["'<>\\`])[^\s/?#@"'<>\\`]{0,256}["'<>\\`][^\s,]{0,512}(?=@)"""
# `user:pass word@host`, but not `http://host:80 for ann@host`
_BLANK_AUTHORITY = (
    r"""[\w.%+~-]{0,128}:(?!\d{1,5}(?:[\s/?#,;.)]|$))"""
    r"""[^\s"'<>`,]{1,256}(?:[ \t]{1,4}[^\s"'<>`,]{0,128}){1,4}(?=@[\w\[])"""
)
# What a URL's classes call it once they took it apart: urllib's `Request.host`, yarl's `_netloc`.
_NETLOC = r"""(?<![A-Za-z])((?:host|netloc|authority)["']?\s?[=:]\s?b?["'])[^\s"'@/:]{0,128}:[^\s"'@]{0,256}(?=@)"""


class Expressions:
    """The compiled expressions."""

    __slots__ = (
        "angles", "authority_end", "blank_authority", "bracket", "call", "clause_end", "data_end", "field_input",
        "goes_on", "harmless", "item_end", "line_end", "listed", "netloc", "odd_authority", "opening", "pair",
        "pem_end", "private_key", "private_key_end", "record_name", "record_value", "scheme", "word_end",
    )  # fmt: skip

    def __init__(self) -> None:
        import re  # noqa: PLC0415 - see above

        self.pair = re.compile(_PAIR)
        self.listed = re.compile(_LISTED)
        self.record_name = re.compile(_RECORD_NAME, re.IGNORECASE)
        self.record_value = re.compile(_RECORD_VALUE, re.IGNORECASE)
        self.opening = re.compile(_OPENING)
        self.call = re.compile(_CALL)
        self.angles = re.compile(_ANGLES)
        self.pem_end = re.compile(_PEM_END)
        self.goes_on = re.compile(_GOES_ON)
        self.bracket = re.compile(_BRACKETS)
        self.harmless = re.compile(_HARMLESS)
        self.word_end = re.compile(_WORD_END)
        self.clause_end = re.compile(_CLAUSE_END)
        self.data_end = re.compile(_DATA_END)
        self.line_end = re.compile(_LINE_END)
        self.item_end = re.compile(_ITEM_END)
        self.field_input = re.compile(_FIELD_INPUT, re.MULTILINE)
        self.scheme = re.compile(_SCHEMES, re.IGNORECASE)
        self.private_key = re.compile(_PRIVATE_KEY)
        self.private_key_end = re.compile(_PRIVATE_KEY_END)
        self.authority_end = re.compile(_AUTHORITY_END)
        self.odd_authority = re.compile(_ODD_AUTHORITY)
        self.blank_authority = re.compile(_BLANK_AUTHORITY)
        self.netloc = re.compile(_NETLOC)


_compiled: Expressions | None = None


def expressions() -> Expressions:
    """Those of this process."""
    global _compiled  # noqa: PLW0603 - compiled once a process
    if _compiled is None:
        _compiled = Expressions()
    return _compiled
