# etcd, API server, controllers and scheduler. Sourced after lib.sh.
# shellcheck shell=bash disable=SC2154  # the names come from lib.sh

# A foreign cluster on the same ports would answer our probes, and the failure would look like anything but that.
ports_free() {
    local port
    for port in 2379 4443 6443 10250 10256 10257 10259 "$registry_port" "$kwok_port"; do
        [ -z "$(ss -Hltn "sport = :$port")" ] || fail "port $port is taken; is another cluster running on this machine?"
    done
}

start_control_plane() {
    start_etcd
    start_apiserver
    wait_for 60 "the API server" kubectl --kubeconfig "$admin" get --raw /readyz
    start_controllers
    start_scheduler
}

# Nothing in it is worth a sync to disk.
start_etcd() {
    start etcd etcd --data-dir "$run/etcd" --unsafe-no-fsync --log-level warn \
        --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
        --listen-peer-urls http://127.0.0.1:0
}

# Open on all addresses, as it must be on 127.0.0.1 and on the node's; `network_up` keeps others out.
# Namespaces with thousands of events would go away one event after the other without more workers.
start_apiserver() {
    local serve=(--secure-port 6443 --bind-address 0.0.0.0 --advertise-address "$node_ip"
        --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key")
    local access=(--client-ca-file "$pki/ca.crt" --authorization-mode "Node,RBAC"
        --enable-admission-plugins NodeRestriction)
    local accounts=(--service-account-issuer https://kubernetes.default.svc
        --service-account-key-file "$pki/sa.pub" --service-account-signing-key-file "$pki/sa.key")
    local kubelet=(--kubelet-preferred-address-types InternalIP
        --kubelet-client-certificate "$pki/apiserver-kubelet.crt" --kubelet-client-key "$pki/apiserver-kubelet.key")
    local added_apis=(--enable-aggregator-routing --requestheader-client-ca-file "$pki/front.crt"
        --requestheader-allowed-names front-proxy-client --requestheader-username-headers X-Remote-User
        --requestheader-group-headers X-Remote-Group --requestheader-extra-headers-prefix X-Remote-Extra-
        --proxy-client-cert-file "$pki/front-client.crt" --proxy-client-key-file "$pki/front-client.key")
    start apiserver kube-apiserver --etcd-servers http://127.0.0.1:2379 --service-cluster-ip-range "$service_net" \
        --delete-collection-workers 16 --allow-privileged "${serve[@]}" "${access[@]}" "${accounts[@]}" "${kubelet[@]}" "${added_apis[@]}"
}

# Higher rates than by default: thousands of pods would take minutes to be created.
start_controllers() {
    start controller-manager kube-controller-manager --kubeconfig "$run/controller-manager.conf" \
        --bind-address 127.0.0.1 --leader-elect=false --kube-api-qps 1000 --kube-api-burst 2000 \
        --use-service-account-credentials --service-account-private-key-file "$pki/sa.key" --root-ca-file "$pki/ca.crt" \
        --cluster-signing-cert-file "$pki/ca.crt" --cluster-signing-key-file "$pki/ca.key" \
        --allocate-node-cidrs --cluster-cidr "$cluster_net" --service-cluster-ip-range "$service_net"
}

start_scheduler() {
    cat >"$run/scheduler.yaml" <<YAML
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection: {kubeconfig: $run/scheduler.conf, qps: 1000, burst: 2000}
leaderElection: {leaderElect: false}
YAML
    start scheduler kube-scheduler --config "$run/scheduler.yaml" --bind-address 127.0.0.1
}
