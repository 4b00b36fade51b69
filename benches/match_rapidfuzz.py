"""Compares the speed of `manyhands score --with match` with `process.cdist(workers=-1)` of RapidFuzz.

Both score the same texts in turn; the results are medians of processor time and of wall-clock time.
The times of manyhands include starting the process, reading the files and preparing the reference.

usage: python3 benches/match_rapidfuzz.py BINARY REFERENCE.txt RECORDS.jsonl NAMES.txt
       (RECORDS.jsonl has a field "title"; needs rapidfuzz 3.14 and numpy)
"""

import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

# Texts, measure, function of RapidFuzz, cutoff, number of records for RapidFuzz and for manyhands.
CASES = [
    ("names", "ratio", fuzz.ratio, None, 200, 4000),
    ("titles", "ratio", fuzz.ratio, None, 100, 2500),
    ("titles", "ratio", fuzz.ratio, 80, 100, 2500),
    ("titles", "token-sort", fuzz.token_sort_ratio, None, 40, 2500),
    ("titles", "token-set", fuzz.token_set_ratio, None, 10, 800),
    ("titles", "wratio", fuzz.WRatio, None, 4, 400),
    ("titles", "levenshtein", Levenshtein.normalized_similarity, None, 60, 400),
]
ROUNDS = 5


def processor_time():
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def measured(run):
    before, start = processor_time(), time.perf_counter()
    run()
    return processor_time() - before, time.perf_counter() - start


def main(binary, reference, records, names):
    def read(path):
        with open(path, encoding="utf-8") as lines:
            return lines.read().splitlines()

    surnames = read(names)
    misspelt = [name[:-1] + "e" for name in random.Random(1).sample(surnames, 4000)]
    titles = [json.loads(line)["title"] for line in read(records)]
    texts = {"names": (names, surnames, misspelt), "titles": (reference, read(reference), titles)}
    for which, measure, scorer, cutoff, there, here in CASES:
        path, choices, queries = texts[which]
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as input:
            here = min(here, len(queries))
            input.writelines(json.dumps({"title": query}) + "\n" for query in queries[:here])
            input.flush()
            command = [binary, "score", input.name, "--with", "match", "--field", "title"]
            command += ["--against", path, "--measure", measure, "--quiet"]
            command += [] if cutoff is None else ["--cutoff", str(cutoff)]
            ours = lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            theirs = lambda: process.cdist(
                queries[:there], choices, scorer=scorer, score_cutoff=cutoff, workers=-1
            )
            rounds = [(measured(theirs), measured(ours)) for _ in range(ROUNDS)]
        processor, clock = (
            statistics.median(a[time] / there / (b[time] / here) for a, b in rounds)
            for time in (0, 1)
        )
        speed = statistics.median(here * len(choices) / b[0] for _, b in rounds) / 1e6
        name = measure if cutoff is None else f"{measure} from {cutoff}"
        print(f"{which:6} {name:13} {processor:6.1f} x in processor time, {clock:6.1f} x in"
              f" wall-clock time; {speed:6.0f} M pairs per processor second", flush=True)


main(*sys.argv[1:])
