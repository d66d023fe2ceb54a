"""What a test captures in random schedules, counted by itself, and what ``stats()`` says in plain dicts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

import vedette

if TYPE_CHECKING:
    from collections.abc import Mapping

FATES = ("goes", "goes", "goes", "sampled out", "taken by before_send", "before_send fails", "taken by a processor")
captures = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(("error", "error", "message", "feedback", "feedback without text")),
        "fate": st.sampled_from(FATES),
        "attached": st.lists(st.integers(0, 2000), max_size=2),
    }
)


def fate_of(event: Any) -> str:
    return str(dict(event.get("tags") or {}).get("fate"))


def sample(event: Any, hint: Any) -> float:
    return 0.0 if fate_of(event) == "sampled out" else 1.0


def before_send(event: Any, hint: Any) -> Any:
    if fate_of(event) == "before_send fails":
        raise RuntimeError("a hook that fails")
    return None if fate_of(event) == "taken by before_send" else event


def processor(event: Any, hint: Any) -> Any:
    return None if fate_of(event) == "taken by a processor" else event


class Sent:
    """One client in one process: what it captured by the test's own count."""

    def __init__(self, client: vedette.Client, name: str) -> None:
        self.client = client
        self.name = name
        self.captured: Counter[str] = Counter()

    def capture(self, kind: str, fate: str, attached: list[int]) -> None:
        scope = vedette.Scope()
        scope.set_tag("fate", fate)
        scope.add_event_processor(processor)
        for number, size in enumerate(attached):
            scope.add_attachment(bytes=b"x" * size, filename=f"{number}.txt")
            self.captured["attachment"] += max(1, size)
            self.captured["attachment_item"] += 1
        if kind == "error":
            self.client.capture_exception(ValueError(fate), scope=scope)
        elif kind == "message":
            self.client.capture_message(fate, scope=scope)
        else:
            self.client.capture_feedback({"message": fate if kind == "feedback" else ""}, scope=scope)
        self.captured["feedback" if "feedback" in kind else "error"] += 1

    def stats(self) -> dict[str, dict[str, Any]]:
        """As plain dicts, without what is zero."""
        stats = self.client.stats()
        names = ("captured", "adopted", "delivered", "refused", "waiting", "kept")
        return {
            **{name: dict(getattr(stats, name)) for name in names},
            "dropped": {category: dict(reasons) for category, reasons in stats.dropped.items()},
        }


def total(stats: Mapping[str, Any], *names: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for name in names:
        for category, count in stats[name].items():
            found[category] += sum(count.values()) if name == "dropped" else count
    return found


def losses(stats: Mapping[str, Any]) -> Counter[tuple[str, str]]:
    return Counter(
        {
            (category, reason): count
            for category, reasons in stats["dropped"].items()
            for reason, count in reasons.items()
        }
    )
