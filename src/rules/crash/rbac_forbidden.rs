//! The API refused what a program asked of it.

use crate::scene::pattern::Pattern;

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Risk, Severity, Subject};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::access::rbac::{self, Request};
use crate::scene::{Scene, Template, Testimony, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "rbac-forbidden",
    category: "rbac_forbidden",
    summary: "detects programs whose ServiceAccount may not do what they ask of the Kubernetes API",
    docs: "\
## What it means
The program talks to the Kubernetes API as its ServiceAccount, and no Role that is bound to it allows the request.

## How it is detected
The log holds the API server's refusal, which names the ServiceAccount, verb and resource; or a 403 for a verb and resource \
that the Roles bound to the pod's ServiceAccount do not allow. A refusal that the Roles allow by now is over.

## What to do
Add the missing rule to the Role that is already bound, or make a Role and bind it. Grant the verb and the resource that \
the refusal names and no more.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Role, Kind::RoleBinding, Kind::ClusterRole, Kind::ClusterRoleBinding],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["init-container-failed"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    testimonies(scene).filter_map(|testimony| rbac_forbidden(&testimony)).collect()
}

fn rbac_forbidden(testimony: &Testimony<'_>) -> Option<Finding> {
    let scene = testimony.container.pod.scene;
    let (template, request) = refusal(testimony)?;
    let bound = rbac::bound(scene, &request);
    if bound.iter().any(|bound| rbac::allows(scene, &request, &bound.role)) {
        return None;
    }
    let own = bound.first().filter(|bound| rbac::rules(scene, &bound.role).is_some());
    let spare = rbac::role_that_allows(scene, &request).filter(|_| own.is_none());
    let subject: Subject = match (own, &spare) {
        (Some(bound), _) => bound.role.clone().into(),
        (None, Some(role)) => role.clone().into(),
        (None, None) => testimony.container.subject(),
    };
    let (_, account) = &request.account;
    let scope = request
        .namespace
        .as_deref()
        .map_or_else(|| "in the whole cluster".to_owned(), |namespace| format!("in namespace {namespace}"));
    let why = match (own, &spare) {
        (Some(bound), _) => format!("{}, which is bound to it, does not allow that", bound.role.short()),
        (None, Some(role)) => format!("{} would allow it but is not bound to it", role.short()),
        (None, None) => "no role that is bound to it allows that".to_owned(),
    };
    let message = format!(
        "{} may not {} {} {scope} as serviceaccount {account}: {why}",
        testimony.container.phrase(),
        request.verb,
        request.resource
    );
    let sure = if rbac::is_known(scene, &request) { 0.95 } else { 0.85 };
    let finding = RULE.finding(subject, message).key(format!("{} {}", request.verb, request.resource)).confidence(sure);
    let workload = testimony.container.pod.workload().object.clone();
    let mut finding = testimony.attest(finding, template).affects(workload);
    if let Some(bound) = own {
        finding = finding.because(bound.role.clone(), "rules", words(scene, &bound.role)).because(
            bound.binding.clone(),
            "roleRef.name",
            bound.role.name.clone(),
        );
    }
    Some(advise(finding, testimony, &request, own.map(|bound| &bound.role), spare.as_ref()))
}

/// Finds the refusal in the log; an aged one of what still runs counts too, as nothing tries again for ever.
fn refusal<'s>(testimony: &Testimony<'s>) -> Option<(&'s Template<'s>, Request)> {
    let said = |template: &'s Template<'s>| Some((template, named(&template.message())?));
    let recent = |template: &&Template<'_>| testimony.crash.is_some() || testimony.is_fresh(template);
    let templates = || testimony.log.templates.iter().filter(recent);
    templates()
        .find_map(said)
        .or_else(|| templates().find_map(|template| Some((template, implied(testimony, &template.message())?))))
}

/// Reads the API server's own words.
fn named(message: &str) -> Option<Request> {
    static REFUSAL: Pattern = Pattern::new(concat!(
        r#"[Uu]ser \\?"system:serviceaccount:([^:"\\]+):([^"\\]+)\\?" cannot ([a-z]+) resource \\?"([^"\\]+)\\?""#,
        r#"(?: in API group \\?"([^"\\]*)\\?")?(?: in the namespace \\?"([^"\\]+)\\?")?"#
    ));
    let found = REFUSAL.captures(message)?;
    let text = |index: usize| found.get(index).map(|part| part.as_str().to_owned());
    Some(Request {
        account: (text(1)?, text(2)?),
        verb: text(3)?,
        resource: text(4)?,
        group: text(5),
        namespace: text(6),
    })
}

