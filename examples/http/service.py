import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Scorer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # The client may use a connection for many calls.
    disable_nagle_algorithm = True  # The answer leaves at once, although it is written in two pieces.

    def do_POST(self):
        record = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        words = record["text"].split()
        answer = json.dumps({"words": len(words), "tone": "loud" if "!" in record["text"] else "calm"})
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *message):
        pass


ThreadingHTTPServer.request_queue_size = 128  # All connections may be opened at the same time.
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Scorer).serve_forever()
