"""Compares `manyhands score --with http` with clients in Python, for the same records and the same local service.

Each contender posts every record to the service `examples/slow_service.rs`, with a fixed number of calls in flight, reads
all answers and adds up a number of each. The contenders run in turns, each in a process of its own. The results are
medians of

- the number of calls for each second of processor time of the client. For manyhands, it contains the start of the program
  and the reading of the file; for the clients in Python, both come before the clock is started.
- wall-clock time, divided by the time of a client that costs nothing: records * latency / calls in flight;
- the peak of the memory of the client in MB.

usage: cargo build --release --example slow_service
       python3 benches/http_clients.py BINARY SERVICE [--records N] [--in-flight 256,64] [--also NAME=PROGRAM]

Contenders are aiohttp, httpx and openai as far as they are installed, BINARY unless it is `-`, and a PROGRAM, which is
started with the arguments URL, FILE and NUMBER IN FLIGHT. The clients that are much slower get fewer records.
"""

import argparse
import asyncio
import importlib.util
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 5
LATENCY = 0.02
# These clients take about a second for as many records.
SLOW = {"httpx": 1000, "openai": 1000}


async def with_aiohttp(url, records, in_flight):
    import aiohttp

    semaphore = asyncio.Semaphore(in_flight)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def call(record):
            async with semaphore, session.post(url, json=record) as answer:
                answer.raise_for_status()
                return (await answer.json())["bytes"]

        return sum(await asyncio.gather(*map(call, records)))


async def with_httpx(url, records, in_flight):
    import httpx

    semaphore = asyncio.Semaphore(in_flight)
    limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:

        async def call(record):
            async with semaphore:
                answer = await client.post(url, json=record)
                answer.raise_for_status()
                return answer.json()["bytes"]

        return sum(await asyncio.gather(*map(call, records)))


async def with_openai(url, records, in_flight):
    import openai

    semaphore = asyncio.Semaphore(in_flight)
    async with openai.AsyncOpenAI(base_url=url + "/v1", api_key="none") as client:

        async def call(record):
            async with semaphore:
                message = {"role": "user", "content": record["text"]}
                answer = await client.chat.completions.create(model="slow", messages=[message])
                return json.loads(answer.choices[0].message.content)["bytes"]

        return sum(await asyncio.gather(*map(call, records)))


CLIENTS = {"aiohttp": with_aiohttp, "httpx": with_httpx, "openai": with_openai}


def be_client(name, url, path, in_flight):
    """Runs in a process of its own. Prints the processor time and the wall-clock time of the calls alone."""
    with open(path, encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    importlib.import_module(name)
    processor, start = time.process_time(), time.perf_counter()
    asyncio.run(CLIENTS[name](url, records, int(in_flight)))
    print(time.process_time() - processor, time.perf_counter() - start)


def measured(command, has_clock):
    """Runs a command, and returns its processor time, its wall-clock time, and the peak of its memory in bytes."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{command} ended with exit code {child.returncode}")
    processor = usage.ru_utime + usage.ru_stime
    if has_clock:
        processor, wall = map(float, output.split())
    return processor, wall, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def contenders(options, url, in_flight, file):
    """The name, the command, the number of records, and whether the command prints its own times."""
    for name in CLIENTS:
        if importlib.util.find_spec(name):
            count = min(options.records, SLOW.get(name, options.records))
            yield name, [sys.executable, __file__, "client", name, url, file(count), str(in_flight)], count, True
    count = options.records
    for name, program in options.also:
        yield name, [program, url, file(count), str(in_flight)], count, False
    if options.binary != "-":
        command = [os.path.abspath(options.binary), "score", file(count), "--with", "http", "--url", url]
        command += ["--in-flight", str(in_flight), "--rank", "bytes", "--quiet", "--json"]
        yield "manyhands", command, count, False


def compare(options, url, in_flight, file):
    runs = list(contenders(options, url, in_flight, file))
    results = {name: [] for name, *_ in runs}
    for _ in range(ROUNDS):
        for name, command, _, has_clock in runs:
            results[name].append(measured(command, has_clock))
    print(f"{in_flight} in flight, {LATENCY * 1000:.0f} ms   calls/CPU s   wall / ideal   peak MB   records", flush=True)
    for name, _, count, _ in runs:
        processor, wall, memory = (statistics.median(kind) for kind in zip(*results[name]))
        ideal = count * LATENCY / in_flight
        print(f"  {name:20} {count / processor:12.0f} {wall / ideal:14.3f} {memory / 1e6:9.1f} {count:9}", flush=True)


def write_records(path, count):
    words = "the quick brown fox jumps over a lazy dog and runs home again".split()
    draw = random.Random(1)
    with open(path, "w", encoding="utf-8") as lines:
        for number in range(count):
            lines.write(json.dumps({"id": number, "text": " ".join(draw.choices(words, k=14))}) + "\n")
    return path


def main():
    parser = argparse.ArgumentParser(usage=__doc__.partition("usage: ")[2])
    parser.add_argument("binary")
    parser.add_argument("service")
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--in-flight", default="256,64", type=lambda text: [int(number) for number in text.split(",")])
    parser.add_argument("--also", action="append", default=[], type=lambda text: tuple(text.split("=", 1)))
    options = parser.parse_args()
    command = [os.path.abspath(options.service), "--port", "0", "--latency", str(LATENCY * 1000)]
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        try:
            url = service.stdout.readline().strip()
            files = {}

            def file(count):
                if count not in files:
                    files[count] = write_records(os.path.join(folder, f"{count}.jsonl"), count)
                return files[count]

            for in_flight in options.in_flight:
                compare(options, url, in_flight, file)
        finally:
            service.kill()


if __name__ == "__main__":
    if sys.argv[1:2] == ["client"]:
        be_client(*sys.argv[2:])
    else:
        main()
