"""What arrives when things go wrong: vedette, vedette with a journal, and the published peer, side by side.

    make faults
    python -m bench.reliability.faults [--scenario NAME]... [--only vedette|journal|peer]... [--docs]

README.md says how to read it. Ends with status 1 if vedette does not keep what it promises.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import math
import subprocess
import sys
import time
from tempfile import TemporaryDirectory

from bench.reliability import report
from bench.reliability.judging import Result, Run, judge
from bench.reliability.promises import broken_promises
from bench.reliability.receiver import Receiver
from bench.reliability.running import JOURNAL, PEER, VEDETTE, Contender, Process
from bench.reliability.scenarios import SCENARIOS, Scenario

RUN_SECONDS = 40.0
NEXT_JOB = ("wait_for_more",)
PATIENCE_SECONDS = 8.0  # without an arrival, after which the next run is over
SETTLING_SECONDS = 3.0
CONTENDERS = {"vedette": VEDETTE, "journal": JOURNAL, "peer": PEER}


def measure(scenario: Scenario, contender: Contender) -> Result:
    """Run the program, and the next one where there is a journal."""
    with TemporaryDirectory() as directory, Receiver() as receiver:
        runs = [first_run(scenario, contender, receiver, directory)]
        if contender.journal:
            runs.append(next_run(runs[0], contender, receiver, directory))
    return judge(runs)


def first_run(scenario: Scenario, contender: Contender, receiver: Receiver, directory: str) -> Run:
    """The one that captures."""
    with Process(contender, receiver.dsn, directory, scenario.job) as process:
        process.start()
        receiver.start(scenario.plan)
        process.tell()
        ended = process.finish(RUN_SECONDS)
    receiver.settle(SETTLING_SECONDS)
    return Run(ended, receiver.tally(), killed=scenario.killed, unclear=scenario.unclear)


def next_run(first: Run, contender: Contender, receiver: Receiver, directory: str) -> Run:
    """The next start of the program, on a server that is well: it lives until nothing more is to be expected."""
    captured = sum(first.ended.captured.values())
    wanted = captured - len(set(first.tally.refused) - set(first.tally.accepted))
    receiver.start()
    with Process(contender, receiver.dsn, directory, NEXT_JOB) as process:
        process.start()
        process.tell()
        arrived, since = receiver.arrived(), time.monotonic()
        while arrived < wanted and time.monotonic() - since < PATIENCE_SECONDS and not process.is_over():
            time.sleep(0.01)
            if receiver.arrived() > arrived:
                arrived, since = receiver.arrived(), time.monotonic()
        time.sleep(0.3)  # for what would come twice
        process.tell()
        ended = process.finish(RUN_SECONDS)
    receiver.settle(SETTLING_SECONDS)
    return Run(ended, receiver.tally().since(first.tally))


def has_journal() -> bool:
    """Whether this vedette knows ``cache_dir``."""
    with TemporaryDirectory() as directory:
        source = f"import vedette; vedette.init('http://key@127.0.0.1:9/1', cache_dir={directory!r})"
        done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    if done.returncode and "OptionError" not in done.stderr:
        sys.exit(done.stderr)
    return not done.returncode


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", action="append", choices=[each.name for each in SCENARIOS])
    parser.add_argument("--only", action="append", choices=CONTENDERS)
    parser.add_argument("--docs", action="store_true", help="write the table into docs/reliability.md as well")
    return parser.parse_args()


def main() -> None:
    """Measure what is asked for, print it while it comes in, and say what promise does not hold."""
    asked = arguments()
    scenarios = [each for each in SCENARIOS if not asked.scenario or each.name in asked.scenario]
    contenders = [each for name, each in CONTENDERS.items() if not asked.only or name in asked.only]
    journal = has_journal()
    if not journal:
        print("this vedette has no cache_dir: n/a")
    head = report.heading(importlib.metadata.version("vedette"), importlib.metadata.version("sentry-sdk"))
    print(head, *report.details_head(), sep="\n", flush=True)
    results: dict[tuple[Scenario, Contender], Result] = {}
    for scenario in scenarios:
        print(f"\n{scenario.title} ({scenario.name})", flush=True)
        for contender in contenders:
            if contender.journal and not journal:
                print(report.not_there(contender))
                continue
            result = results[scenario, contender] = measure(scenario, contender)
            print(report.details(contender, result), flush=True)
        ours, theirs = results.get((scenario, VEDETTE)), results.get((scenario, PEER))
        if scenario.rated and ours and theirs and not math.isnan(theirs.per_second):
            print(f"  {ours.per_second / theirs.per_second:.1f} times the peer's rate")
    print()
    print(*report.side_by_side(scenarios, contenders, results), sep="\n")
    if asked.docs:
        report.write(head, scenarios, contenders, results)
    broken = [
        line
        for (scenario, contender), result in results.items()
        if contender is not PEER
        for line in broken_promises(scenario, contender, result, results.get((scenario, PEER)))
    ]
    if broken:
        print("\nWhat does not hold:", *broken, sep="\n- ")
        sys.exit(1)


if __name__ == "__main__":
    main()
