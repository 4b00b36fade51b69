"""Measures what shards cost: their processor time beside that of one run, and the time and memory of merging them.

The measurements are

- `overhead`: the processor time of all shards of a file, one after the other, divided by that of one run over the file.
  Medians of interleaved rounds;
- `merge`: time, processor time and peak memory of merging many partial answers, without groups and with many groups;
- `rates`: what docs/scale.md computes with: bytes scored for each second of a core, the size of a partial answer, and the
  time to merge one. It scores a file in many real shards and merges them.

usage: cargo build --release
       python3 benches/shards.py BINARY [overhead] [merge] [rates] [--megabytes 1000] [--shards 16] [--rounds 3]
                                 [--partials 1024] [--groups 100000]
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time


def run(*arguments):
    """Runs a command. Returns its standard output, wall-clock time, processor time, and peak memory in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate()
    wall = time.perf_counter() - began
    if process.returncode != 0:
        sys.exit(f"{' '.join(arguments)}: {process.returncode}\n{err.decode()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return out, wall, cpu, after.ru_maxrss / 1e3


def score(options, file, *arguments):
    return run(options.binary, "score", file, "--with", "sentiment", "--json", "-q", *arguments)


def shards(options, file, of, folder, *arguments):
    """Scores all shards. Returns the paths of their partial answers, and the sums of wall-clock and processor time."""
    paths, wall, cpu = [], 0, 0
    for number in range(1, of + 1):
        path = os.path.join(folder, f"part-{number}.mh")
        shard = ["--shard", f"{number}/{of}", "--partial", path, "--force"]
        _, one_wall, one_cpu, _ = score(options, file, *shard, *arguments)
        paths.append(path)
        wall, cpu = wall + one_wall, cpu + one_cpu
    return paths, wall, cpu


def reviews(options, folder, megabytes):
    """Generates a file of about this size."""
    path = os.path.join(folder, "reviews.jsonl")
    records = int(megabytes * 1e6 / 600)
    with open(path, "wb") as out:
        command = [options.binary, "generate", "--records", str(records)]
        subprocess.run(command, stdout=out, check=True)
    return path, os.path.getsize(path), records


def grouped(options, folder, partials, groups):
    """Writes a file in which each shard has one record of every group."""
    path = os.path.join(folder, "groups.jsonl")
    lines = [f'{{"text":"good {group}","g":{1_000_000 + group}}}\n' for group in range(groups)]
    lines = "".join(lines)
    with open(path, "w") as out:
        for _ in range(partials):
            out.write(lines)
    return path


def overhead(options, folder):
    path, size, _ = reviews(options, folder, options.megabytes)
    ratios, walls = [], []
    for _ in range(options.rounds):
        out, wall, cpu, _ = score(options, path)
        paths, all_wall, all_cpu = shards(options, path, options.shards, folder)
        merged, *_ = run(options.binary, "merge", *paths, "--json")
        assert json.loads(out)["digest"] == json.loads(merged)["digest"]
        ratios.append(all_cpu / cpu)
        walls.append(all_wall / wall)
    print(
        f"{size / 1e9:.2f} GB in {options.shards} shards, divided by one run: processor time "
        f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}), clock "
        f"{statistics.median(walls):.3f}"
    )


def merge(options, folder):
    path, _, _ = reviews(options, folder, 20)
    paths, _, _ = shards(options, path, options.partials, folder)
    sizes = [os.path.getsize(path) for path in paths]
    _, wall, cpu, peak = run(options.binary, "merge", *paths, "--json")
    print(
        f"merge of {options.partials} partial answers without groups ({max(sizes) / 1024:.0f} KiB at most): "
        f"{wall:.2f} s, {cpu:.2f} s of processor time, {peak:.0f} MB"
    )
    # The time does not depend on how the partial answers came about, so a few are scored, and each is merged again and
    # again along a chain of shards that have the same groups.
    path = grouped(options, folder, options.partials, options.groups)
    paths, _, _ = shards(options, path, options.partials, folder, "--by", "g", "--top", "1")
    size = os.path.getsize(paths[0])
    out, wall, cpu, peak = run(options.binary, "merge", *paths, "--json")
    print(
        f"merge of {options.partials} partial answers with {len(json.loads(out)['groups'])} groups ({size / 1e6:.1f} MB "
        f"each): {wall:.1f} s, {cpu:.1f} s of processor time, {peak:.0f} MB"
    )


def rates(options, folder):
    path, size, records = reviews(options, folder, options.megabytes)
    out, wall, cpu, _ = score(options, path, "-j", "1")
    paths, all_wall, all_cpu = shards(options, path, options.partials, folder, "-j", "1")
    sizes = [os.path.getsize(path) for path in paths]
    merged, merge_wall, merge_cpu, peak = run(options.binary, "merge", *paths, "--json")
    assert json.loads(out)["digest"] == json.loads(merged)["digest"]
    print(f"one core scores {size / 1e6 / cpu:.0f} MB/s, {records / cpu:.0f} records/s")
    print(
        f"{options.partials} shards of {size / options.partials / 1e6:.2f} MB: {all_cpu:.1f} s of processor time, of which "
        f"{(all_cpu - cpu) / options.partials * 1e3:.1f} ms for each shard beside scoring"
    )
    print(
        f"partial answers: {statistics.mean(sizes) / 1024:.0f} KiB on average; merge: {merge_wall:.2f} s, "
        f"{merge_cpu / options.partials * 1e3:.2f} ms of processor time each, {peak:.0f} MB"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("what", nargs="*", default=["overhead", "merge", "rates"])
    parser.add_argument("--megabytes", type=float, default=1000)
    parser.add_argument("--shards", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--partials", type=int, default=1024)
    parser.add_argument("--groups", type=int, default=100_000)
    options = parser.parse_args()
    for what in options.what:
        with tempfile.TemporaryDirectory() as folder:
            {"overhead": overhead, "merge": merge, "rates": rates}[what](options, folder)


if __name__ == "__main__":
    main()
