"""Enumerations without the module ``enum``: importing it takes 1.5 ms, and each member that it makes 25 µs.

Type checkers see the real ones. At run time there is what vedette uses of them: members that are the only ones of
their kind, in the order of their definition; ``Kind(value)``, ``Kind["NAME"]``, iteration, ``len``; ``name`` and
``value``. A copy, pickled or not, is the member itself. What is written in capitals is a member.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from enum import Enum
    from typing import Any

    class TextEnum(str, Enum):
        """A member is its text: equal to it, hashed and formatted like it, on every Python."""

        __str__ = str.__str__

else:

    class _Kind(type):
        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> _Kind:
            values = {key: body.pop(key) for key in tuple(body) if key.isupper()}
            kind = super().__new__(cls, name, bases, body)
            kind.__members__ = {}
            kind._by_value = {}
            for key, value in values.items():
                member = kind._new_member(value)
                member.name, member.value = key, value
                kind.__members__[key] = kind._by_value[value] = member
                setattr(kind, key, member)
            return kind

        def __call__(cls, value: object) -> Any:
            try:
                return cls._by_value[value]
            except (KeyError, TypeError):
                raise ValueError(f"{value!r} is not a valid {cls.__qualname__}") from None

        def __getitem__(cls, name: str) -> Any:
            return cls.__members__[name]

        def __iter__(cls) -> Iterator[Any]:
            return iter(cls._by_value.values())

        def __len__(cls) -> int:
            return len(cls._by_value)

        def __bool__(cls) -> bool:  # else it would go by the length
            return True

    class Enum(metaclass=_Kind):
        @classmethod
        def _new_member(cls, _value: object) -> Any:
            return object.__new__(cls)

        def __repr__(self) -> str:
            return f"<{type(self).__name__}.{self.name}: {self.value!r}>"

        def __str__(self) -> str:
            return f"{type(self).__name__}.{self.name}"

        def __reduce__(self) -> tuple[type, tuple[object]]:
            return type(self), (self.value,)

    class TextEnum(str, Enum):  # noqa: SLOT000 - members have a name and a value
        @classmethod
        def _new_member(cls, value: str) -> Any:
            return str.__new__(cls, value)

        __str__ = str.__str__
        __repr__ = Enum.__repr__
        __reduce__ = Enum.__reduce__


__all__ = ["Enum", "TextEnum"]
