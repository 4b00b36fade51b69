"""Compares `manyhands score --with exec` with Python's pools of processes, for one function and the same records.

Each contender scores the same records in turn with two workers; the results are medians of processor time and of
wall-clock time for a record. The times of manyhands include starting the processes and reading the file. The other
contenders get the records as a list that has been read before.

usage: python3 benches/program_pools.py BINARY [NUMBER OF RECORDS]
       (joblib, mpire and GNU parallel take part if they are installed)
"""

import concurrent.futures
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 5
WORKERS = 2
CHUNKS = (100, 1000, 4000)

FUNCTION = '''
import time

def microsecond(record):
    total = 0
    for character in record["text"][:24]:
        total += ord(character)
    return total * 0.5

def millisecond(record):
    until = time.perf_counter() + 0.001
    while time.perf_counter() < until:
        pass
    return 1.0
'''

PLAIN = '''
import json, sys
from function import {function} as score
for line in sys.stdin:
    print(json.dumps({{"score": score(json.loads(line))}}), flush=True)
'''

TEXT = '''
import sys
from function import {function} as score
for line in sys.stdin:
    print(score({{"text": line[:-1]}}), flush=True)
'''

LIST = '''
import json, sys
from function import {function} as score
for line in sys.stdin:
    print(json.dumps([score(record) for record in json.loads(line)]), flush=True)
'''


def processor_time():
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def measured(run):
    before, start = processor_time(), time.perf_counter()
    run()
    return processor_time() - before, time.perf_counter() - start


def write_records(path, number):
    words = "the quick brown fox jumps over a lazy dog and runs home again".split()
    draw = random.Random(1)
    records = [{"id": n, "text": " ".join(draw.choices(words, k=14))} for n in range(number)]
    with open(path, "w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(record) + "\n" for record in records)
    return records


def pool(function, records, chunk):
    with concurrent.futures.ProcessPoolExecutor(WORKERS) as executor:
        return sum(executor.map(function, records, chunksize=chunk))


def contenders(binary, folder, path, records, name):
    sys.path.insert(0, folder)
    import function

    score = getattr(function, name)
    for chunk in CHUNKS:
        yield f"ProcessPoolExecutor, chunks of {chunk}", lambda chunk=chunk: pool(score, records, chunk)
    try:
        import joblib
    except ImportError:
        pass
    else:
        from joblib.externals.loky import get_reusable_executor

        def join():
            joined = joblib.Parallel(WORKERS, batch_size=1000)
            total = sum(joined(joblib.delayed(score)(record) for record in records))
            # The processor time of processes counts once they have ended.
            get_reusable_executor().shutdown(wait=True)
            return total

        yield "joblib", join
    try:
        import mpire
    except ImportError:
        pass
    else:

        def spread():
            with mpire.WorkerPool(WORKERS) as workers:
                chunks = len(records) // 1000 or 1
                return sum(workers.map(score, [(record,) for record in records], n_splits=chunks))

        yield "mpire", spread
    for send, script in (("json", PLAIN), ("text", TEXT), ("array:64", LIST)):
        file = os.path.join(folder, f"{send.split(':')[0]}_{name}.py")
        with open(file, "w", encoding="utf-8") as text:
            text.write(script.format(function=name))
        command = [binary, "score", path, "--with", "exec", "--send", send, "-j", str(WORKERS), "--quiet", "--json"]
        command += ["--", sys.executable, file]
        yield f"manyhands --send {send}", lambda command=command: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    if shutil.which("parallel"):
        script = os.path.join(folder, f"json_{name}.py")
        command = ["parallel", "--pipe", "-j", str(WORKERS), "-k", "--block", "1M", sys.executable, script]

        def parallel():
            with open(path, "rb") as lines:
                subprocess.run(command, check=True, stdin=lines, stdout=subprocess.DEVNULL)

        yield "GNU parallel --pipe, the script of --send json", parallel


def main(binary, number="200000"):
    # A script whose output is not buffered at all would write each line in two pieces.
    os.environ.pop("PYTHONUNBUFFERED", None)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "function.py"), "w", encoding="utf-8") as text:
            text.write(FUNCTION)
        os.environ["PYTHONPATH"] = folder
        for name, count in (("microsecond", int(number)), ("millisecond", 3000)):
            path = os.path.join(folder, f"{name}.jsonl")
            records = write_records(path, count)
            runs = list(contenders(os.path.abspath(binary), folder, path, records, name))
            times = {what: [] for what, _ in runs}
            for _ in range(ROUNDS):
                for what, run in runs:
                    times[what].append(measured(run))
            print(f"{name}, {count} records, {WORKERS} workers: µs of processor time and µs of wall-clock time a record")
            for what, measurements in times.items():
                processor, wall = (statistics.median(kind) / count * 1e6 for kind in zip(*measurements))
                print(f"  {what:50} {processor:9.2f} {wall:9.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
