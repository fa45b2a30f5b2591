# The node: its network, containerd with the images, kubelet and kube-proxy, and what is added. Sourced after lib.sh.
# shellcheck shell=bash disable=SC2154  # the names come from lib.sh

network_up() {
    ip link add "$node_link" type bridge
    ip addr add "$node_ip/32" dev "$node_link"
    ip link set "$node_link" up
    # The bridge of the pods is made by CNI with the first pod; rules may name it before.
    at_least net.ipv4.ip_forward 1
    at_least fs.inotify.max_user_instances 1024 # the default of 128 is too few for a few dozen pods
    fence
}

# Written only if needed: in a container the setting may be right, yet not ours to write.
at_least() { # at_least SETTING NUMBER
    [ "$(sysctl -n "$1")" -ge "$2" ] || sysctl -qw "$1=$2"
}

# Pods reach each other and this machine, and nobody else reaches the API server: nothing comes in or goes out.
fence() {
    chain FORWARD
    iptables -w -A RCA-FORWARD -i "$pod_link" -o "$pod_link" -j ACCEPT
    iptables -w -A RCA-FORWARD -i "$pod_link" -j REJECT
    chain INPUT
    local link
    for link in lo "$pod_link" "$node_link"; do
        iptables -w -A RCA-INPUT -i "$link" -p tcp --dport 6443 -j ACCEPT
    done
    iptables -w -A RCA-INPUT -p tcp --dport 6443 -j REJECT
}

chain() { # chain INPUT|FORWARD
    iptables -w -N "RCA-$1"
    iptables -w -I "$1" -j "RCA-$1"
}

# --- containerd

start_containerd() {
    start registry "$here/registry.py" 127.0.0.1 "$registry_port"
    registry_hosts
    cni_config
    containerd_config
    start containerd containerd --config "$run/containerd.toml"
    wait_for 30 containerd ctr -a "$socket" version
    import_images
}

# `_default` stands for every host: no pull leaves the machine. One host is there for tests that want no answer at all.
registry_hosts() {
    registry_host _default "http://127.0.0.1:$registry_port"
    registry_host unreachable.test http://127.0.0.1:1
}

# The empty table belongs to it: containerd 1.6 takes a file without one for broken and asks the real host.
registry_host() { # registry_host NAME URL
    mkdir -p "$run/registry/$1"
    printf 'server = "%s"\n[host]\n' "$2" >"$run/registry/$1/hosts.toml"
}

