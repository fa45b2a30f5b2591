//! Incidents that are known and accepted: told as a number and with the reason, and not as trouble.

use jiff::Timestamp;

use super::Policy;
use crate::model::{Incident, ObjectRef, Snapshot};
use crate::scene::services::selector;

/// The annotation by which an object says what is to be ignored of it: `rule: reason`, one a line.
pub const ANNOTATION: &str = "kubectl-rca/ignore";

/// Something that is known and accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignore {
    /// Id of the rule of the cause; `*` stands for any text.
    pub rule: String,
    /// The object of the cause as `kind/name` or `kind/namespace/name`; `*` stands for any text. All if there is none.
    pub object: Option<String>,
    /// The labels of the object, as kubectl's `-l` takes them.
    pub selector: Option<String>,
    pub namespace: Option<String>,
    pub reason: String,
    /// The moment from which it is trouble again.
    pub until: Option<Timestamp>,
}

/// An incident that is ignored, and by what.
#[derive(Clone, Debug)]
pub struct Ignored {
    pub incident: Incident,
    pub reason: String,
    pub until: Option<Timestamp>,
    /// `config` or `annotation`.
    pub by: &'static str,
}

impl Ignore {
    /// Returns whether it is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// Returns it in a few words: `oom-killed of deployment/cart`.
    pub fn words(&self) -> String {
        let of = self.object.as_ref().or(self.selector.as_ref());
        format!("{}{}", self.rule, of.map(|of| format!(" of {of}")).unwrap_or_default())
    }

    fn meets(&self, snapshot: &Snapshot, incident: &Incident) -> bool {
        let object = &incident.cause.subject.object;
        let in_namespace = self.namespace.as_ref().is_none_or(|pattern| is_like(pattern, object.namespace()));
        is_like(&self.rule, incident.cause.rule.id)
            && in_namespace
            && self.object.as_ref().is_none_or(|pattern| names(pattern, object))
            && self.selector.as_ref().is_none_or(|text| selects(text, snapshot, object))
    }
}

/// Parts the incidents into those that are trouble and those that are ignored.
pub(super) fn part(policy: &Policy, snapshot: &Snapshot, incidents: Vec<Incident>) -> (Vec<Incident>, Vec<Ignored>) {
    let (mut trouble, mut ignored) = (Vec::new(), Vec::new());
    for incident in incidents {
        match reason(policy, snapshot, &incident) {
            Some((reason, until, by)) => ignored.push(Ignored { incident, reason, until, by }),
            None => trouble.push(incident),
        }
    }
    (trouble, ignored)
}

fn reason(
    policy: &Policy,
    snapshot: &Snapshot,
    incident: &Incident,
) -> Option<(String, Option<Timestamp>, &'static str)> {
    let current = policy.ignores.iter().filter(|ignore| !ignore.is_expired(snapshot.taken_at));
    if let Some(ignore) = current.clone().find(|ignore| ignore.meets(snapshot, incident)) {
        return Some((ignore.reason.clone(), ignore.until, "config"));
    }
    let said = policy.allow_annotations.then(|| annotated(snapshot, incident)).flatten()?;
    Some((said, None, "annotation"))
}

/// Returns the reason that the object of the cause gives for its rule.
fn annotated(snapshot: &Snapshot, incident: &Incident) -> Option<String> {
    let meta = snapshot.objects.meta(&incident.cause.subject.object)?;
    let text = meta.annotations.as_ref()?.get(ANNOTATION)?;
    text.lines().find_map(|line| {
        let (rule, reason) = line.split_once(':')?;
        (rule.trim() == incident.cause.rule.id).then(|| reason.trim().to_owned())
    })
}

/// Returns whether a pattern such as `deployment/cart`, `deploy*/shop/*` or `cart` names the object.
fn names(pattern: &str, object: &ObjectRef) -> bool {
    let kind = object.kind.to_lowercase();
    match pattern.split('/').collect::<Vec<_>>().as_slice() {
        [name] => is_like(name, &object.name),
        [of, name] => is_like(&of.to_lowercase(), &kind) && is_like(name, &object.name),
        [of, namespace, name] => {
            is_like(&of.to_lowercase(), &kind) && is_like(namespace, object.namespace()) && is_like(name, &object.name)
        }
        _ => false,
    }
}

fn selects(text: &str, snapshot: &Snapshot, object: &ObjectRef) -> bool {
    let labels = || snapshot.objects.meta(object).map(|meta| meta.labels.as_ref());
    selector::parse(text).is_some_and(|selector| labels().is_some_and(|labels| selector::matches(&selector, labels)))
}

/// Returns whether a text is like a pattern in which `*` stands for any text.
fn is_like(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(tail) = text.strip_prefix(head) else { return false };
    (0..=tail.len()).filter(|at| tail.is_char_boundary(*at)).any(|at| is_like(rest, &tail[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text) in
            [("*", ""), ("*", "x"), ("oom-*", "oom-killed"), ("*-killed", "oom-killed"), ("a*c*e", "abcde")]
        {
            assert!(is_like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("oom-*", "boom-x"), ("a*c", "abcd"), ("", "x")] {
            assert!(!is_like(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn objects_are_named_with_or_without_their_namespace() {
        let object = ObjectRef::new(Kind::Deployment, "shop", "cart");
        for pattern in ["cart", "deployment/cart", "Deployment/cart", "deployment/shop/cart", "*/shop/*", "*/ca*"] {
            assert!(names(pattern, &object), "{pattern}");
        }
        for pattern in ["web", "pod/cart", "deployment/prod/cart", "a/b/c/d", ""] {
            assert!(!names(pattern, &object), "{pattern}");
        }
    }
}
