"""Runs the examples of Ray and Spark on two nodes of this machine, kills processes in the middle, and checks the answers.

    python3 drive.py ray --manyhands PATH --work FOLDER [--kills 10] [--seed 1]

It makes a virtual environment in FOLDER with the versions of `examples/engines/requirements.txt`, which needs an index of
Python packages. Everything else runs in namespaces of its own: a network that has loopback alone, since engines listen
on all interfaces, and its own processes, which all end together with this program.

A run is right if it ends with exit code 0 and with the digest and the scores of a single run, or with another exit code
and the name of the shard that failed for good. It is wrong otherwise. The last line of standard output is JSON with the
numbers of kills and outcomes, and the exit code is 0 if there was no wrong run.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from nodes import Ray, Spark, children_of, loopback_up, shards_running, parent, tree

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent.parent / "examples" / "engines"
SHARDS = 16
POISON = 7
# A shard takes about a second at this rate, whatever the machine, so that there is time to kill it.
RECORDS, RATE = 24_000, 1_500
PATIENCE = 600


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=["ray", "spark"])
    parser.add_argument("--manyhands", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--environment", type=Path, help="an existing virtual environment, or where to make one")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--figure", type=int, help="instead of killing, measure a run over this number of records")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def environment(folder):
    """Makes the virtual environment if it does not exist."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", EXAMPLES / "requirements.txt"], check=True)
    return python


def enter_namespaces(python):
    # The shell is the first process of the namespace. It waits for orphans, and all processes end with it.
    command = ["unshare", "--user", "--map-root-user", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]
    command += ["bash", "-c", '"$@"; exit $?', "bash", python, HERE / "drive.py", *sys.argv[1:], "--inside"]
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONUNBUFFERED", "PYTHONPATH")}
    os.execvpe("unshare", [str(part) for part in command], clean)


class Workplace:
    """A folder with the input, the answer of a single run, and a `manyhands` that can be told to die."""

    def __init__(self, options):
        self.real = options.manyhands.resolve()
        self.folder = options.work.resolve() / options.engine
        shutil.rmtree(self.folder, ignore_errors=True)
        self.programs = self.folder / "bin"
        self.programs.mkdir(parents=True)
        self.poison = self.folder / "poison"
        self.log = self.folder / "times"
        self.figure = options.figure is not None
        self.input = self.folder / "reviews.jsonl"
        self.write_program()
        with self.input.open("wb") as out:
            records = options.figure or RECORDS
            subprocess.run([self.real, "generate", "--records", str(records)], stdout=out, check=True)
        self.answer = self.folder / "whole.jsonl"
        single = [self.real, "score", *self.scoring(), "-o", self.answer]
        self.digest = digest(subprocess.run(single, stdout=subprocess.PIPE, text=True, check=True).stdout)

    def scoring(self):
        return [self.input, "--with", "sentiment", "--by", "category"]

    def write_program(self):
        dies = f'case "$*" in *"--shard $(cat {self.poison} 2>/dev/null || echo none) "*) kill -KILL $$ ;; esac\n'
        then = f'exec {self.real} "$@"\n'
        if self.figure:
            then = f'began=$(date +%s.%N)\n{self.real} "$@" || exit $?\necho "$PPID $began $(date +%s.%N) $*" >>{self.log}\n'
        program = self.programs / "manyhands"
        program.write_text(f"#!/bin/sh\n{dies}{then}")
        program.chmod(0o755)


def digest(report):
    lines = [line for line in report.splitlines() if line.startswith("digest ")]
    return lines[0].split()[1] if lines else None


class Killer:
    """Kills processes of a run at random times, and counts them."""

    def __init__(self, engine, place, chance):
        self.engine, self.place, self.chance = engine, place, chance
        self.counts = {"child": 0, "worker": 0, "node": 0}
        self.kinds = []

    def total(self):
        return sum(self.counts.values())

    def kill_one(self):
        """Kills something if a shard is being scored at this moment."""
        running = shards_running(self.place.real)
        if not running:
            return
        # The kinds come in turns, in an order that changes, so that each is killed as often as the others.
        if not self.kinds:
            self.kinds = ["child", "worker", "node", "child", "worker"]
            self.chance.shuffle(self.kinds)
        kind = self.kinds.pop()
        process = self.chance.choice(running)
        if kind == "node":
            done = self.engine.kill_node(self.chance)
        elif kind == "child":
            done = end(process)
        else:
            worker = parent(process)
            done = end(worker) if self.engine.is_worker(worker) else 0
        self.counts[kind] += done

    def kill_during(self, run, kills):
        """Kills until the run has ended, at most this number of times, and returns whether it ended in time."""
        wanted = self.total() + kills
        last = time.monotonic() + PATIENCE
        while run.poll() is None and time.monotonic() < last:
            time.sleep(self.chance.uniform(0.2, 1.0))
            if self.total() < wanted and run.poll() is None:
                self.kill_one()
            self.engine.replace_nodes()
        return run.poll() is not None


