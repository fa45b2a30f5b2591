# What the steps of tests/krew share. Sourced, never run.
# shellcheck shell=bash disable=SC2034,SC2154  # names that those who source it set or use

fail() {
    echo "error: $*" >&2
    exit 1
}

step() {
    echo "- $*"
}

# The real krew and the check of its index, from Go modules, built once and kept outside of the repository.
build_krew() { # build_krew FOLDER
    local folder=$1 stamp
    stamp=$(cat "$here/go.mod" "$here/go.sum" | sha256sum | cut -d' ' -f1)
    [ "$(cat "$folder/.stamp" 2>/dev/null)" != "$stamp" ] || return 0
    mkdir -p "$folder"
    echo "building krew, once" >&2
    (cd "$here" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$folder" \
        sigs.k8s.io/krew/cmd/krew sigs.k8s.io/krew/cmd/validate-krew-manifest)
    mv "$folder/krew" "$folder/kubectl-krew"
    echo "$stamp" >"$folder/.stamp"
}

# Serves a folder on a free port of this machine; the address stands in a file.
serve() { # serve FOLDER ADDRESS_FILE
    python3 - "$1" "$2" <<'PY' &
import functools, http.server, os, sys
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=sys.argv[1]))
with open(sys.argv[2] + ".new", "w") as file:
    file.write(f"http://127.0.0.1:{server.server_port}")
os.rename(sys.argv[2] + ".new", sys.argv[2])
server.serve_forever()
PY
    server=$!
    until [ -s "$2" ]; do sleep 0.1; done
}

# Publishes a version in the index, as a pull request to krew-index would.
publish() { # publish VERSION
    local address
    address=$(cat "$work/address")
    release describe --version "$1" --url "$address" --homepage "$address" --complete
    mkdir -p "$work/index/plugins"
    cp "$work/dist/rca.yaml" "$work/index/plugins/rca.yaml"
    git -C "$work/index" add -A
    git -C "$work/index" -c user.name=krew -c user.email=krew@example.test commit -qm "rca $1"
}

# Packs the same binary for every platform: what is tested is the way, and krew runs that of this machine only. The bill of
# one is enough, as the crates of other systems are not at hand.
pack() { # pack VERSION
    local system
    release build --version "$1" --target x86_64-unknown-linux-musl --binary "$binary"
    release build --version "$1" --target x86_64-pc-windows-msvc --binary "$binary" --no-bill
    # The others hold the same: to compress it again would only take longer.
    for system in linux_arm64 darwin_amd64 darwin_arm64; do
        cp "$work/dist/kubectl-rca_v$1_linux_amd64.tar.gz" "$work/dist/kubectl-rca_v$1_$system.tar.gz"
    done
    cp "$work/dist/kubectl-rca_v$1_windows_amd64.zip" "$work/dist/kubectl-rca_v$1_windows_arm64.zip"
}

release() {
    "$root/packages/release" --out "$work/dist" "$@" >/dev/null
}

# Runs a command that has to say this, on either stream.
says() { # says TEXT COMMAND...
    local text=$1 said
    shift
    said=$("$@" 2>&1) || fail "$* ended with $?: $said"
    [[ $said == *"$text"* ]] || fail "$* does not say '$text': $said"
}
