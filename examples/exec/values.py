import json
import sys

# A model would be loaded here. This happens once for each worker.

for line in sys.stdin:
    record = json.loads(line)
    text = record.get("text")
    if text is None:
        answer = {"error": "this record has no text"}
    else:
        words = text.split()
        answer = {
            "words": len(words),  # a number: its statistics are exact
            "tone": "loud" if "!" in text else "calm",  # a text: the report counts each one
            "first": words[:3],  # any other JSON is copied to the scores file
        }
    print(json.dumps(answer), flush=True)
