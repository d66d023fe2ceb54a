"""TEMPORARY SIGNATURES (being written)."""
from __future__ import annotations
from dataclasses import dataclass
from pathlib import Path
from collections.abc import Callable
from vedette._inbox.models import Issue, StoredEvent

EventHook = Callable[[StoredEvent, Issue, bool], None]

@dataclass(frozen=True)
class Ready:
    url: str; dsn: str; pid: int; database: Path

@dataclass(frozen=True)
class ServeOptions:
    host: str = "127.0.0.1"
    port: int = 8969
    database: Path | None = None  # None: default_path()
    keep: int = 10_000
    keep_bytes: int = 512 * 1024 * 1024
    keep_days: float | None = None
    key: str | None = None
    allow_hosts: tuple[str, ...] = ()
    quiet: bool = False
    json: bool = False

def serve(options: ServeOptions, on_event: EventHook | None = None, on_ready: Callable[[Ready], None] | None = None) -> int:
    raise NotImplementedError
