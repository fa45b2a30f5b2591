//! Resolution against files in a temporary directory and a made-up environment.

use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::failure::Exit;

const TWO_CLUSTERS: &str = r#"
apiVersion: v1
kind: Config
current-context: kind-shop
contexts:
- name: kind-shop
  context: { cluster: shop, user: jane, namespace: web }
- name: kind-bank
  context: { cluster: bank, user: joe }
clusters:
- name: shop
  cluster: { server: "https://10.0.0.1:6443", tls-server-name: shop.internal, insecure-skip-tls-verify: true }
- name: bank
  cluster: { server: "https://10.0.0.2:6443", proxy-url: "socks5://proxy:1080", disable-compression: true }
users:
- name: jane
  user: { token: of-jane }
- name: joe
  user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: ./login, interactiveMode: Never } }
"#;

struct Home {
    dir: TempDir,
    env: Env,
}

impl Home {
    fn empty() -> Self {
        let dir = TempDir::new().unwrap();
        let env = Env {
            vars: BTreeMap::new(),
            home: Some(dir.path().to_owned()),
            service_account: dir.path().join("serviceaccount"),
        };
        Self { dir, env }
    }

    fn with_kubeconfig(text: &str) -> Self {
        let home = Self::empty();
        home.write(".kube/config", text);
        home
    }

