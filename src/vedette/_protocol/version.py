"""Who vedette says it is, on the wire and in packages. The one place of its version."""

from __future__ import annotations

VERSION = "0.1.0"
SDK_NAME = "vedette.python"
