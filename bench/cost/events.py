"""The events of both SDKs for the same failures, as they went over the wire: for the suite, which compares them.

python -m bench.cost.events    in the environment where the peer is installed; prints JSON
"""

from __future__ import annotations

import json
from tempfile import TemporaryDirectory

from bench.cost.asking import ask
from bench.cost.contenders import OURS, PEER
from bench.cost.measuring import Measuring
from bench.cost.receiver import receiving


def main() -> None:
    with receiving() as port, TemporaryDirectory(prefix="vedette-bench-") as byte_code:
        measuring = Measuring(port, byte_code)
        events = []
        for project, name in enumerate((OURS, PEER), start=1):
            measuring.one("compared.failures", name)
            events.append(ask(f"http://key@127.0.0.1:{port}/{project}", "events"))
    print(json.dumps(events))


if __name__ == "__main__":
    main()