    fn in_pod(mut self) -> Self {
        self.write("serviceaccount/token", "of-the-pod\n");
        self.write("serviceaccount/namespace", "ops\n");
        self.set("KUBERNETES_SERVICE_HOST", "fd00::1");
        self.set("KUBERNETES_SERVICE_PORT", "443");
        self
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn set(&mut self, name: &str, value: &str) {
        self.env.vars.insert(name.to_owned(), value.to_owned());
    }

    fn set_kubeconfig(&mut self, paths: &[&Path]) {
        let joined = std::env::join_paths(paths).unwrap();
        self.set("KUBECONFIG", joined.to_str().unwrap());
    }

    fn resolve(&self, overrides: &Overrides) -> Result<Connection, Failure> {
        resolve(overrides, &self.env)
    }

    fn connection(&self) -> Connection {
        self.resolve(&Overrides::default()).unwrap()
    }

    fn failure(&self, overrides: &Overrides) -> Failure {
        let failure = self.resolve(overrides).unwrap_err();
        assert_eq!(failure.exit, Exit::Unreachable);
        failure
    }
}

fn context(name: &str) -> Overrides {
    Overrides { context: Some(name.to_owned()), ..Overrides::default() }
}

/// The token as it will be sent; the type shows it to nobody else.
fn token(connection: &Connection) -> Option<String> {
    let user = serde_json::to_value(&connection.config.auth_info).unwrap();
    user.get("token")?.as_str().map(str::to_owned)
}

#[test]
fn current_context_is_used() {
    let found = Home::with_kubeconfig(TWO_CLUSTERS).connection();
    assert_eq!(found.context.as_deref(), Some("kind-shop"));
    assert_eq!((found.namespace.as_str(), found.config.default_namespace.as_str()), ("web", "web"));
    assert_eq!(found.config.cluster_url, "https://10.0.0.1:6443/");
    assert_eq!(found.config.tls_server_name.as_deref(), Some("shop.internal"));
    assert!(found.config.accept_invalid_certs);
    assert_eq!(token(&found).as_deref(), Some("of-jane"));
}

#[test]
fn context_can_be_chosen() {
    let home = Home::with_kubeconfig(TWO_CLUSTERS);
    let found = home.resolve(&context("kind-bank")).unwrap();
    assert_eq!(found.namespace, "default");
    assert_eq!(found.config.proxy_url.unwrap(), "socks5://proxy:1080/");
    assert!(found.config.disable_compression);
    let command = found.config.auth_info.exec.unwrap().command.unwrap();
    assert_eq!(Path::new(&command), home.dir.path().join(".kube/./login"));
}

#[test]
fn cluster_and_user_can_be_chosen() {
    let home = Home::with_kubeconfig(TWO_CLUSTERS);
    let overrides =
        Overrides { cluster: Some("bank".to_owned()), user: Some("joe".to_owned()), ..Overrides::default() };
    let found = home.resolve(&overrides).unwrap();
    assert_eq!(found.config.cluster_url, "https://10.0.0.2:6443/");
    assert!(found.config.auth_info.exec.is_some());
    assert_eq!(found.namespace, "web");
}

#[test]
fn unknown_names_are_refused_with_the_nearest() {
    let home = Home::with_kubeconfig(TWO_CLUSTERS);
    let failure = home.failure(&context("kind-shpo"));
    assert_eq!(failure.message, r#"context "kind-shpo" does not exist"#);
    assert_eq!(failure.hints[0], "did you mean `kind-shop` or `kind-bank`?");
    let failure = home.failure(&Overrides { user: Some("jnae".to_owned()), ..Overrides::default() });
    assert_eq!(failure.message, r#"user "jnae" does not exist"#);
    let failure = home.failure(&Overrides { cluster: Some("zzz".to_owned()), ..Overrides::default() });
    assert_eq!(failure.message, r#"cluster "zzz" does not exist"#);
    assert_eq!(failure.hints.len(), 1);
}

#[test]
fn no_current_context_is_said() {
    let home = Home::with_kubeconfig(&TWO_CLUSTERS.replace("current-context: kind-shop", "current-context: \"\""));
    let failure = home.failure(&Overrides::default());
    assert_eq!(failure.message, "no current context is set");
    assert!(failure.hints[0].contains("kubectl config get-contexts"));
}

#[test]
fn no_kubeconfig_names_where_it_was_looked_for() {
    let home = Home::empty();
    let failure = home.failure(&Overrides::default());
    assert!(failure.message.contains(".kube/config"), "{failure}");
}

#[test]
fn missing_files_of_the_list_are_skipped_and_the_first_value_wins() {
    let mut home = Home::with_kubeconfig("not: [read");
    let first = home.write("a.yaml", "current-context: ''\nusers: [{name: jane, user: {token: other}}]\n");
    let second = home.write("b.yaml", TWO_CLUSTERS);
    home.set_kubeconfig(&[Path::new("/nonexistent"), &first, Path::new(""), &second]);
    let found = home.connection();
    assert_eq!(found.context.as_deref(), Some("kind-shop"));
    assert_eq!(token(&found).as_deref(), Some("other"));
}

#[test]
fn an_explicit_file_must_exist() {
    let home = Home::with_kubeconfig(TWO_CLUSTERS);
    let overrides = Overrides { kubeconfig: Some(PathBuf::from("/nonexistent")), ..Overrides::default() };
    assert_eq!(home.failure(&overrides).message, "kubeconfig `/nonexistent` does not exist");
}

#[test]
fn a_broken_file_is_named_with_its_line_but_not_quoted() {
    let home = Home::with_kubeconfig("apiVersion: v1\nusers:\n- name: jane\n  user: {token: hunter2\n");
    let failure = home.failure(&Overrides::default());
    assert!(failure.message.contains("config:"), "{failure}");
    assert!(!failure.message.contains("hunter2") && !failure.message.contains('\n'), "{failure}");
    let failure = Home::with_kubeconfig("clusters: 7\n").failure(&Overrides::default());
    assert!(failure.message.ends_with("cannot be parsed: expected a sequence"), "{failure}");
}

#[test]
fn the_namespace_flag_wins() {
    let home = Home::with_kubeconfig(TWO_CLUSTERS).in_pod();
    let overrides = Overrides { namespace: Some("pay".to_owned()), ..Overrides::default() };
    assert_eq!(home.resolve(&overrides).unwrap().namespace, "pay");
    assert_eq!(home.connection().namespace, "web");
    assert_eq!(home.resolve(&context("kind-bank")).unwrap().namespace, "ops");
}

#[test]
fn a_pod_uses_its_service_account() {
    let mut home = Home::empty().in_pod();
    let found = home.connection();
    assert_eq!(found.config.cluster_url, "https://[fd00::1]:443/");
    assert_eq!(found.namespace, "ops");
    assert_eq!(found.context, None);
    assert_eq!(token(&found).as_deref(), Some("of-the-pod"));
    home.set("POD_NAMESPACE", "named");
    assert_eq!(home.connection().namespace, "named");
}

#[test]
fn a_broken_kubeconfig_does_not_fall_back_to_the_service_account() {
    let home = Home::with_kubeconfig("clusters: 7\n").in_pod();
    assert!(home.failure(&Overrides::default()).message.contains("cannot be parsed"));
    let home = Home::with_kubeconfig("apiVersion: v1\n").in_pod();
    assert_eq!(home.failure(&Overrides::default()).message, "no current context is set");
}

#[test]
fn a_server_is_enough() {
    let overrides = Overrides { server: Some("127.0.0.1:8080".to_owned()), ..Overrides::default() };
    let found = Home::empty().resolve(&overrides).unwrap();
    assert_eq!(found.config.cluster_url, "http://127.0.0.1:8080/");
    assert_eq!((found.context, found.namespace.as_str()), (None, "default"));
}

#[test]
fn a_server_flag_forgets_the_tls_server_name() {
    let overrides = Overrides { server: Some("https://other".to_owned()), ..Overrides::default() };
    let found = Home::with_kubeconfig(TWO_CLUSTERS).resolve(&overrides).unwrap();
    assert_eq!(found.config.cluster_url, "https://other/");
    assert_eq!(found.config.tls_server_name, None);
    assert_eq!(token(&found).as_deref(), Some("of-jane"));
}

#[test]
fn a_server_that_is_no_url_is_refused() {
    for server in ["https://", "ftp://host", "http://a b"] {
        let overrides = Overrides { server: Some(server.to_owned()), ..Overrides::default() };
        assert!(Home::empty().failure(&overrides).message.contains("is not a URL"), "{server}");
    }
}

#[test]
fn a_token_flag_replaces_the_login() {
    let overrides = Overrides { token: Some(Secret::from("mine".to_owned())), ..context("kind-bank") };
    let found = Home::with_kubeconfig(TWO_CLUSTERS).resolve(&overrides).unwrap();
    assert_eq!(token(&found).as_deref(), Some("mine"));
    assert!(found.config.auth_info.exec.is_none());
    assert!(!format!("{found:?}").contains("mine"));
}

#[test]
fn impersonation_is_laid_over() {
    let overrides = Overrides {
        impersonate_user: Some("root".to_owned()),
        impersonate_groups: vec!["a".to_owned(), "b".to_owned()],
        impersonate_uid: Some("7".to_owned()),
        impersonate_extra: vec![("k".to_owned(), "1".to_owned()), ("k".to_owned(), "2".to_owned())],
        ..Overrides::default()
    };
    let user = Home::with_kubeconfig(TWO_CLUSTERS).resolve(&overrides).unwrap().config.auth_info;
    assert_eq!(user.impersonate.as_deref(), Some("root"));
    assert_eq!(user.impersonate_groups.unwrap(), ["a", "b"]);
    assert_eq!(user.impersonate_uid.as_deref(), Some("7"));
    assert_eq!(user.impersonate_user_extra.unwrap()["k"], ["1", "2"]);
}

#[test]
fn an_authority_must_be_readable_pem() {
    let home = Home::with_kubeconfig(TWO_CLUSTERS);
    let with = |path: PathBuf| Overrides { certificate_authority: Some(path), ..Overrides::default() };
    assert!(home.failure(&with(PathBuf::from("/nonexistent"))).message.contains("`/nonexistent` cannot be read"));
    let junk = home.write("ca.crt", "junk");
    assert!(home.failure(&with(junk)).message.contains("no certificate in"));
    let pem = home.write("ca.crt", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    let found = home.resolve(&with(pem.clone())).unwrap();
    assert_eq!(found.config.root_cert.unwrap().len(), 1);
    assert!(!found.config.accept_invalid_certs);
    let both = Overrides { insecure_skip_tls_verify: Some(true), ..with(pem) };
    assert!(home.failure(&both).message.contains("with the insecure flag is not allowed"));
}
