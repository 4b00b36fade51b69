#!/bin/bash
# Scores the shards of a dataset as an array of Slurm, and merges their answers. Tried with Slurm 22.05.8.
#
# Edit the three lines below, and run it on a machine that can submit work:
#
#     bash slurm_array.sh
#
# It submits itself twice: as an array with a task for each shard, and as the merge, which waits for the array. The
# report is in $FOLDER/report.txt at the end. If there is none, a shard has failed for good: `grep attempt
# $FOLDER/log-*.txt` names it. Then run this again: shards that are whole are not scored again.

SHARDS=16                                             # at most MaxArraySize of the cluster, usually 1,000
FOLDER=${FOLDER:-/shared/run1}                        # a folder that every node can write to
SCORE=(/shared/reviews.jsonl --with sentiment)        # the arguments of `manyhands score`, with absolute paths

set -eu

case ${1:-submit} in
submit)
  mkdir -p "$FOLDER"
  rm -f "$FOLDER/report.txt" # It would be that of an earlier run.
  # --array: each task scores one shard. `1-16%8` would run at most 8 of them at the same time.
  # --requeue: Slurm runs the task again if its node fails or if it is preempted.
  # --open-mode=append: the log of the first attempt is kept.
  # --cpus-per-task: the number of threads.
  array=$(sbatch --parsable --array="1-$SHARDS" --requeue --open-mode=append --cpus-per-task=2 \
    --output="$FOLDER/log-%a.txt" "$0" score)
  # afterok: the merge starts when every task has ended with exit code 0.
  # --kill-on-invalid-dep: if a shard fails for good, the merge is removed from the queue and does not wait forever.
  sbatch --dependency="afterok:${array%%;*}" --kill-on-invalid-dep=yes --output="$FOLDER/report.txt" "$0" merge
  ;;
score)
  # Slurm does not run a task again that ends with an exit code other than 0, so this script does it.
  for attempt in 1 2 3; do
    status=0
    # `auto` takes the number of the shard from SLURM_ARRAY_TASK_ID. The number of shards must always be stated: if only
    # a few tasks are submitted again (--array=3,7), Slurm does not know how many there were.
    manyhands score -j "${SLURM_CPUS_PER_TASK:-1}" --shard "auto/$SHARDS" \
      --partial "$FOLDER/part-$SLURM_ARRAY_TASK_ID.mh" --scores "$FOLDER/part-$SLURM_ARRAY_TASK_ID.jsonl" \
      "${SCORE[@]}" || status=$?
    [ "$status" -ne 0 ] || exit 0
    echo "shard $SLURM_ARRAY_TASK_ID/$SHARDS: attempt $attempt ended with exit code $status" >&2
  done
  exit "$status"
  ;;
merge)
  partials=() scores=()
  for ((shard = 1; shard <= SHARDS; shard++)); do
    partials+=("$FOLDER/part-$shard.mh") scores+=("$FOLDER/part-$shard.jsonl")
  done
  manyhands merge "${partials[@]}" --force -o "$FOLDER/scores.jsonl" --from "${scores[@]}"
  ;;
esac
