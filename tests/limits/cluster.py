"""The few requests that the rig makes, by way of `kubectl proxy`, as a kubectl for each would take the machine's time."""
import json
import subprocess
import urllib.error
import urllib.request


class Cluster:
    def __init__(self):
        self.proxy = subprocess.Popen(["kubectl", "proxy", "--port=0"], stdout=subprocess.PIPE, text=True)
        self.base = "http://" + self.proxy.stdout.readline().split()[-1]

    def close(self):
        self.proxy.terminate()
        self.proxy.wait()

    def ask(self, method, path, body=None, kind="application/json"):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": kind}, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    def get(self, path):
        return json.loads(self.ask("GET", path))

    def namespace(self, name):
        self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})

    def drop(self, name):
        try:
            self.ask("DELETE", f"/api/v1/namespaces/{name}")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise

    def deploy(self, namespace, deployment):
        self.ask("POST", f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment)

    def patch(self, namespace, name, body):
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
        return json.loads(self.ask("PATCH", path, body, "application/strategic-merge-patch+json"))

    def pods(self, namespace):
        return self.get(f"/api/v1/namespaces/{namespace}/pods")["items"]

    def log(self, namespace, pod):
        try:
            return self.ask("GET", f"/api/v1/namespaces/{namespace}/pods/{pod}/log?container=main&tailLines=200")
        except urllib.error.HTTPError:
            return ""  # it is not there yet, or not any more
