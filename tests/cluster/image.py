#!/usr/bin/env python3
"""Makes a container image of a folder and writes it to stdout, as `docker save` would. No registry takes part.

    tests/cluster/image.py shop/api:1 --root DIR --cmd '["/serve"]' > api.tar

`tests/cluster/import` takes the same arguments and puts the image into the running cluster.
"""
import argparse
import hashlib
import io
import json
import os
import sys
import tarfile

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="+", help="NAME:TAG; more names for the same image may follow")
    parser.add_argument("--root", required=True, help="the folder that becomes / of the image")
    parser.add_argument("--entrypoint", type=json.loads, metavar="JSON")
    parser.add_argument("--cmd", type=json.loads, metavar="JSON")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--user", default="")
    parser.add_argument("--workdir", default="/")
    return parser.parse_args()


def full_name(name):
    """As Kubernetes reads it: without a host it is Docker Hub's, and without a folder from its `library`."""
    name = name if ":" in name.rsplit("/", 1)[-1] else name + ":latest"
    host, slash, _ = name.partition("/")
    if slash and ("." in host or ":" in host or host == "localhost"):
        return name
    return "docker.io/" + (name if slash else "library/" + name)


def anonymous(entry):
    """Owners and times out of the layer: the same folder gives the same image, whoever made it and when."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def layer_of(folder):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name in sorted(os.listdir(folder)):
            tar.add(os.path.join(folder, name), arcname=name, filter=anonymous)
    return data.getvalue()


def config_of(args, layer):
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    run = {"Entrypoint": args.entrypoint, "Cmd": args.cmd, "Env": [PATH] + args.env, "User": args.user,
           "WorkingDir": args.workdir}
    diff = "sha256:" + hashlib.sha256(layer).hexdigest()
    return json.dumps({"architecture": machine, "os": "linux", "config": run,
                       "rootfs": {"type": "layers", "diff_ids": [diff]}}).encode()


def main():
    args = arguments()
    layer = layer_of(args.root)
    config = config_of(args, layer)
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    names = [full_name(name) for name in args.name]
    manifest = [{"Config": config_name, "RepoTags": names, "Layers": ["layer.tar"]}]
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as out:
        files = {config_name: config, "layer.tar": layer, "manifest.json": json.dumps(manifest).encode()}
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            out.addfile(entry, io.BytesIO(data))


if __name__ == "__main__":
    main()
