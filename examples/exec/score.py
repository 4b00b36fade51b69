import json
import sys

for line in sys.stdin:
    record = json.loads(line)
    words = record["text"].split()
    print(len(words), flush=True)