cni_config() {
    mkdir -p "$run/cni"
    cat >"$run/cni/10-rca.conflist" <<JSON
{
  "cniVersion": "0.4.0",
  "name": "rca",
  "plugins": [
    {"type": "bridge", "bridge": "$pod_link", "isGateway": true, "hairpinMode": true,
     "ipam": {"type": "host-local", "dataDir": "$run/addresses",
              "ranges": [[{"subnet": "$pod_net"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
JSON
}

# - restrict_oom_score_adj: in a container without CAP_SYS_RESOURCE no pod would start, as none may lower its score.
# - netns_mounts_under_state_dir: so that `down` finds them.
containerd_config() {
    cat >"$run/containerd.toml" <<TOML
version = 2
root = "$run/containerd"
state = "$run/containerd-state"
[grpc]
  address = "$socket"
[plugins."io.containerd.internal.v1.opt"]
  path = "$run/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$run/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "$run/registry"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "$(snapshotter)"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
TOML
}

# In a container the home folder is often on overlayfs already, which cannot be stacked; copies are slower but work.
snapshotter() {
    local try=$run/overlay
    mkdir -p "$try"/{lower,upper,work,merged}
    local layers=lowerdir=$try/lower,upperdir=$try/upper,workdir=$try/work
    if mount -t overlay overlay -o "$layers" "$try/merged" 2>/dev/null; then
        umount "$try/merged"
        echo overlayfs
    else
        echo native
    fi
}

import_images() {
    mkdir -p "$run/image"/{pause,coredns,busybox/{bin,etc,tmp}}
    cp "$bin/pause" "$run/image/pause/"
    cp "$bin/coredns" "$run/image/coredns/"
    fill_busybox "$run/image/busybox"
    "$here/import" localhost/pause:1 --root "$run/image/pause" --entrypoint '["/pause"]'
    "$here/import" localhost/coredns:1 --root "$run/image/coredns" --entrypoint '["/coredns"]'
    "$here/import" busybox:1.36 busybox:latest --root "$run/image/busybox" --cmd '["sh"]'
}

fill_busybox() { # fill_busybox FOLDER
    local applet
    cp "$(command -v busybox)" "$1/bin/busybox"
    for applet in $(busybox --list); do
        [ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"
    done
    chmod 1777 "$1/tmp"
    echo 'root:x:0:0:root:/:/bin/sh' >"$1/etc/passwd"
    echo 'nobody:x:65534:65534:nobody:/:/bin/false' >>"$1/etc/passwd"
}

# --- kubelet and kube-proxy

start_node() {
    kubelet_config
    start kubelet kubelet --config "$run/kubelet.yaml" --kubeconfig "$run/kubelet.conf" \
        --hostname-override "$node" --node-ip "$node_ip" --root-dir "$run/kubelet"
    kube_proxy_config
    start kube-proxy kube-proxy --config "$run/kube-proxy.yaml"
}

# - cgroupfs, failCgroupV1: works without systemd, and on old cgroups too.
# - evictionHard, imageGC: a full disk of this machine must not evict what a test looks at.
# - eventRecordQPS, registryPullQPS: no event and no failed pull is held back, however many tests run at once.
kubelet_config() {
    : >"$run/resolv.conf" # pods that want the node's DNS get none
    cat >"$run/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node_ip
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: $pki/ca.crt}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://$socket
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
clusterDNS: [$dns_ip]
clusterDomain: cluster.local
resolvConf: $run/resolv.conf
podLogsDir: $run/pods
maxPods: 200
serializeImagePulls: false
registryPullQPS: 0
eventRecordQPS: 0
evictionHard: {memory.available: 0%, nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
YAML
}

# masqueradeAll: a reply to a pod on the same bridge would else bypass the translation, unless br_netfilter is loaded.
kube_proxy_config() {
    cat >"$run/kube-proxy.yaml" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $run/kube-proxy.conf}
hostnameOverride: $node
healthzBindAddress: 127.0.0.1:10256
mode: iptables
iptables: {masqueradeAll: true}
clusterCIDR: $cluster_net
conntrack: {maxPerCore: 0}
YAML
}

# --- what is added

# kwok's nodes have no kubelet that metrics-server could ask.
start_addons() {
    start metrics-server metrics-server --kubeconfig "$run/metrics-server.conf" \
        --authentication-kubeconfig "$run/metrics-server.conf" --authorization-kubeconfig "$run/metrics-server.conf" \
        --bind-address "$node_ip" --secure-port 4443 --cert-dir "$run/metrics-server" \
        --kubelet-insecure-tls --kubelet-preferred-address-types InternalIP --node-selector 'type!=kwok' \
        --metric-resolution 10s --kubelet-request-timeout 5s # the second must be the smaller one
    start kwok kwok --kubeconfig "$admin" --config "$here/stages.yaml" --manage-nodes-with-label-selector type=kwok \
        --cidr 10.245.0.1/16 --node-ip "$node_ip" --node-port "$kwok_port" --server-address "$node_ip:$kwok_port" \
        --node-lease-duration-seconds 40
}

wait_ready() {
    local kube=(kubectl --kubeconfig "$admin")
    wait_for 60 "the node" "${kube[@]}" wait --for condition=Ready "node/$node" --timeout 1s
    wait_for 60 DNS "${kube[@]}" -n kube-system rollout status deployment/coredns --timeout 1s
    wait_for 60 "the metrics" "${kube[@]}" get --raw "/apis/metrics.k8s.io/v1beta1/nodes/$node"
    local name
    for name in "${daemons[@]}"; do running "$name" >/dev/null || fail "$name has died; see $logs/$name.log"; done
}
