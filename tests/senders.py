"""Other senders than vedette, as published: the SDK `sentry-sdk` and the command `sentry-cli`.

In an environment of their own, made once per virtual environment of the suite: what stands beside the suite would
change what other tests prove. They are run, never read.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HOME = Path(sys.prefix) / "senders"
REQUIREMENTS = Path(__file__).with_name("senders.txt")


def install() -> None:
    """Make the environment, unless it is there."""
    stamp = HOME / ".installed"
    wanted = REQUIREMENTS.read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    subprocess.run([sys.executable, "-m", "venv", str(HOME)], check=True, timeout=120)
    pip = [str(HOME / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", str(REQUIREMENTS)], check=True, timeout=200)
    stamp.write_text(wanted)


def run(command: list[str], folder: Path, dsn: str) -> subprocess.CompletedProcess[str]:
    """Run a program of that environment, ``python`` or ``sentry-cli``, in a folder that is its home, too."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "SENTRY_DSN": dsn, "SENTRY_LOG_LEVEL": "warn"}
    command = [str(HOME / "bin" / command[0]), *command[1:]]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=30, check=False)
