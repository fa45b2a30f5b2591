//! Asks whether the caller may start an agent, before anything is made.

use futures::future;
use serde_json::{Value, json};

use super::manifest::ACCOUNT;
use super::rights::{Right, policy_rules};
use crate::collect::client::{ApiClient, JSON, RequestError};
use crate::failure::{Exit, Failure};

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// What starting an agent takes, whoever's account it uses.
fn to_start() -> Vec<Right> {
    vec![
        Right::new("batch", "jobs", &["create", "get", "delete"]),
        Right::new("", "pods", &["list", "watch"]),
        Right::new("", "pods/log", &["get"]),
    ]
}

/// What making it an account takes; to give it rights takes these rights besides.
fn to_make_an_account() -> Vec<Right> {
    vec![
        Right::new("batch", "jobs", &["patch"]),
        Right::new("", "serviceaccounts", &["create"]),
        Right::new("rbac.authorization.k8s.io", "roles", &["create"]),
        Right::new("rbac.authorization.k8s.io", "rolebindings", &["create"]),
    ]
}

/// What the caller may not do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lacking {
    /// Without these no agent runs at all.
    pub to_start: Vec<Right>,
    /// Without these an agent runs with an account that somebody else made.
    pub for_account: Vec<Right>,
}

/// Checks what an agent with an account of its own takes, and returns the rights that it can be given.
///
/// Who may not do something cannot allow it to others; what is optional is left out then.
///
/// # Errors
/// When something else is missing, which is listed; or the server cannot be asked.
pub async fn with_account(client: &ApiClient, namespace: &str, rights: &[Right]) -> Result<Vec<Right>, Failure> {
    let (start, account) = (to_start(), to_make_an_account());
    // Who holds these two may allow what he may not do himself.
    let above = [
        Right::new("rbac.authorization.k8s.io", "roles", &["escalate"]),
        Right::new("rbac.authorization.k8s.io", "rolebindings", &["bind"]),
    ];
    let (start, account, given, above) = tokio::try_join!(
        missing(client, namespace, &start),
        missing(client, namespace, &account),
        missing(client, namespace, rights),
        missing(client, namespace, &above),
    )
    .map_err(|error| error.into_failure("what you may do"))?;
    let given = if above.is_empty() { Vec::new() } else { given };
    let (optional, needed): (Vec<Right>, Vec<Right>) = given.into_iter().partition(|right| right.is_optional);
    let lacking = Lacking { to_start: start, for_account: [account, needed].concat() };
    if lacking != Lacking::default() {
        return Err(refusal(namespace, &lacking));
    }
    let is_left_out = |right: &Right| optional.iter().any(|other| is_same(other, right));
    Ok(rights.iter().filter(|right| !is_left_out(right)).cloned().collect())
}

/// Checks what an agent with an account that is there takes.
///
/// # Errors
/// When something is missing, or the server cannot be asked.
pub async fn with_given_account(client: &ApiClient, namespace: &str) -> Result<(), Failure> {
    let to_start = missing(client, namespace, &to_start()).await;
    let to_start = to_start.map_err(|error| error.into_failure("what you may do"))?;
    if to_start.is_empty() {
        return Ok(());
    }
    Err(refusal(namespace, &Lacking { to_start, ..Lacking::default() }))
}

fn is_same(a: &Right, b: &Right) -> bool {
    (a.group, a.resource, &a.names) == (b.group, b.resource, &b.names)
}

/// Returns what is not allowed, with the verbs that are not.
async fn missing(client: &ApiClient, namespace: &str, rights: &[Right]) -> Result<Vec<Right>, RequestError> {
    let questions = rights.iter().flat_map(|right| right.verbs.iter().map(move |verb| (right, *verb)));
    let answers = questions.map(|(right, verb)| async move {
        let is_allowed = may(client, namespace, right, verb).await?;
        Ok::<_, RequestError>((!is_allowed).then_some((right, verb)))
    });
    let refused: Vec<(&Right, &'static str)> = future::try_join_all(answers).await?.into_iter().flatten().collect();
    let mut missing: Vec<Right> = Vec::new();
    for right in rights {
        let verbs: Vec<&'static str> =
            refused.iter().filter(|(other, _)| std::ptr::eq(*other, right)).map(|(_, verb)| *verb).collect();
        if !verbs.is_empty() {
            missing.push(Right { verbs: Vec::leak(verbs), ..right.clone() });
        }
    }
    Ok(missing)
}

/// Asks whether we may do one thing.
async fn may(client: &ApiClient, namespace: &str, right: &Right, verb: &str) -> Result<bool, RequestError> {
    let (resource, sub) = right.resource.split_once('/').unwrap_or((right.resource, ""));
    // A right to named objects is held by who may do it to each; all are asked about by the first.
    let name = right.names.first().map(String::as_str).unwrap_or_default();
    let attributes = json!({"namespace": namespace, "verb": verb, "group": right.group, "resource": resource,
        "subresource": sub, "name": name});
    let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes}});
    let answer: Value = client.send(http::Method::POST, REVIEWS, &[], JSON, &review).await?;
    Ok(answer["status"]["allowed"] == true)
}

