//! What the scheduler says about a pod that it cannot place, taken apart.

/// What keeps a pod from a node. The order is that in which they are believed when nothing but words is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Obstacle {
    /// A claim is missing or not bound.
    Claim,
    /// A resource claim is missing or not allocated.
    ResourceClaim,
    /// The volume can be used elsewhere only.
    VolumeAffinity,
    Resources,
    HostPort,
    /// Pod (anti-)affinity and topology spread.
    PodAffinity,
    /// The node's labels.
    Selector,
    Taint,
    Cordon,
    /// The node is not ready, unreachable or under pressure, and Kubernetes tainted it.
    NodeFault,
    /// Something that is not known here.
    Other,
}

/// A reason with the number of nodes that it is true of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub count: usize,
    pub obstacle: Obstacle,
    /// The resource, the taint's key, or the reason itself.
    pub detail: String,
}

/// Takes apart a text such as `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {a: b}.`
pub fn reasons(text: &str) -> Vec<Reason> {
    let text = text.split("preemption:").next().unwrap_or_default();
    let total = text.split('/').nth(1).and_then(leading_number).unwrap_or(0);
    let list = text.split_once("nodes are available: ").map_or(text, |(_, list)| list);
    let parts = list.split(", ").map(|part| part.trim().trim_end_matches('.'));
    parts.filter(|part| !part.is_empty()).filter_map(|part| reason(part, total)).collect()
}

fn reason(part: &str, total: usize) -> Option<Reason> {
    let count = leading_number(part);
    let words = count.map_or(part, |_| part.trim_start_matches(|letter: char| letter.is_ascii_digit()).trim_start());
    if words.starts_with("that the pod didn't tolerate") || words.starts_with("no new claims to deallocate") {
        return None;
    }
    let (obstacle, detail) = meaning(words);
    Some(Reason { count: count.unwrap_or(total), obstacle, detail: detail.to_owned() })
}

fn leading_number(text: &str) -> Option<usize> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text[..end].parse().ok()
}

fn meaning(words: &str) -> (Obstacle, &str) {
    if let Some(resource) = words.strip_prefix("Insufficient ") {
        return (Obstacle::Resources, resource.trim());
    }
    if words.contains("untolerated taint") || words.contains("had taint") {
        let key =
            words.split_once('{').map_or("", |(_, rest)| rest.split([':', '}']).next().unwrap_or_default().trim());
        return (taint(key), key);
    }
    let known: &[(&str, Obstacle, &str)] = &[
        ("Too many pods", Obstacle::Resources, "pods"),
        ("exceed max volume count", Obstacle::Resources, "attachable volumes"),
        ("esource claim", Obstacle::ResourceClaim, words),
        ("esourceclaim", Obstacle::ResourceClaim, words),
        ("cannot allocate all claims", Obstacle::ResourceClaim, words),
        ("volume node affinity conflict", Obstacle::VolumeAffinity, words),
        ("PersistentVolume's node affinity", Obstacle::VolumeAffinity, words),
        ("no available volume zone", Obstacle::VolumeAffinity, words),
        ("ersistent", Obstacle::Claim, words),
        ("storageclass", Obstacle::Claim, words),
        ("affinity rules", Obstacle::PodAffinity, words),
        ("pod affinity/anti-affinity", Obstacle::PodAffinity, words),
        ("topology spread", Obstacle::PodAffinity, words),
        ("node affinity", Obstacle::Selector, words),
        ("node selector", Obstacle::Selector, words),
        ("NodeAffinity", Obstacle::Selector, words),
        ("requested node name", Obstacle::Selector, words),
        ("free ports", Obstacle::HostPort, words),
        ("were unschedulable", Obstacle::Cordon, words),
        ("were not ready", Obstacle::NodeFault, words),
        ("were unreachable", Obstacle::NodeFault, words),
    ];
    let found = known.iter().find(|(phrase, ..)| words.contains(phrase));
    found.map_or((Obstacle::Other, words), |&(_, obstacle, detail)| (obstacle, detail))
}

/// Tells a taint that a person set from one that Kubernetes set, because the node is at fault or cordoned.
pub fn taint(key: &str) -> Obstacle {
    match key {
        "node.kubernetes.io/unschedulable" => Obstacle::Cordon,
        _ if key.starts_with("node.kubernetes.io/") || key.starts_with("node.cloudprovider.kubernetes.io/") => {
            Obstacle::NodeFault
        }
        _ => Obstacle::Taint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<(usize, Obstacle, String)> {
        reasons(text).into_iter().map(|reason| (reason.count, reason.obstacle, reason.detail)).collect()
    }

    #[test]
    fn counts_and_reasons_are_told_apart() {
        let text = "0/6 nodes are available: 1 Insufficient cpu, 2 Too many pods, 1 node(s) had untolerated taint {dedicated: batch}, 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, \
            1 node(s) were unschedulable. preemption: 0/6 nodes are available: 6 Insufficient memory.";
        let expected = [
            (1, Obstacle::Resources, "cpu"),
            (2, Obstacle::Resources, "pods"),
            (1, Obstacle::Taint, "dedicated"),
            (1, Obstacle::NodeFault, "node.kubernetes.io/unreachable"),
            (1, Obstacle::Cordon, "node(s) were unschedulable"),
        ];
        assert_eq!(parts(text), expected.map(|(count, obstacle, detail)| (count, obstacle, detail.to_owned())));
    }

    #[test]
    fn affinities_are_told_apart() {
        let obstacles = |text| parts(text).into_iter().map(|(_, obstacle, _)| obstacle).collect::<Vec<_>>();
        assert_eq!(
            obstacles("0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."),
            [Obstacle::Selector]
        );
        assert_eq!(
            obstacles(
                "0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules. no new claims to deallocate, "
            ),
            [Obstacle::PodAffinity]
        );
        assert_eq!(
            obstacles(
                "0/2 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity, 1 node(s) had volume node affinity conflict."
            ),
            [Obstacle::VolumeAffinity; 2]
        );
        assert_eq!(
            obstacles("0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"),
            [Obstacle::Claim]
        );
        assert_eq!(obstacles("persistentvolumeclaim \"data\" not found"), [Obstacle::Claim]);
        assert_eq!(obstacles("0/2 nodes are available: 2 cannot allocate all claims."), [Obstacle::ResourceClaim]);
        assert_eq!(
            obstacles("0/1 nodes are available: 1 node(s) had taint {a: b}, that the pod didn't tolerate."),
            [Obstacle::Taint]
        );
    }

    #[test]
    fn any_text_is_taken_apart_without_panic() {
        for text in ["", "0/", "/", "1", "0/3 nodes are available: ", "é/é, é", "preemption:"] {
            let _ = reasons(text);
        }
    }
}
