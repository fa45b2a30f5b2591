//! Reports made by hand, for the tests of all renderers.

use jiff::{SignedDuration, Timestamp};

use crate::model::report::Examined;
use crate::model::{
    Evidence, Finding, Gap, GapReason, Incident, Kind, NotEvaluated, ObjectRef, Recommendation, Report, Risk, Scope,
    Severity, State, Subject, Target,
};
use crate::policy::{Compared, Ignored};
use crate::rules::Rule;

const fn rule(id: &'static str, category: &'static str, summary: &'static str, severity: Severity) -> Rule {
    let docs = "## What it means\nSomething is missing, and the object cannot do without it. See the fields below.\n\n\
        ## How it is detected\n- by its absence\n- by the *words* of an event\n\n## What to do\nCreate it:\n```\nkubectl create -f it.yaml\n```";
    Rule { id, category, summary, docs, severity, needs: &[Kind::Pod], uses: &[], explains: &[], check: |_| Vec::new() }
}

static MISSING_ENV: Rule = rule(
    "missing-env",
    "missing_env",
    "detects programs that end because an environment variable is not set",
    Severity::Error,
);
pub(super) static BACKENDS: Rule = Rule {
    needs: &[Kind::Service, Kind::Pod],
    uses: &[Kind::EndpointSlice],
    explains: &[&["missing-env", "log-error"]],
    ..rule(
        "service-backends-missing",
        "service_backends_missing",
        "detects services whose selector finds pods of which none is ready, so that every connection is refused",
        Severity::Critical,
    )
};
static QUOTA: Rule = rule("quota-exceeded", "quota_exceeded", "detects pods that a quota refuses", Severity::Warning);
static LOG_ERROR: Rule =
    rule("log-error", "log_error_running", "detects errors in the logs of pods that run", Severity::Warning);
static HISTORY: Rule = rule("node-not-ready", "node_not_ready", "detects nodes that are not ready", Severity::Error);

pub(super) static RULES: &[&Rule] = &[&MISSING_ENV, &BACKENDS, &QUOTA, &LOG_ERROR, &HISTORY];

const FIELD: &str = "spec.template.spec.containers[main].env[DB_HOST].valueFrom.configMapKeyRef.key";
const TRACE: &str = "Traceback (most recent call last):\n  File \"/app/main.py\", line 3, in <module>\n    run()\n\n  \
    File \"/app/main.py\", line 2, in run\n    raise SystemExit(1)\nSystemExit: 1";
const LAST_END: &str = "status.containerStatuses[main].lastState.terminated";

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().expect("a time")
}

