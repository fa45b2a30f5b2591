//! Decides whether a proxy stands between here and the server, by the rules of Go's `httpproxy`.

use std::net::IpAddr;

use http::Uri;

use super::Env;
use crate::failure::Failure;

/// Returns the proxy for a server: the kubeconfig's without further ado, else the environment's unless `NO_PROXY` names the server.
pub(super) fn proxy_for(server: &Uri, explicit: Option<&str>, env: &Env) -> Result<Option<Uri>, Failure> {
    if let Some(proxy) = explicit {
        return parse(proxy).map(Some);
    }
    let names = match server.scheme_str() {
        Some("https") => ["HTTPS_PROXY", "https_proxy"],
        _ => ["HTTP_PROXY", "http_proxy"],
    };
    let Some(proxy) = either(env, names) else { return Ok(None) };
    let port = server.port_u16().unwrap_or(if server.scheme_str() == Some("https") { 443 } else { 80 });
    let host = server.host().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
    if is_local(&host) || is_exempt(&host, port, either(env, ["NO_PROXY", "no_proxy"]).unwrap_or_default()) {
        return Ok(None);
    }
    parse(proxy).map(Some)
}

fn either<'a>(env: &'a Env, names: [&str; 2]) -> Option<&'a str> {
    names.into_iter().find_map(|name| env.var(name))
}

fn parse(proxy: &str) -> Result<Uri, Failure> {
    let absolute = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    // A SOCKS proxy is given the name to resolve either way, which is what the `h` asks for.
    let absolute = absolute.replacen("socks5h://", "socks5://", 1);
    let bad = || {
        Failure::unreachable("the proxy URL cannot be parsed")
            .hint("see `HTTPS_PROXY` and the kubeconfig's `proxy-url`")
    };
    let url: Uri = absolute.parse().map_err(|_| bad())?;
    let is_known = matches!(url.scheme_str(), Some("http" | "https" | "socks5"));
    if is_known && url.host().is_some() { Ok(url) } else { Err(bad()) }
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Returns whether a `NO_PROXY` list names the host.
fn is_exempt(host: &str, port: u16, list: &str) -> bool {
    list.split(',').map(|entry| entry.trim().to_ascii_lowercase()).any(|entry| names(&entry, host, port))
}

fn names(entry: &str, host: &str, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    let address = host.parse::<IpAddr>().ok();
    if let Some(network) = parse_network(entry) {
        return address.is_some_and(|address| contains(network, address));
    }
    let (pattern, only_port) = split_port(entry);
    if pattern.is_empty() || only_port.is_some_and(|only| only != port) {
        return false;
    }
    if let Ok(wanted) = pattern.parse::<IpAddr>() {
        return address == Some(wanted);
    }
    let suffix = pattern.trim_start_matches('*');
    match suffix.strip_prefix('.') {
        Some(_) => host.ends_with(suffix),
        None => host == suffix || host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')),
    }
}

/// Splits `host:port` and `[address]:port`; an address without brackets has no port.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if entry.parse::<IpAddr>().is_ok() {
        return (entry, None);
    }
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, port.parse().ok()),
        _ => (entry, None),
    };
    (host.trim_start_matches('[').trim_end_matches(']'), port)
}

fn parse_network(entry: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = entry.split_once('/')?;
    let (address, length) = (address.parse::<IpAddr>().ok()?, length.parse::<u32>().ok()?);
    let bits = if address.is_ipv4() { 32 } else { 128 };
    (length <= bits).then_some((address, length))
}

fn contains((network, length): (IpAddr, u32), address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let differing = u32::from(network) ^ u32::from(address);
            differing.leading_zeros() >= length
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let differing = u128::from(network) ^ u128::from(address);
            differing.leading_zeros() >= length
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;

    fn proxy(server: &str, explicit: Option<&str>, vars: &[(&str, &str)]) -> Option<String> {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let env = Env { vars, home: None, service_account: PathBuf::new() };
        let found = proxy_for(&server.parse().unwrap(), explicit, &env).unwrap();
        found.map(|url| url.to_string())
    }

    fn exempt(list: &str, server: &str) -> bool {
        proxy(server, None, &[("HTTPS_PROXY", "http://proxy:3128"), ("NO_PROXY", list)]).is_none()
    }

    #[test]
    fn kubeconfig_wins_over_no_proxy() {
        let vars = [("HTTPS_PROXY", "http://other:1"), ("NO_PROXY", "*")];
        assert_eq!(proxy("https://10.1.2.3", Some("socks5://p:1080"), &vars).as_deref(), Some("socks5://p:1080/"));
    }

    #[test]
    fn scheme_of_the_server_picks_the_variable() {
        let vars = [("HTTPS_PROXY", "secure:1"), ("http_proxy", "plain:2")];
        assert_eq!(proxy("https://api", None, &vars).as_deref(), Some("http://secure:1/"));
        assert_eq!(proxy("http://api", None, &vars).as_deref(), Some("http://plain:2/"));
    }

    #[test]
    fn no_proxy_is_matched_against_the_server_and_not_the_proxy() {
        assert!(exempt("10.1.2.3", "https://10.1.2.3:6443"));
        assert!(!exempt("proxy", "https://10.1.2.3:6443"));
    }

    #[test]
    fn no_proxy_knows_networks_suffixes_ports_and_trailing_commas() {
        assert!(exempt("10.0.0.0/8,", "https://10.1.2.3:6443"));
        assert!(!exempt("10.0.0.0/16,", "https://10.1.2.3:6443"));
        assert!(exempt("fd00::/8", "https://[fd12::1]:6443"));
        assert!(exempt("[fd12::1]:6443", "https://[fd12::1]:6443"));
        assert!(exempt("0.0.0.0/0", "https://10.1.2.3"));
        assert!(exempt("example.com", "https://api.example.com"));
        assert!(exempt("example.com", "https://EXAMPLE.com"));
        assert!(!exempt("example.com", "https://badexample.com"));
        assert!(!exempt(".example.com", "https://example.com"));
        assert!(exempt("*.example.com", "https://api.example.com"));
        assert!(exempt("api:6443", "https://api:6443"));
        assert!(!exempt("api:6443", "https://api:443"));
        assert!(!exempt(" , ,", "https://api"));
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_refused_without_its_password() {
        let env = Env { vars: BTreeMap::new(), home: None, service_account: PathBuf::new() };
        let server = Uri::from_static("https://api");
        for proxy in ["ftp://me:hunter2@proxy", "http://", "http://me:hunter2@a b"] {
            let failure = proxy_for(&server, Some(proxy), &env).unwrap_err();
            assert!(!failure.message.contains("hunter2"), "{failure}");
        }
    }

    #[test]
    fn this_machine_is_never_proxied() {
        assert!(exempt("", "https://127.0.0.1:6443"));
        assert!(exempt("", "https://[::1]:6443"));
        assert!(exempt("", "https://localhost:6443"));
    }
}
