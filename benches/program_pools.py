"""Compares `manyhands score --with exec` with Python's pools of processes, for one function and the same records.

Each contender scores the same records in turn with two workers; the results are medians of processor time and of
wall-clock time for a record. The times of manyhands include starting the processes and reading the file. The other
contenders get records that have been read before, in a list: dictionaries for `--send json` and `--send array`, whose
scripts get whole records too, and the bare texts for `--send text`, whose script gets nothing else. The best of several
sizes of chunks counts for the pool of the standard library.

A function of one millisecond shows what is lost beside the function itself. "Of the ideal" is the number of records a
second, divided by the number that the workers would reach if they did nothing else. "Without the start" leaves out the
time of a run with one record for each worker, which is mostly the start and the end of the interpreters.

usage: python3 benches/program_pools.py BINARY [NUMBER OF RECORDS] [NUMBER OF RECORDS OF A MILLISECOND]
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
START = "a run of manyhands with a record for each worker"

FUNCTION = '''
import time

def microsecond_of_text(text):
    total = 0
    for character in text[:24]:
        total += ord(character)
    return total * 0.5

def microsecond(record):
    return microsecond_of_text(record["text"])

def millisecond_of_text(text):
    return millisecond(text)

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
from function import {function}_of_text as score
for line in sys.stdin:
    print(score(line[:-1]), flush=True)
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


def run_program(binary, path, send, script):
    command = [binary, "score", path, "--with", "exec", "--send", send, "-j", str(WORKERS), "--quiet", "--json"]
    command += ["--", sys.executable, script]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def contenders(binary, folder, path, records, name):
    sys.path.insert(0, folder)
    import function

    score = getattr(function, name)
    texts = [record["text"] for record in records]
    score_text = getattr(function, f"{name}_of_text")
    for chunk in CHUNKS:
        yield f"ProcessPoolExecutor, records in chunks of {chunk}", lambda chunk=chunk: pool(score, records, chunk)
    for chunk in CHUNKS:
        yield f"ProcessPoolExecutor, texts in chunks of {chunk}", lambda chunk=chunk: pool(score_text, texts, chunk)
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
        yield f"manyhands --send {send}", lambda send=send, file=file: run_program(binary, path, send, file)
    if shutil.which("parallel"):
        script = os.path.join(folder, f"json_{name}.py")
        command = ["parallel", "--pipe", "-j", str(WORKERS), "-k", "--block", "1M", sys.executable, script]

        def parallel():
            with open(path, "rb") as lines:
                subprocess.run(command, check=True, stdin=lines, stdout=subprocess.DEVNULL)

        yield "GNU parallel --pipe, the script of --send json", parallel


def medians(measurements):
    return [statistics.median(kind) for kind in zip(*measurements)]


def compare(binary, folder, name, count):
    path, few = (os.path.join(folder, file) for file in (f"{name}.jsonl", "few.jsonl"))
    records = write_records(path, count)
    write_records(few, WORKERS)
    script = os.path.join(folder, f"json_{name}.py")
    runs = dict(contenders(binary, folder, path, records, name))
    runs[START] = lambda: run_program(binary, few, "json", script)
    times = {what: [] for what in runs}
    for _ in range(ROUNDS):
        for what, run in runs.items():
            times[what].append(measured(run))
    processor, start = medians(times.pop(START))
    print(f"{name}, {count} records, {WORKERS} workers: µs of processor time and µs of wall-clock time a record")
    for what, measurements in times.items():
        line = "  {:50} {:9.2f} {:9.2f}".format(what, *(time / count * 1e6 for time in medians(measurements)))
        if name == "millisecond":
            wall, ideal = medians(measurements)[1], count * 0.001 / WORKERS
            line += f"   {ideal / wall:.3f} of the ideal"
            if what.startswith("manyhands"):
                line += f", {ideal / (wall - start):.3f} without the start"
        print(line)
    print(f"  {START}: {processor * 1e3:.0f} ms of processor time, {start * 1e3:.0f} ms")


def main(binary, number="1000000", slow="10000"):
    # A script whose output is not buffered at all would write each line in two pieces.
    os.environ.pop("PYTHONUNBUFFERED", None)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "function.py"), "w", encoding="utf-8") as text:
            text.write(FUNCTION)
        os.environ["PYTHONPATH"] = folder
        for name, count in (("microsecond", int(number)), ("millisecond", int(slow))):
            compare(os.path.abspath(binary), folder, name, count)


if __name__ == "__main__":
    main(*sys.argv[1:])