/// Returns whether we may list the pods of a namespace: an agent's first question, as its binding may be younger than its pod.
///
/// # Errors
/// When the server cannot be asked.
pub async fn may_list_pods(client: &ApiClient, namespace: &str) -> Result<bool, RequestError> {
    may(client, namespace, &Right::new("", "pods", &["list"]), "list").await
}

fn refusal(namespace: &str, lacking: &Lacking) -> Failure {
    let all: Vec<Right> = lacking.to_start.iter().chain(&lacking.for_account).cloned().collect();
    let words: Vec<String> = all.iter().map(word).collect();
    let message = format!("you may not start an agent in namespace \"{namespace}\"; you lack: {}", words.join(", "));
    let mut failure = Failure::new(Exit::Agent, message);
    if lacking.to_start.is_empty() {
        failure = failure
            .hint(format!("ask an administrator for an account, once: kubectl rca rbac --in-cluster -n {namespace} -o yaml | kubectl apply -f -"))
            .hint(format!("then use it: --in-cluster --service-account {ACCOUNT}"));
    } else {
        failure = policy_rules(&lacking.to_start).iter().fold(failure, |failure, rule| {
            failure.hint(format!("ask an administrator for a Role with the rule {rule}"))
        });
        failure = commands(namespace, &lacking.to_start).into_iter().fold(failure, Failure::hint);
        if !lacking.for_account.is_empty() {
            failure = failure.hint(format!(
                "and for an account: kubectl rca rbac --in-cluster -n {namespace} -o yaml | kubectl apply -f -; then --service-account {ACCOUNT}"
            ));
        }
    }
    failure.hint("without --in-cluster the same is read from here, with your own rights")
}

/// `create jobs.batch`.
fn word(right: &Right) -> String {
    let verbs = right.verbs.join("/");
    match right.group {
        "" => format!("{verbs} {}", right.resource),
        group => format!("{verbs} {}.{group}", right.resource),
    }
}

/// The commands that an administrator types.
fn commands(namespace: &str, rights: &[Right]) -> Vec<String> {
    let commands = rights.iter().enumerate().map(|(number, right)| {
        let group = if right.group.is_empty() { String::new() } else { format!(".{}", right.group) };
        let (resource, sub) = right.resource.split_once('/').unwrap_or((right.resource, ""));
        let sub = if sub.is_empty() { String::new() } else { format!("/{sub}") };
        let name = format!("kubectl-rca-caller-{}", number + 1);
        format!(
            "kubectl create role {name} --verb {} --resource {resource}{group}{sub} -n {namespace} && \
             kubectl create rolebinding {name} --role {name} --user USER -n {namespace}",
            right.verbs.join(",")
        )
    });
    commands.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lacks_only_the_account_is_told_of_the_one_that_an_administrator_makes() {
        let failure = refusal("shop", &Lacking { for_account: to_make_an_account(), ..Lacking::default() });
        assert_eq!(failure.exit, Exit::Agent);
        assert!(failure.message.contains("create roles.rbac.authorization.k8s.io"), "{failure}");
        assert!(failure.hints[0].contains("kubectl rca rbac --in-cluster -n shop"), "{:?}", failure.hints);
        assert!(failure.hints[1].contains("--service-account kubectl-rca-agent"), "{:?}", failure.hints);
    }

    #[test]
    fn who_may_make_no_job_is_told_the_rule_and_the_command() {
        let failure = refusal("shop", &Lacking { to_start: to_start(), ..Lacking::default() });
        let hints = failure.hints.join("\n");
        assert!(
            hints.contains(r#"{"apiGroups":["batch"],"resources":["jobs"],"verbs":["create","get","delete"]}"#),
            "{hints}"
        );
        assert!(hints.contains("--verb create,get,delete --resource jobs.batch -n shop"), "{hints}");
        assert!(hints.contains("--verb get --resource pods/log -n shop"), "{hints}");
    }
}
