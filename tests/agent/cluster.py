"""What the parts share: namespaces of their own, the program, the API server, and a proxy that stands before it."""
import atexit
import base64
import concurrent.futures
import http.client
import http.server
import json
import os
import re
import socketserver
import ssl
import subprocess
import tempfile
import threading
import time

RCA, IMAGE, PREFIX = os.environ["RCA"], os.environ["RCA_IMAGE"], os.environ["RCA_AGENT_PREFIX"]
OURS = "app.kubernetes.io/managed-by=kubectl-rca"
ACCOUNT = "kubectl-rca-agent"


def kubectl(*args, stdin=None, check=True):
    done = subprocess.run(["kubectl", *args], input=stdin, capture_output=True, text=True)
    if check and done.returncode:
        raise SystemExit(f"kubectl {' '.join(args)}: {done.stderr}")
    return done.stdout


def rca(*args, stdout=True):
    """Runs the program; returns its exit code, what it printed, what it said, and how long it took."""
    start = time.monotonic()
    done = subprocess.run([RCA, *args], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr, time.monotonic() - start


def namespace(name, labels=()):
    name = f"{PREFIX}-{name}"
    kubectl("create", "namespace", name)
    atexit.register(kubectl, "delete", "namespace", name, "--wait=false", "--ignore-not-found", check=False)
    for label in labels:
        kubectl("label", "namespace", name, label)
    until(30, lambda: "default" in kubectl("get", "serviceaccount", "-n", name))
    return name


def apply(*objects, place=None):
    flags = ["-n", place] if place else []
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    kubectl("apply", *flags, "-f", "-", stdin=text)


def until(seconds, is_so):
    """Waits until something is so, and returns how long that took; None if it never was."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if is_so():
            return time.monotonic() - start
        time.sleep(0.3)
    return None


def leftovers(place=None):
    where = ["-n", place] if place else ["-A"]
    kinds = "jobs,pods,serviceaccounts,roles,rolebindings" + ("" if place else ",clusterroles,clusterrolebindings")
    return kubectl("get", kinds, *where, "-l", OURS, "-o", "name").split()


def server():
    """Returns host, port and a TLS context with the administrator's credentials."""
    text = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    cluster, user = text["clusters"][0]["cluster"], text["users"][0]["user"]
    host, port = re.fullmatch(r"https://([^:/]+):(\d+)/?", cluster["server"]).groups()
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    with tempfile.NamedTemporaryFile() as file:
        for key in ("client-certificate-data", "client-key-data"):
            file.write(base64.b64decode(user[key]) + b"\n")
        file.flush()
        context.load_cert_chain(file.name)
    return host, int(port), context


_place = threading.local()
_server = None


def api(method, path, body=None):
    """Sends a request as the administrator and returns the answer."""
    global _server
    _server = _server or server()
    for _ in range(2):
        connection = getattr(_place, "connection", None) or http.client.HTTPSConnection(*_server[:2], context=_server[2])
        _place.connection = connection
        try:
            connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())
        except (http.client.HTTPException, OSError):
            _place.connection = None
    raise SystemExit(f"{method} {path}: no answer")


def parallel(work, items, threads=16):
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))


class Proxy:
    """Speaks plain HTTP before the API server; `before(number, method, path)` and `after(...)` see each request that passes.

    Reviews of access pass unseen: they change nothing."""

    def __init__(self, before=None, after=None, cut=None):
        self.before, self.after, self.cut, self.count, self.seen = before, after, cut, 0, []
        self.lock, outer = threading.Lock(), self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                outer.handle(self)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # Who was killed reads no answers.

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handle(self, request):
        length = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(length)
        number = None
        if "selfsubjectaccessreviews" not in request.path:
            with self.lock:
                self.count += 1
                number = self.count
                self.seen.append(f"{request.command} {request.path.split('?')[0]}")
            if self.before and self.before(number) == "drop":
                request.close_connection = True
                return
        host, port, context = server_once()
        connection = http.client.HTTPSConnection(host, port, context=context)
        headers = {key: value for key, value in request.headers.items()
                   if key.lower() not in ("host", "connection", "accept-encoding", "content-length")}
        connection.request(request.command, request.path, body, headers)
        answer = connection.getresponse()
        if number and self.after:
            self.after(number)
        request.send_response(answer.status)
        for key in ("Content-Type", "Retry-After"):
            if answer.getheader(key):
                request.send_header(key, answer.getheader(key))
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        streams = "watch=1" in request.path or "follow=true" in request.path
        while data := answer.read1(65536):
            is_cut = streams and self.cut and self.cut(request.path)
            data = data[:len(data) // 2] if is_cut else data
            request.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            request.wfile.flush()
            if is_cut:
                request.close_connection = True
                connection.close()
                return
        request.wfile.write(b"0\r\n\r\n")
        connection.close()

    def close(self):
        self.server.shutdown()


def server_once():
    global _server
    _server = _server or server()
    return _server


def check(failures):
    """Ends the part: with the list of what went wrong, if anything did."""
    for failure in failures:
        print(f"FAILED {failure}")
    raise SystemExit(1 if failures else 0)
