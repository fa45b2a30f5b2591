//! Turns the chosen cluster and user into the configuration of a client.

use std::path::Path;

use base64::Engine as _;
use http::Uri;
use kube::config::{AuthInfo, Cluster, ExecAuthCluster};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::{Env, proxy};
use crate::failure::Failure;

/// Builds the configuration. It is not left to kube-rs because that reads the proxy variables of the process by other rules.
pub(super) fn build(cluster: &Cluster, mut user: AuthInfo, env: &Env) -> Result<kube::Config, Failure> {
    let url = server_url(cluster, &user)?;
    let insecure = cluster.insecure_skip_tls_verify.unwrap_or(false);
    let root_cert = authority(cluster)?;
    if insecure && root_cert.is_some() {
        return Err(Failure::unreachable("specifying a root certificates file with the insecure flag is not allowed"));
    }
    complete_user(&mut user, cluster)?;
    let mut config = kube::Config::new(url);
    config.proxy_url = proxy::proxy_for(&config.cluster_url, cluster.proxy_url.as_deref(), env)?;
    config.root_cert = root_cert;
    config.accept_invalid_certs = insecure;
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.tls_server_name.clone_from(&cluster.tls_server_name);
    config.auth_info = user;
    Ok(config)
}

/// Returns the cluster and the user that a pod finds in its surroundings.
pub(super) fn service_account(env: &Env) -> (Cluster, AuthInfo) {
    let host = env.var("KUBERNETES_SERVICE_HOST").unwrap_or_default();
    let port = env.var("KUBERNETES_SERVICE_PORT").unwrap_or_default();
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let file = |name: &str| env.service_account.join(name);
    let authority = Some(file("ca.crt")).filter(|path| path.exists());
    let cluster = Cluster {
        server: Some(format!("https://{host}:{port}")),
        certificate_authority: authority.map(|path| path.to_string_lossy().into_owned()),
        ..Cluster::default()
    };
    let user = AuthInfo { token_file: Some(file("token").to_string_lossy().into_owned()), ..AuthInfo::default() };
    (cluster, user)
}

fn server_url(cluster: &Cluster, user: &AuthInfo) -> Result<Uri, Failure> {
    let Some(server) = &cluster.server else {
        return Err(Failure::unreachable("the cluster has no server")
            .hint("see what the kubeconfig says with `kubectl config view --minify`"));
    };
    let absolute = match server.contains("://") {
        true => server.clone(),
        false if speaks_tls(cluster, user) => format!("https://{server}"),
        false => format!("http://{server}"),
    };
    let url: Uri = absolute.parse().map_err(|_| not_a_url(server))?;
    let is_http = matches!(url.scheme_str(), Some("http" | "https"));
    if is_http && url.host().is_some_and(|host| !host.is_empty()) { Ok(url) } else { Err(not_a_url(server)) }
}

fn not_a_url(server: &str) -> Failure {
    Failure::unreachable(format!("the server `{server}` is not a URL such as `https://10.0.0.1:6443`"))
}

/// Tells by the presence of anything about TLS what a server without a scheme speaks, as client-go does.
fn speaks_tls(cluster: &Cluster, user: &AuthInfo) -> bool {
    cluster.certificate_authority.is_some()
        || cluster.certificate_authority_data.is_some()
        || cluster.insecure_skip_tls_verify.unwrap_or(false)
        || user.client_certificate.is_some()
        || user.client_certificate_data.is_some()
}

/// Reads the certificates of the authority that the server's has to be signed by (DER).
fn authority(cluster: &Cluster) -> Result<Option<Vec<Vec<u8>>>, Failure> {
    let (origin, pem) = match (&cluster.certificate_authority_data, &cluster.certificate_authority) {
        (Some(data), _) => ("`certificate-authority-data`".to_owned(), decode(data)?),
        (None, Some(path)) => (format!("`{path}`"), read("certificate authority", Path::new(path))?),
        (None, None) => return Ok(None),
    };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates
        .map_err(|error| Failure::unreachable(format!("the certificate authority in {origin} is not PEM: {error}")))?;
    if certificates.is_empty() {
        return Err(Failure::unreachable(format!("there is no certificate in {origin}")));
    }
    Ok(Some(certificates.into_iter().map(|certificate| certificate.to_vec()).collect()))
}

fn decode(data: &str) -> Result<Vec<u8>, Failure> {
    base64::engine::general_purpose::STANDARD
        .decode(data)
        .map_err(|error| Failure::unreachable(format!("`certificate-authority-data` is not base64: {error}")))
}

fn read(what: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::unreachable(format!("the {what} `{}` cannot be read: {error}", path.display())))
}

/// Adds what the user's way to log in needs.
fn complete_user(user: &mut AuthInfo, cluster: &Cluster) -> Result<(), Failure> {
    if let (Some(path), None) = (&user.token_file, &user.token) {
        // kube-rs would send the line break that most token files end with.
        let token = read("token file", Path::new(path))?;
        user.token = Some(String::from_utf8_lossy(&token).trim().to_owned().into());
    }
    // kube-rs would not say which of them it is.
    for (what, path, data) in [
        ("client certificate", &user.client_certificate, user.client_certificate_data.is_some()),
        ("client key", &user.client_key, user.client_key_data.is_some()),
    ] {
        if let (Some(path), false) = (path, data) {
            read(what, Path::new(path))?;
        }
    }
    if let Some(exec) = &mut user.exec
        && exec.provide_cluster_info
    {
        let info = ExecAuthCluster::try_from(cluster)
            .map_err(|error| Failure::unreachable(format!("the cluster's information cannot be read: {error}")))?;
        exec.cluster = Some(info);
    }
    Ok(())
}
