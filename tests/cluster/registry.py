#!/usr/bin/env python3
"""The only registry that the cluster knows, whatever host an image's name has. It has no images: it says no in the
words of a real one, so that tests see true failures of a pull although nothing leaves the machine.

    registry.py ADDRESS PORT

    private/...    401, as of a registry that wants credentials
    throttled/...  429, as of Docker Hub's limit of pulls
    anything else  404
"""
import http.server
import json
import sys

REFUSALS = {
    "private": (401, "UNAUTHORIZED", "authentication required"),
    "throttled": (429, "TOOMANYREQUESTS", "You have reached your pull rate limit."),
}
UNKNOWN = (404, "MANIFEST_UNKNOWN", "manifest unknown")


class Registry(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        parts = self.path.split("?")[0].split("/")
        if parts[:2] != ["", "v2"] or len(parts) < 4:
            return self.answer(200, {})
        status, code, message = REFUSALS.get(parts[2], UNKNOWN)
        return self.answer(status, {"errors": [{"code": code, "message": message}]})

    do_HEAD = do_GET

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="registry"')
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


if __name__ == "__main__":
    http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Registry).serve_forever()