def end(process):
    try:
        os.kill(process, signal.SIGKILL)
        return 1
    except (ProcessLookupError, TypeError):
        return 0


def judge(place, folder, code, text, poison):
    """Returns what became of a run, which begins with "wrong" if it must not happen."""
    named = f"shard {POISON}/{SHARDS} failed for good"
    has_no_answer = code != 0 and digest(text) is None
    if poison:
        return "poison named" if has_no_answer and named in text else f"wrong: exit code {code} with poison"
    if code != 0:
        is_named = re.search(rf"shard \d+/{SHARDS} failed for good", text)
        return "shard named" if has_no_answer and is_named else f"wrong: exit code {code}, and no shard is named"
    if digest(text) != place.digest:
        return f"wrong: exit code 0 with the digest {digest(text)}"
    scores = folder / "scores.jsonl"
    is_same = scores.exists() and scores.read_bytes() == place.answer.read_bytes()
    return "right" if is_same else "wrong: exit code 0 with other scores"


def one_run(engine, place, killer, number, kills, poison):
    folder = place.folder / f"run-{number}"
    place.poison.unlink(missing_ok=True)
    if poison:
        place.poison.write_text(f"{POISON}/{SHARDS}")
    log = place.folder / f"run-{number}.log"
    began = time.monotonic()
    with log.open("w") as out:
        scoring = [*place.scoring(), "--rate", f"{RATE}/s"]
        run = engine.submit([str(SHARDS), folder, *scoring], out)
        ended = killer.kill_during(run, kills)
    if not ended:
        outcome = f"wrong: no end after {PATIENCE} s"
        for process in tree(run.pid):
            end(process)
        run.wait()
    else:
        outcome = judge(place, folder, run.returncode, log.read_text(), poison)
    print(f"run {number}: {outcome}, {time.monotonic() - began:.0f} s, kills so far: {killer.counts}", flush=True)
    if not outcome.startswith("wrong"):
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def kill_and_check(options, engine, place):
    killer = Killer(engine, place, random.Random(options.seed))
    outcomes = {}
    number = 0
    while killer.total() < options.kills or "poison named" not in outcomes:
        number += 1
        if number > 10 + options.kills:
            outcomes["wrong: too few kills"] = 1
            break
        poison = number % 6 == 2
        outcome = one_run(engine, place, killer, number, 4 if poison else 8, poison)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    wrong = sum(count for outcome, count in outcomes.items() if outcome.startswith("wrong"))
    print(json.dumps({"engine": options.engine, "runs": number, "kills": killer.counts, "outcomes": outcomes, "wrong": wrong}))
    return 1 if wrong else 0


def measure(options, engine, place):
    """Measures the time of a whole run without kills, and compares it with that of its shards."""
    for number in range(3):
        place.log.unlink(missing_ok=True)
        folder = place.folder / f"figure-{number}"
        with (place.folder / "figure.log").open("w") as out:
            began = time.time()
            run = engine.submit([str(SHARDS), folder, *place.scoring()], out)
            assert run.wait() == 0, (place.folder / "figure.log").read_text()
            wall = time.time() - began
        times = [line.split(" ", 3) for line in place.log.read_text().splitlines()]
        lasted = {}
        for process, first, last, what in times:
            if what.startswith("score"):
                lasted.setdefault(process, []).append(float(last) - float(first))
        merge = [float(last) - float(first) for _, first, last, what in times if what.startswith("merge")][0]
        longest = max(sum(each) for each in lasted.values())
        half = sum(sum(each) for each in lasted.values()) / 2
        print(json.dumps({
            "wall_s": round(wall, 2),
            "merge_s": round(merge, 2),
            "shards_per_worker": [len(each) for each in lasted.values()],
            "longest_path_s": round(longest, 2),
            "half_of_all_s": round(half, 2),
            "wall / longest path": round(wall / longest, 3),
            "wall / half of all": round(wall / half, 3),
        }), flush=True)
    return 0


def main():
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    python = environment(options.environment or options.work / "environment")
    if not options.inside:
        enter_namespaces(python)
    loopback_up()
    place = Workplace(options)
    engine = {"ray": Ray, "spark": Spark}[options.engine](python, EXAMPLES, place.folder, place.programs)
    try:
        sys.exit((measure if options.figure else kill_and_check)(options, engine, place))
    finally:
        engine.stop()
        for process in children_of(os.getpid()):
            end(process)


main()
