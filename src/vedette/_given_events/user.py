"""``user`` (EVT-70 to EVT-76): keys stay as they are; the ones that the protocol knows are of its types."""

from __future__ import annotations

from vedette._given_events.faults import is_object, keep_texts, keep_type, scalar_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from vedette._events.settings import EventSettings
    from vedette._given_events.faults import Faults

AUTO: Final = "{{auto}}"
"""Asks the server to take the address of the connection."""

_HEX: Final = frozenset("0123456789abcdefABCDEF")
_GROUPS, _GROUP_DIGITS = 8, 4  # of IPv6
_PARTS, _LARGEST_PART = 4, 255  # of IPv4


def right_user(given: Any, faults: Faults, settings: EventSettings) -> dict[str, Any] | None:
    """The user, with an ``ip_address`` only if it is one, or may be ``{{auto}}`` (ruling 33)."""
    if not is_object(given):
        if given is not None:
            faults.note(("user",), "expected an object")
        return None
    user: dict[str, Any] = given
    keep_texts(user, ("username", "email", "name"), ("user",), faults)
    if "id" in user and type(user["id"]) not in {str, int}:
        keep_texts(user, ("id",), ("user",), faults)
    keep_type(dict, user, ("geo", "data"), ("user",), faults)
    if "ip_address" in user:
        text = scalar_text(user.pop("ip_address"))
        if text == AUTO:
            if settings.auto_ip_address:
                user["ip_address"] = AUTO
        elif text is not None:
            address = _address_in(text)
            if address is not None:
                user["ip_address"] = address
            else:
                faults.note(("user", "ip_address"), "expected an IP address")
    return user


def _address_in(text: str) -> str | None:
    """The address in ``1.2.3.4``, ``1.2.3.4:80``, ``::1``, ``[::1]:80`` or ``fe80::1%eth0``."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    text = text.partition("%")[0]
    return text if _is_ipv4(text) or _is_ipv6(text) else None


def _is_ipv4(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == _PARTS and all(
        part.isdecimal() and part.isascii() and len(part) <= 3 and str(int(part)) == part and int(part) <= _LARGEST_PART  # noqa: PLR2004 - 255 has three digits
        for part in parts
    )


def _is_ipv6(text: str) -> bool:
    if text.count("::") > 1 or ":::" in text:
        return False
    left, shortened, right = text.partition("::")
    groups = [*(left.split(":") if left else ()), *(right.split(":") if right else ())]
    if groups and _is_ipv4(groups[-1]):
        groups[-1:] = ["0", "0"]
    if not all(0 < len(group) <= _GROUP_DIGITS and _HEX.issuperset(group) for group in groups):
        return False
    return len(groups) < _GROUPS if shortened else len(groups) == _GROUPS
