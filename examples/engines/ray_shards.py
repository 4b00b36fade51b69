"""Scores the shards of a dataset as tasks of Ray, and merges their answers. Tried with Ray 2.60.0.

Install Ray on every machine (`pip install ray==2.60.0`). Run `ray start --head` on the first one and
`ray start --address=FIRST:6379` on the others. On a single machine, Ray starts by itself. Then run, on one of them:

    python3 ray_shards.py 16 /shared/run1 /shared/reviews.jsonl --with sentiment --by category

This makes 16 shards. Their partials and scores are written to the folder /shared/run1, and all further arguments are
those of `manyhands score`. The program `manyhands`, the folder and the input must have the same names on every machine,
so paths are absolute. After a failure, run it again: shards that are whole are not scored again.
"""

import subprocess
import sys
from pathlib import Path

import ray

SHARDS, FOLDER, ARGUMENTS = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]


def partial(shard):
    return str(FOLDER / f"part-{shard}.mh")


def scores(shard):
    return str(FOLDER / f"part-{shard}.jsonl")


@ray.remote(
    # This is the number of threads (`-j`). Ray runs as many tasks at once as the machines have processors for.
    num_cpus=1,
    # Ray runs a task again if its worker process or its machine dies, at most this number of times.
    max_retries=3,
    # By default, Ray does not run a task again that has raised an exception, as it does below if manyhands dies.
    retry_exceptions=True,
)
def score(shard):
    # Two processes may score the same shard at the same time, since manyhands goes on for a moment if its worker dies.
    # This does no harm: a file appears under its name only when it is whole, and both write the same one.
    options = ["-j", "1", "--shard", f"{shard}/{SHARDS}", "--partial", partial(shard), "--scores", scores(shard)]
    run = subprocess.run(["manyhands", "score", *options, *ARGUMENTS], capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(f"manyhands ended with {run.returncode}: {run.stderr}")


FOLDER.mkdir(parents=True, exist_ok=True)
ray.init()
shards = range(1, SHARDS + 1)
tasks = [score.remote(shard) for shard in shards]
failed = []
for shard, task in zip(shards, tasks):
    try:
        ray.get(task)
    except ray.exceptions.RayError as error:
        # The other shards go on, so that the next run has less to do.
        print(f"shard {shard}/{SHARDS} failed for good: {error}", file=sys.stderr)
        failed.append(f"{shard}/{SHARDS}")
if failed:
    sys.exit(f"There is no answer: {len(failed)} of {SHARDS} shards failed for good: {', '.join(failed)}")

together = ["-o", str(FOLDER / "scores.jsonl"), "--from", *map(scores, shards)]
merge = subprocess.run(["manyhands", "merge", *map(partial, shards), "--force", *together])
sys.exit(merge.returncode)
