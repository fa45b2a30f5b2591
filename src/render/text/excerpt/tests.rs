use super::*;

fn drawn(fields: &[(&str, &str)], short: bool) -> String {
    let lines = draw(fields.iter().copied(), short).into_iter();
    let shown = lines.map(|line| match line.value {
        Some(value) => format!("> {} {value}\n", line.text),
        None => format!("  {}\n", line.text),
    });
    shown.collect()
}

#[test]
fn fields_of_one_object_share_their_parents() {
    let fields = [
        ("spec.containers[main].resources.limits.memory", "64Mi"),
        ("spec.containers[main].env[DB_HOST].value", "db"),
        ("spec.nodeName", "worker-1"),
    ];
    insta::assert_snapshot!(drawn(&fields, false), @r"
      spec:
        containers:
        - name: main
          resources:
            limits:
    >         memory: 64Mi
          env:
          - name: DB_HOST
    >       value: db
    >   nodeName: worker-1
    ");
}

#[test]
fn numbered_items_and_free_keys_read_as_written() {
    let fields = [
        ("spec.ports[80].targetPort", "8080"),
        ("spec.tls[0].hosts", "a.example"),
        ("spec.tls[0].secretName", "tls"),
        ("spec.containers[*].ports[].hostPort", "53"),
        ("metadata.annotations[example.com/a.b]", "x"),
        ("metadata.finalizers[0]", "example.com/hold"),
        ("data[LOG_LEVEL]", "debug"),
    ];
    insta::assert_snapshot!(drawn(&fields, false), @r"
      spec:
        ports:
        - port: 80
    >     targetPort: 8080
        tls:
    >   - hosts: a.example
    >     secretName: tls
        containers:
        - ports:
    >     - hostPort: 53
      metadata:
        annotations:
    >     example.com/a.b: x
        finalizers:
    >   - example.com/hold
      data:
    >   LOG_LEVEL: debug
    ");
}

#[test]
fn short_excerpts_join_keys() {
    let fields = [
        ("spec.template.spec.containers[main].resources.limits.memory", "64Mi"),
        ("metadata.annotations[example.com/a.b]", "x"),
    ];
    insta::assert_snapshot!(drawn(&fields, true), @r"
      spec.template.spec.containers:
      - name: main
    >   resources.limits.memory: 64Mi
      metadata.annotations:
    >   example.com/a.b: x
    ");
}

#[test]
fn broken_paths_are_drawn_somehow() {
    assert_eq!(steps("spec.a[b"), [Step::Key("spec".into()), Step::Key("a[b".into())]);
    assert_eq!(steps("..[x]"), [Step::Key("x".into())]);
    assert_eq!(steps(""), []);
}

#[test]
fn logs_and_states_are_no_fields_of_a_manifest() {
    assert!(is_field("spec.replicas"));
    assert!(is_field("data[KEY]"));
    for path in ["status.phase", "log.previous:17", "event.message", "message", "usage.memory"] {
        assert!(!is_field(path), "{path}");
    }
}
