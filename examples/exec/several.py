import json
import sys

for line in sys.stdin:
    texts = [record["text"] for record in json.loads(line)]
    scores = [len(text.split()) for text in texts]
    print(json.dumps(scores), flush=True)