/// Reads a 403 for a verb and resource of Kubernetes; the account is the pod's, and its Roles must be known not to allow it.
fn implied(testimony: &Testimony<'_>, message: &str) -> Option<Request> {
    static DENIED: Pattern = Pattern::new(r"(?i)\b403\b|forbidden");
    static WISH: Pattern = Pattern::new(
        r"(?i)\b(get|list|watch|create|delete|patch|update)(?:ing)? (pods|services|secrets|configmaps|nodes|deployments|jobs|events|namespaces|endpoints|leases)\b",
    );
    if !DENIED.is_match(message) {
        return None;
    }
    let wish = WISH.captures(message)?;
    let pod = testimony.container.pod;
    let account = pod.spec().and_then(|spec| spec.service_account_name.as_deref()).unwrap_or("default");
    let request = Request {
        account: (pod.namespace().to_owned(), account.to_owned()),
        verb: wish[1].to_ascii_lowercase(),
        resource: wish[2].to_ascii_lowercase(),
        group: None,
        namespace: Some(pod.namespace().to_owned()),
    };
    rbac::is_known(pod.scene, &request).then_some(request)
}

/// Prints a role's rules: `get pods, configmaps; list nodes`.
fn words(scene: &Scene<'_>, role: &ObjectRef) -> String {
    let rules = rbac::rules(scene, role).unwrap_or_default();
    let printed: Vec<String> = rules
        .iter()
        .map(|rule| {
            format!(
                "{} {}",
                rule.verbs.join(","),
                rule.resources.iter().flatten().cloned().collect::<Vec<_>>().join(",")
            )
        })
        .collect();
    if printed.is_empty() { "none".to_owned() } else { printed.join("; ").chars().take(280).collect() }
}

fn advise(
    finding: Finding,
    testimony: &Testimony<'_>,
    request: &Request,
    own: Option<&ObjectRef>,
    spare: Option<&ObjectRef>,
) -> Finding {
    let (account_namespace, account) = &request.account;
    let who = format!("--serviceaccount={account_namespace}:{account}");
    let finding = match (own, spare) {
        (Some(role), _) => {
            let group = request.group.as_deref().unwrap_or_default();
            let resource = &request.resource;
            let summary = format!(
                "add a rule to {}: apiGroups [\"{group}\"], resources [\"{resource}\"], verbs [\"{}\"]",
                role.short(),
                request.verb
            );
            let patch = format!(
                r#"[{{"op":"add","path":"/rules/-","value":{{"apiGroups":["{group}"],"resources":["{resource}"],"verbs":["{}"]}}}}]"#,
                request.verb
            );
            let kind = role.kind.to_lowercase();
            let mut command = vec!["kubectl", "patch", &kind, &role.name, "--type=json", "-p", &patch];
            if role.is(Kind::Role) {
                command.extend(["-n", role.namespace()]);
            }
            finding.recommend(
                Recommendation::new("edit-object", summary).risk(Risk::Medium).command(quote::command(&command)),
            )
        }
        (None, Some(role)) => {
            let command = [
                "kubectl",
                "create",
                "rolebinding",
                account,
                "-n",
                role.namespace(),
                &format!("--role={}", role.name),
                &who,
            ];
            let summary = format!("bind {} to serviceaccount {account}", role.short());
            finding.recommend(
                Recommendation::new("create-object", summary).risk(Risk::Medium).command(quote::command(&command)),
            )
        }
        (None, None) => create(finding, request, &who),
    };
    finding.next(can_i(request)).next(testimony.logs_command())
}

/// Advises a new role with the one rule, and its binding.
fn create(finding: Finding, request: &Request, who: &str) -> Finding {
    let account = &request.account.1;
    let group = request.group.as_deref().filter(|group| !group.is_empty());
    let resource = group.map_or_else(|| request.resource.clone(), |group| format!("{}.{group}", request.resource));
    let (verb, resource) = (format!("--verb={}", request.verb), format!("--resource={resource}"));
    let (role, binding, reference, place) = match request.namespace.as_deref() {
        Some(namespace) => ("role", "rolebinding", format!("--role={account}"), vec!["-n", namespace]),
        None => ("clusterrole", "clusterrolebinding", format!("--clusterrole={account}"), vec![]),
    };
    let first = [&["kubectl", "create", role, account][..], &place, &[&verb, &resource]].concat();
    let second = [&["kubectl", "create", binding, account][..], &place, &[&reference, who]].concat();
    let command = format!("{} && {}", quote::command(&first), quote::command(&second));
    let summary = format!("allow serviceaccount {account} to {} {}", request.verb, request.resource);
    finding.recommend(Recommendation::new("create-object", summary).risk(Risk::Medium).command(command))
}

fn can_i(request: &Request) -> String {
    let (namespace, account) = &request.account;
    let who = format!("--as=system:serviceaccount:{namespace}:{account}");
    let mut words = vec!["kubectl", "auth", "can-i", &request.verb, &request.resource, &who];
    match request.namespace.as_deref() {
        Some(namespace) => words.extend(["-n", namespace]),
        None => words.push("--all-namespaces"),
    }
    quote::command(&words)
}
