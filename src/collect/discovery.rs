//! What types a server has, so that any word of kubectl's is understood: plurals, singulars, short names, groups.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client::{ApiClient, JSON, RequestError};
use crate::model::{CustomType, Kind, Type};

/// All types of a server in one answer; servers before 1.26 do not know it and give the old one.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
/// Names and labels are enough to choose from.
const NAMES: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const PAGE: usize = 500;

/// A type that a server has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    pub group: String,
    pub version: String,
    pub kind: String,
    pub plural: String,
    #[serde(default)]
    pub singular: String,
    #[serde(default)]
    pub short_names: Vec<String>,
    pub namespaced: bool,
}

impl Resource {
    /// Returns the type, as one of the table if it is there.
    pub fn of_type(&self) -> Type {
        let api_version =
            if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) };
        let (kind, plural) = (self.kind.clone(), self.plural.clone());
        Type::new(CustomType { api_version, kind, plural, namespaced: self.namespaced })
    }

    fn is_called(&self, word: &str) -> bool {
        let same = |name: &str| name.eq_ignore_ascii_case(word);
        same(&self.plural) || same(&self.singular) || same(&self.kind) || self.short_names.iter().any(|name| same(name))
    }
}

/// Reads all types that can be read, in the server's order.
///
/// # Errors
/// When the server does not say.
pub async fn read(client: &ApiClient) -> Result<Vec<Resource>, RequestError> {
    let (core, groups) =
        tokio::join!(client.get_bytes("/api", &[], AGGREGATED), client.get_bytes("/apis", &[], AGGREGATED));
    let mut found = Vec::new();
    for bytes in [core?, groups?] {
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if answer["items"].is_array() {
            found.extend(aggregated(&answer));
        } else {
            found.extend(one_by_one(client, &answer).await);
        }
    }
    Ok(found)
}

/// Finds the type of a word such as `deploy`, `deployments.apps` or `deployments.v1.apps`, as kubectl does.
pub fn find<'r>(resources: &'r [Resource], word: &str) -> Option<&'r Resource> {
    let (plain, rest) = word.split_once('.').unwrap_or((word, ""));
    let mut called = resources.iter().filter(|resource| resource.is_called(plain));
    if rest.is_empty() {
        return called.next();
    }
    let called: Vec<&Resource> = called.collect();
    let exact = |resource: &&&Resource| {
        let versioned = format!("{}.{}", resource.version, resource.group);
        resource.group.eq_ignore_ascii_case(rest) || versioned.trim_end_matches('.').eq_ignore_ascii_case(rest)
    };
    // A beginning of the group suffices where no group is called exactly so.
    let begins = |resource: &&&Resource| resource.group.starts_with(&rest.to_lowercase());
    called.iter().find(exact).or_else(|| called.iter().find(begins)).copied()
}

/// The address of an object, with its labels left out: namespace and name.
pub type Place = (String, String);

/// Lists the addresses of the objects of a type, in the server's order.
///
/// # Errors
/// When the server refuses, also a selector that makes no sense.
pub async fn places(
    client: &ApiClient,
    of: &Type,
    namespace: Option<&str>,
    selector: Option<&str>,
) -> Result<Vec<Place>, RequestError> {
    let query: Vec<(&str, &str)> = selector.map(|selector| ("labelSelector", selector)).into_iter().collect();
    let mut pages = client.list_pages(&of.path(namespace), &query, NAMES, PAGE);
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        for item in page?.items()? {
            let object: Value = serde_json::from_str(item.get()).unwrap_or_default();
            let word = |key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
            found.push((word("namespace"), word("name")));
        }
    }
    Ok(found)
}

/// Reads a discovery of all groups: the first version is the preferred one.
fn aggregated(answer: &Value) -> Vec<Resource> {
    let mut found: Vec<Resource> = Vec::new();
    for group in list(answer, "items") {
        let name = text(&group["metadata"], "name");
        for version in list(group, "versions") {
            let resources = list(version, "resources").iter().map(|resource| Resource {
                group: name.clone(),
                version: text(version, "version"),
                kind: text(&resource["responseKind"], "kind"),
                plural: text(resource, "resource"),
                singular: text(resource, "singularResource"),
                short_names: words(resource, "shortNames"),
                namespaced: resource["scope"] == "Namespaced",
            });
            found.extend(resources);
        }
    }
    found
}

