"""Scores the shards of a dataset as tasks of Spark, and merges their answers. Tried with PySpark 4.3.0 and Java 17.

Run it on a standalone cluster:

    spark-submit --master spark://FIRST:7077 spark_shards.py 16 /shared/run1 /shared/reviews.jsonl --with sentiment

This makes 16 shards. Their partials and scores are written to the folder /shared/run1, and all further arguments are
those of `manyhands score`. The program `manyhands`, the folder and the input must have the same names on every machine,
so paths are absolute. On a single machine, use `--master local[2,4]`: two tasks at once, and four attempts for each.
After a failure, run it again: shards that are whole are not scored again.

Do not use `RDD.pipe` for this. By default, it ignores the exit code of its program, so records are lost without an error.
"""

import re
import subprocess
import sys
from pathlib import Path

from pyspark.sql import SparkSession

SHARDS, FOLDER, ARGUMENTS = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]


def partial(shard):
    return str(FOLDER / f"part-{shard}.mh")


def scores(shard):
    return str(FOLDER / f"part-{shard}.jsonl")


def score(shards):
    # Spark may run the same shard twice at the same time, for example after it has lost a machine, or with
    # `spark.speculation`. This does no harm: a file appears under its name only when it is whole, and both write the
    # same one.
    for shard in shards:
        options = ["-j", "1", "--shard", f"{shard}/{SHARDS}", "--partial", partial(shard), "--scores", scores(shard)]
        run = subprocess.run(["manyhands", "score", *options, *ARGUMENTS], capture_output=True, text=True)
        if run.returncode != 0:
            # Spark runs a task again only if it raises an exception.
            raise RuntimeError(f"shard {shard}/{SHARDS}: manyhands ended with {run.returncode}: {run.stderr}")
        yield shard


settings = {
    # A task may fail three times. At the fourth time, Spark gives up and ends all other tasks.
    "spark.task.maxFailures": 4,
    # This is the number of threads (`-j`).
    "spark.task.cpus": 1,
}
FOLDER.mkdir(parents=True, exist_ok=True)
spark = SparkSession.builder.appName("manyhands").config(map=settings).getOrCreate()
shards = range(1, SHARDS + 1)
try:
    # Each shard is a task of its own.
    done = spark.sparkContext.parallelize(shards, SHARDS).mapPartitions(score).collect()
except Exception as error:
    print(error, file=sys.stderr)
    # If a worker has died, Spark names only its task, and counts tasks from 0.
    named = re.search(r"shard (\d+)/", str(error))
    counted = re.search(r"Task (\d+) in stage", str(error))
    shard = named[1] if named else int(counted[1]) + 1 if counted else "?"
    sys.exit(f"There is no answer: shard {shard}/{SHARDS} failed for good")
finally:
    spark.stop()
assert done == list(shards)

together = ["-o", str(FOLDER / "scores.jsonl"), "--from", *map(scores, shards)]
merge = subprocess.run(["manyhands", "merge", *map(partial, shards), "--force", *together])
sys.exit(merge.returncode)
