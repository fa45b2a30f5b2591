# Certificates and kubeconfigs. Sourced after lib.sh.
# shellcheck shell=bash disable=SC2154  # the names come from lib.sh

# P-256 and not RSA: a dozen keys are there at once instead of after seconds.
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$pki/$1.key" 2>/dev/null; }

authority() { # authority NAME
    key "$1"
    openssl req -x509 -new -key "$pki/$1.key" -days 365 -subj "/CN=$1" \
        -addext keyUsage=critical,keyCertSign,cRLSign -out "$pki/$1.crt"
}

# Serial numbers at random: a counter in a file would be shared by scripts that run at the same time.
certificate() { # certificate NAME SUBJECT AUTHORITY [ALTERNATIVE-NAMES]
    local name=$1 subject=$2 by=$3 extensions
    # The key identifiers because strict clients, such as Python's since 3.13, turn certificates without them down.
    extensions=$'authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\nextendedKeyUsage=clientAuth,serverAuth'
    [ -z "${4-}" ] || extensions+=$'\n'"subjectAltName=$4"
    key "$name"
    openssl req -new -key "$pki/$name.key" -subj "$subject" |
        openssl x509 -req -CA "$pki/$by.crt" -CAkey "$pki/$by.key" -set_serial "0x$(openssl rand -hex 15)" -days 365 \
            -extfile <(echo "$extensions") -out "$pki/$name.crt" 2>/dev/null
}

# Written by hand, as `kubectl config` would take four runs for each. Everything is inside, so the file can be moved.
kubeconfig() { # kubeconfig NAME
    cat <<YAML
apiVersion: v1
kind: Config
current-context: rca
clusters:
- name: rca
  cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: $(base64 -w0 "$pki/ca.crt")}
users:
- name: $1
  user: {client-certificate-data: $(base64 -w0 "$pki/$1.crt"), client-key-data: $(base64 -w0 "$pki/$1.key")}
contexts:
- name: rca
  context: {cluster: rca, user: $1}
YAML
}

# Kubernetes takes the user's name from CN and the groups from O.
cluster_certificates() {
    authority ca
    authority front # of the proxy in front of added APIs, such as that of the metrics
    key sa
    openssl pkey -in "$pki/sa.key" -pubout -out "$pki/sa.pub"
    certificate apiserver /CN=kube-apiserver ca \
        "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:$api_ip,IP:$node_ip"
    certificate front-client /CN=front-proxy-client front
    certificate apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet-client ca
    certificate admin /O=system:masters/CN=admin ca
    certificate controller-manager /CN=system:kube-controller-manager ca
    certificate scheduler /CN=system:kube-scheduler ca
    certificate kubelet "/O=system:nodes/CN=system:node:$node" ca
    certificate kube-proxy /CN=system:kube-proxy ca
    certificate metrics-server /CN=metrics-server ca
    local name
    for name in admin controller-manager scheduler kubelet kube-proxy metrics-server; do
        kubeconfig "$name" >"$run/$name.conf"
    done
}