/// Asks for each group by itself, as servers before aggregated discovery want it; a group that fails is left out.
async fn one_by_one(client: &ApiClient, answer: &Value) -> Vec<Resource> {
    let core = words(answer, "versions").into_iter().map(|version| (String::new(), version));
    let preferred =
        list(answer, "groups").iter().map(|group| (text(group, "name"), text(&group["preferredVersion"], "version")));
    let asked = core.chain(preferred).map(|(group, version)| async move {
        let path = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
        let bytes = client.get_bytes(&path, &[], JSON).await.unwrap_or_default();
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        of_group(&answer, &group, &version)
    });
    futures::future::join_all(asked).await.concat()
}

fn of_group(answer: &Value, group: &str, version: &str) -> Vec<Resource> {
    let whole = list(answer, "resources").iter().filter(|resource| !text(resource, "name").contains('/'));
    let resources = whole.map(|resource| Resource {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: text(resource, "kind"),
        plural: text(resource, "name"),
        singular: text(resource, "singularName"),
        short_names: words(resource, "shortNames"),
        namespaced: resource["namespaced"] == true,
    });
    resources.collect()
}

/// Returns the types that every server has, with kubectl's words for them; for recordings, and while no server answers.
pub fn built_in() -> Vec<Resource> {
    let of_kind = |kind: &Kind| Resource {
        group: kind.group().to_owned(),
        version: kind.version().to_owned(),
        kind: kind.name().to_owned(),
        plural: kind.plural().to_owned(),
        singular: kind.name().to_lowercase(),
        short_names: short_names(*kind).iter().map(|name| (*name).to_owned()).collect(),
        namespaced: kind.namespaced(),
    };
    Kind::ALL.iter().map(of_kind).collect()
}

fn short_names(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Pod => &["po"],
        Kind::Event => &["ev"],
        Kind::Service => &["svc"],
        Kind::ConfigMap => &["cm"],
        Kind::ServiceAccount => &["sa"],
        Kind::PersistentVolumeClaim => &["pvc"],
        Kind::ResourceQuota => &["quota"],
        Kind::LimitRange => &["limits"],
        Kind::ReplicationController => &["rc"],
        Kind::Endpoints => &["ep"],
        Kind::Deployment => &["deploy"],
        Kind::ReplicaSet => &["rs"],
        Kind::StatefulSet => &["sts"],
        Kind::DaemonSet => &["ds"],
        Kind::CronJob => &["cj"],
        Kind::HorizontalPodAutoscaler => &["hpa"],
        Kind::PodDisruptionBudget => &["pdb"],
        Kind::Ingress => &["ing"],
        Kind::NetworkPolicy => &["netpol"],
        Kind::Node => &["no"],
        Kind::Namespace => &["ns"],
        Kind::PersistentVolume => &["pv"],
        Kind::StorageClass => &["sc"],
        Kind::PriorityClass => &["pc"],
        _ => &[],
    }
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn words(value: &Value, key: &str) -> Vec<String> {
    list(value, key).iter().filter_map(|word| word.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(word: &str) -> Option<String> {
        let widget = |version: &str, group: &str| {
            json!({"metadata": {"name": group}, "versions": [{"version": version, "resources": [
                {"resource": "widgets", "responseKind": {"kind": "Widget"}, "scope": "Namespaced", "singularResource": "widget", "shortNames": ["wd"]}]}]})
        };
        let mut all = built_in();
        all.extend(aggregated(&json!({"items": [widget("v1", "example.com"), widget("v2", "example.org")]})));
        find(&all, word).map(|resource| resource.of_type().resource())
    }

    #[test]
    fn types_are_found_by_all_words_of_kubectl() {
        for word in
            ["widget", "widgets", "Widget", "wd", "widgets.example.com", "widgets.v1.example.com", "wd.example.com"]
        {
            assert_eq!(found(word).as_deref(), Some("widgets.example.com"), "{word}");
        }
        for word in ["widgets.example.org", "widgets.v2.example.org", "widgets.example.o"] {
            assert_eq!(found(word).as_deref(), Some("widgets.example.org"), "{word}");
        }
        for word in ["pods", "po", "pods.v1", "Pod"] {
            assert_eq!(found(word).as_deref(), Some("pods"), "{word}");
        }
        for word in ["gadgets", "widgets.example.net", "", "widgets.v3.example.com", "pods.v2"] {
            assert_eq!(found(word), None, "{word}");
        }
    }

    #[test]
    fn the_old_discovery_leaves_out_subresources() {
        let answer = json!({"resources": [
            {"name": "pods", "kind": "Pod", "namespaced": true, "singularName": "pod", "shortNames": ["po"]},
            {"name": "pods/log", "kind": "Pod", "namespaced": true}]});
        let names: Vec<String> = of_group(&answer, "", "v1").into_iter().map(|resource| resource.plural).collect();
        assert_eq!(names, ["pods"]);
    }
}
