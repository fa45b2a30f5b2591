# Names, places and small helpers that the scripts of this folder share. Sourced, never run.
# shellcheck shell=bash disable=SC2034  # what looks unused here is used by those who source it

cluster_home=${RCA_CLUSTER_HOME:-$HOME/.cache/rca-cluster}
bin=$cluster_home/bin # outlives the cluster: it takes ten minutes to build
run=$cluster_home/run # everything else of the cluster, `down` removes it
pki=$run/pki
logs=$run/log
socket=$run/containerd.sock
admin=$run/admin.conf

node='node-1'
node_link=rca0     # a bridge of our own holds the node's address, so no address of the machine's own is needed
pod_link=rca-pods  # not cni0: that name may belong to another cluster on this machine
node_ip=10.99.0.1
pod_net=10.244.0.0/24
cluster_net=10.244.0.0/16 # the node's own part and those of the nodes that kwok makes up
service_net=10.96.0.0/16
api_ip=10.96.0.1
dns_ip=10.96.0.10
registry_port=5055
kwok_port=10247

# In the order in which they start; `down` goes backwards.
daemons=(registry containerd etcd apiserver controller-manager scheduler kubelet kube-proxy metrics-server kwok)

# sbin too: a shell that did not log in as root has no iptables in its PATH.
export PATH=$bin:$PATH:/usr/sbin:/sbin

fail() {
    echo "error: $*" >&2
    exit 1
}

# A process id is used again some day; together with the time of the start it never is. A name can hold spaces and
# brackets in /proc/PID/stat, so count from the last bracket: the start time is the 20th field after it.
birth() { # birth PID
    local stat fields
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    read -ra fields <<<"${stat##*) }"
    echo "${fields[19]}"
}

# Runs a daemon away from the terminal and writes down what identifies it.
start() { # start NAME COMMAND...
    local name=$1
    shift
    setsid "$@" >"$logs/$name.log" 2>&1 </dev/null 9>&- &
    echo "$! $(birth $!) ${1##*/}" >"$run/$name.pid"
}

# The id of a daemon that we started, and nothing if it is gone or the id now belongs to another process.
running() { # running NAME
    local pid born command args
    read -r pid born command 2>/dev/null <"$run/$1.pid" || return 1
    [ "$(birth "$pid")" = "$born" ] || return 1
    mapfile -d '' -n 2 args 2>/dev/null <"/proc/$pid/cmdline"
    # The second of them for scripts, which run as an argument of their interpreter.
    [ "$(basename -- "${args[0]-}")" = "$command" ] || [ "$(basename -- "${args[1]-}")" = "$command" ] || return 1
    echo "$pid"
}

all_running() {
    local name
    for name in "${daemons[@]}"; do running "$name" >/dev/null || return 1; done
}

healthy() {
    local kube=(kubectl --kubeconfig "$admin" --request-timeout 20s)
    "${kube[@]}" get --raw /readyz >/dev/null 2>&1 || return 1
    "${kube[@]}" wait --for condition=Ready "node/$node" --timeout 1s >/dev/null 2>&1
}

# Patient with a cluster whose processes all live: on a busy machine it only is slow, and others may be using it.
is_up() {
    local end=$((SECONDS + 60))
    [ -f "$admin" ] || return 1
    while all_running; do
        ! healthy || return 0
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 1
    done
    return 1
}

wait_for() { # wait_for SECONDS WHAT COMMAND...
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || fail "$what did not come up in time; logs are in $logs"
        sleep 0.2
    done
}
