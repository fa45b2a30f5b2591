//! Admission webhooks of both kinds, as one list.

use k8s_openapi::api::admissionregistration::v1::{RuleWithOperations, WebhookClientConfig};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::model::store::HasMeta as _;
use crate::model::{Kind, ObjectRef};
use crate::scene::Scene;
use crate::scene::services::selector::{self, Labels};

/// One webhook of a configuration.
#[derive(Clone, Debug)]
pub struct Webhook<'s> {
    /// The configuration that holds it.
    pub object: ObjectRef,
    pub name: &'s str,
    pub client: &'s WebhookClientConfig,
    /// `Fail` or `Ignore`.
    pub failure_policy: &'s str,
    pub timeout_seconds: i32,
    pub mutating: bool,
    namespaces: Option<&'s LabelSelector>,
    objects: Option<&'s LabelSelector>,
    rules: &'s [RuleWithOperations],
}

impl Webhook<'_> {
    /// Returns whether it is asked about new pods of a namespace with these labels.
    pub fn sees_new_pods(&self, scene: &Scene<'_>, namespace: &str, labels: Option<&Labels>) -> bool {
        self.rules.iter().any(is_about_new_pods)
            && self.objects.is_none_or(|selector| selector::matches(selector, labels))
            && self
                .namespaces
                .is_none_or(|selector| selector::matches(selector, Some(&namespace_labels(scene, namespace))))
    }
}

fn is_about_new_pods(rule: &RuleWithOperations) -> bool {
    let any =
        |list: &Option<Vec<String>>, words: &[&str]| list.iter().flatten().any(|item| words.contains(&item.as_str()));
    any(&rule.api_groups, &["", "*"])
        && any(&rule.resources, &["pods", "*", "*/*"])
        && any(&rule.operations, &["CREATE", "*"])
}

/// Returns a namespace's labels, with the one that the API server always sets.
fn namespace_labels(scene: &Scene<'_>, namespace: &str) -> Labels {
    let found = scene.snapshot.objects.namespaces.get("", namespace);
    let mut labels = found.and_then(|found| found.metadata.labels.clone()).unwrap_or_default();
    labels.entry("kubernetes.io/metadata.name".to_owned()).or_insert_with(|| namespace.to_owned());
    labels
}

/// Returns all webhooks in order of their configurations.
pub fn all<'s>(scene: &'s Scene<'_>) -> Vec<Webhook<'s>> {
    let objects = &scene.snapshot.objects;
    let mut webhooks = Vec::new();
    for configuration in &objects.mutating_webhooks {
        let object = ObjectRef::new(Kind::MutatingWebhookConfiguration, "", configuration.object.name());
        webhooks.extend(configuration.webhooks.iter().flatten().map(|webhook| Webhook {
            object: object.clone(),
            name: &webhook.name,
            client: &webhook.client_config,
            failure_policy: webhook.failure_policy.as_deref().unwrap_or("Fail"),
            timeout_seconds: webhook.timeout_seconds.unwrap_or(10),
            mutating: true,
            namespaces: webhook.namespace_selector.as_ref(),
            objects: webhook.object_selector.as_ref(),
            rules: webhook.rules.as_deref().unwrap_or_default(),
        }));
    }
    for configuration in &objects.validating_webhooks {
        let object = ObjectRef::new(Kind::ValidatingWebhookConfiguration, "", configuration.object.name());
        webhooks.extend(configuration.webhooks.iter().flatten().map(|webhook| Webhook {
            object: object.clone(),
            name: &webhook.name,
            client: &webhook.client_config,
            failure_policy: webhook.failure_policy.as_deref().unwrap_or("Fail"),
            timeout_seconds: webhook.timeout_seconds.unwrap_or(10),
            mutating: false,
            namespaces: webhook.namespace_selector.as_ref(),
            objects: webhook.object_selector.as_ref(),
            rules: webhook.rules.as_deref().unwrap_or_default(),
        }));
    }
    webhooks
}