fn before(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

fn cart(pod: &str) -> ObjectRef {
    ObjectRef::new(Kind::Pod, "shop", &format!("cart-7d9f8c6b5-{pod}"))
}

fn deployment(name: &str) -> ObjectRef {
    ObjectRef::new(Kind::Deployment, "shop", name)
}

/// Makes an incident of a finding, with times and what it hits as the pipeline would.
fn incident(id: &str, cause: Finding, effects: Vec<Finding>) -> Incident {
    let mut affected: Vec<ObjectRef> =
        cause.affected.iter().chain(effects.iter().flat_map(|effect| &effect.affected)).cloned().collect();
    affected.sort();
    affected.dedup();
    let severity = if cause.state == State::Past { Severity::Info } else { cause.severity };
    let severity = effects.iter().map(|effect| effect.severity).fold(severity, Severity::max);
    Incident {
        id: id.to_owned(),
        severity,
        first_seen: cause.since,
        last_seen: cause.last_seen,
        next: cause.next.clone(),
        cause,
        effects,
        affected,
        alternatives: Vec::new(),
        narrative: None,
    }
}

fn report(incidents: Vec<Incident>) -> Report {
    Report {
        taken_at: now(),
        server: Some("v1.36.3".to_owned()),
        context: Some("prod".to_owned()),
        scope: Scope::namespace("shop"),
        fates: Vec::new(),
        incidents,
        ignored: Vec::new(),
        hidden: 0,
        compared: None,
        not_evaluated: Vec::new(),
        gaps: Vec::new(),
        examined: Examined { pods: 12, unready: 0, workloads: 4, services: 3, events: 57, rules: 92 },
        notes: Vec::new(),
    }
}

/// Something of everything.
pub(crate) fn rich() -> Report {
    let mut report = report(vec![missing_env(), unsure(), quota(), history(), advice()]);
    report.gaps = gaps();
    report.not_evaluated = vec![
        NotEvaluated { rule: "missing-secret", gaps: vec![0] },
        NotEvaluated { rule: "webhook-blocking", gaps: vec![2, 3] },
    ];
    report.notes = vec![
        "pod/cart-7d9f8c6b5-old01 is gone; this is answered from its events, deployment/cart and its successors"
            .to_owned(),
    ];
    report
}

/// Nothing to report.
pub(crate) fn healthy() -> Report {
    report(Vec::new())
}

/// Nothing to report, but not everything could be read.
pub(crate) fn partial() -> Report {
    let mut report = report(vec![history()]);
    report.gaps = gaps();
    report.not_evaluated = vec![NotEvaluated { rule: "missing-secret", gaps: vec![0] }];
    report.scope.targets = vec![Target::new(Kind::Pod, "cart-7d9f8c6b5-x2k4q")];
    report
}

/// One incident that is ignored, one that an earlier report knew, and one that has gone since.
pub(super) fn decided() -> Report {
    let mut report = rich();
    let incident = report.incidents.remove(1);
    report.ignored =
        vec![Ignored { incident, reason: "one <replica> by design".to_owned(), until: Some(now()), by: "config" }];
    report.compared = Some(Compared {
        taken_at: Some(before(600)),
        new: vec![report.incidents[0].id.clone()],
        known: vec![report.incidents[1].id.clone()],
        gone: vec![("0011001100110011".to_owned(), "deployment/old <never> started".to_owned())],
    });
    report
}

/// Text that wants to do something to the terminal.
pub(crate) fn hostile() -> Report {
    saying("\u{1b}]0;owned\u{7}\u{1b}[2J\rall is well\u{202e}\n日本語日本語日本語 \u{200b}a\u{301}\t👩‍👩‍👧 end")
}

/// One incident in which everything that may come from strangers says this.
pub(super) fn saying(text: &str) -> Report {
    let object = ObjectRef {
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        namespace: Some(text.to_owned()),
        name: text.to_owned(),
    };
    let effect = LOG_ERROR.finding(object.clone(), text).because(object.clone(), "log.current:1", text);
    let mut cause = MISSING_ENV
        .finding(Subject { object: object.clone(), container: Some(text.to_owned()) }, text)
        .because(object.clone(), FIELD, text)
        .because(object.clone(), format!("spec.{text}[{text}]"), text)
        .because_at(object.clone(), "status.phase", text, Some(before(3)))
        .because(object.clone(), text, text)
        .affects(object.clone())
        .affects(ObjectRef { namespace: None, ..object })
        .recommend(Recommendation::new("edit-object", text).risk(Risk::High))
        .confidence(0.5);
    cause.last_seen = Some(before(2));
    let mut incident = incident("00", cause, vec![effect.clone(); 7]);
    incident.alternatives = vec![effect.confidence(0.2)];
    let mut report = report(vec![incident, history()]);
    report.notes = vec![text.to_owned()];
    report.context = Some(text.to_owned());
    report.gaps = vec![Gap::other(text, Some(text), Some(text), GapReason::Forbidden, text)];
    report
}

fn gaps() -> Vec<Gap> {
    let denied = "secrets is forbidden: User \"jane\" cannot list resource \"secrets\" in API group \"\" in the namespace \"shop\"";
    vec![
        Gap::kind(Kind::Secret, Some("shop"), GapReason::Forbidden, denied),
        Gap::kind(Kind::ResourceQuota, Some("shop"), GapReason::Forbidden, ""),
        Gap::kind(Kind::ValidatingWebhookConfiguration, None, GapReason::NotRecorded, ""),
        Gap::kind(Kind::MutatingWebhookConfiguration, None, GapReason::NotRecorded, ""),
        Gap::other("pods/log", Some("shop"), Some("web-0"), GapReason::Timeout, "deadline exceeded"),
    ]
}

fn missing_env() -> Incident {
    let cause = MISSING_ENV
        .finding(
            deployment("cart"),
            "container `main` of deployment/cart ends at once because `DB_HOST` is not set: the configmap `cart-config` has no key \
             `DB_HOST`, in 3 pods",
        )
        .container("main")
        .because(deployment("cart"), FIELD, "DB_HOST")
        .because(ObjectRef::new(Kind::ConfigMap, "shop", "cart-config"), "data", "{CACHE_URL, LOG_LEVEL}")
        .because_at(cart("x2k4q"), format!("{LAST_END}.exitCode"), "1", Some(before(3)))
        .because_at(cart("x2k4q"), "log.previous[main]:17", "KeyError: 'DB_HOST'", Some(before(3)))
        .because_at(
            cart("x2k4q"),
            "events[BackOff].message",
            "Back-off restarting failed container main in pod cart-7d9f8c6b5-x2k4q_shop(5a6f0f0e-3f6b-4d8f-9c43-8d6a6a0f2c11)",
            Some(before(1)),
        )
        .seen(Some(before(12)), Some(before(3)))
        .affects(cart("x2k4q"))
        .affects(cart("m8s2p"))
        .affects(cart("zz9l4"))
        .confidence(0.97)
        .recommend(
            Recommendation::new("edit-object", "add the key `DB_HOST` to configmap/cart-config")
                .command("kubectl patch configmap/cart-config -n shop --type merge -p '{\"data\":{\"DB_HOST\":\"VALUE\"}}'"),
        )
        .recommend(Recommendation::new("rollback", "or go back to the revision before, which did not ask for it").risk(Risk::Medium).command("kubectl rollout undo deployment/cart -n shop"))
        .next("kubectl logs -n shop cart-7d9f8c6b5-x2k4q -c main --previous");
    let service = ObjectRef::new(Kind::Service, "shop", "cart");
    let backends = BACKENDS
        .finding(service.clone(), "service/cart has no ready pods: all 3 that it selects are not ready")
        .because(service.clone(), "spec.selector[app]", "cart")
        .affects(service);
    let callers = ["checkout", "frontend", "orders", "search", "basket", "recommendations"].map(|name| {
        let message = format!(
            "deployment/{name} logs errors: cannot reach cart:8080, connection refused by every one of its endpoints"
        );
        LOG_ERROR.finding(deployment(name), message).affects(deployment(name))
    });
    let exits = "container `main` of deployment/cart exited with code 1 again and again, which is a crash loop";
    let exits = LOG_ERROR.finding(deployment("cart"), exits).container("main");
    let effects = [backends, exits].into_iter().chain(callers).collect();
    incident("3f9c0a1b2c3d4e5f", cause, effects)
}

fn unsure() -> Incident {
    let pod = ObjectRef::new(Kind::Pod, "shop", "worker-0");
    let cause = LOG_ERROR
        .finding(ObjectRef::new(Kind::StatefulSet, "shop", "worker"), "statefulset/worker restarts without saying why")
        .severity(Severity::Error)
        .because_at(pod.clone(), format!("{LAST_END}.reason"), "Error", Some(before(200)))
        .because_at(pod.clone(), "log.previous[main]:201", TRACE, Some(before(200)))
        .seen(Some(before(300)), Some(before(200)))
        .affects(pod.clone())
        .confidence(0.55)
        .next("kubectl logs -n shop worker-0 --previous --tail=200")
        .next("kubectl describe -n shop pod/worker-0");
    let other = QUOTA.finding(pod, "pod/worker-0 may be killed by its node").confidence(0.2);
    Incident { alternatives: vec![other], ..incident("77aa77aa77aa77aa", cause, Vec::new()) }
}

fn quota() -> Incident {
    let quota = ObjectRef::new(Kind::ResourceQuota, "shop", "mem");
    let cause = QUOTA
        .finding(
            quota.clone(),
            "resourcequota/mem refuses pods of replicaset/batch-5f6d: `limits.memory` is used up (4Gi of 4Gi)",
        )
        .because(quota.clone(), "spec.hard[limits.memory]", "4Gi")
        .because(quota, "status.used[limits.memory]", "4Gi")
        .seen(Some(before(60 * 30)), Some(before(0)));
    incident("1234123412341234", cause, Vec::new())
}

fn history() -> Incident {
    let node = ObjectRef::new(Kind::Node, "", "worker-3");
    let cause = HISTORY
        .finding(
            node.clone(),
            "node/worker-3 was not ready, and its 5 pods in namespace shop were moved to other nodes",
        )
        .because_at(node, "status.conditions[Ready].lastTransitionTime", "2026-11-18T11:00:00Z", Some(before(60 * 73)))
        .seen(Some(before(60 * 74)), Some(before(60 * 73)))
        .state(State::Past);
    incident("9999999999999999", cause, Vec::new())
}

fn advice() -> Incident {
    let cause = MISSING_ENV
        .finding(
            deployment("cart"),
            "deployment/cart has no readiness probe, so that traffic arrives before it can answer",
        )
        .severity(Severity::Info)
        .because(deployment("cart"), "spec.template.spec.containers[main].readinessProbe", "(none)");
    incident("8888888888888888", cause, Vec::new())
}

/// Returns all evidence of a report, for tests that change it.
pub(super) fn evidence(report: &mut Report) -> &mut Vec<Evidence> {
    &mut report.incidents[0].cause.evidence
}
