//! The English that sentences about incidents are made of: what may be left out, what means the same, what must not be lost.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

/// Says which word it is, whatever its ending: `crashes`, `crashed` and `crashing` are one.
pub(super) fn stem(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    if let Some((_, canonical)) = IRREGULAR.iter().find(|(form, _)| *form == lower) {
        return (*canonical).to_owned();
    }
    let stem = unended(&lower);
    let known = SYNONYMS.iter().find(|(_, words)| words.contains(&stem.as_str()));
    known.map_or(stem, |(canonical, _)| (*canonical).to_owned())
}

fn unended(word: &str) -> String {
    let stem = ["ies", "ied"].iter().find_map(|ending| word.strip_suffix(ending).filter(|stem| stem.len() > 2));
    if let Some(stem) = stem {
        return format!("{stem}y");
    }
    let endings = ["ing", "ed", "es", "s", "e"];
    let cut = endings.iter().find_map(|ending| word.strip_suffix(ending).filter(|stem| stem.len() > 2));
    let stem = cut.unwrap_or(word);
    let doubled = stem.as_bytes().iter().rev().take(2).collect::<Vec<_>>();
    let is_doubled = doubled.len() == 2 && doubled[0] == doubled[1] && !matches!(doubled[0], b's' | b'l');
    let stem = if is_doubled && cut.is_some() { &stem[..stem.len() - 1] } else { stem };
    stem.strip_suffix('e').filter(|stem| stem.len() > 2).unwrap_or(stem).to_owned()
}

#[rustfmt::skip]
const IRREGULAR: &[(&str, &str)] = &[
    ("ran", "run"), ("running", "run"), ("lost", "los"), ("kept", "keep"), ("met", "meet"), ("held", "hold"),
    ("found", "find"), ("died", "end"), ("dies", "end"), ("oomkilled", "oom"), ("oomkill", "oom"), ("oom-killed", "oom"),
    ("took", "tak"), ("began", "begin"), ("wrote", "writ"), ("went", "go"), ("goes", "go"), ("gone", "gone"),
    ("chose", "choos"), ("spent", "spend"), ("left", "left"), ("exists", "exist"), ("status", "status"),
    ("less", "less"), ("unless", "unless"), ("process", "process"), ("address", "address"), ("access", "access"),
    ("ingress", "ingress"), ("egress", "egress"), ("dns", "dns"), ("tls", "tls"), ("always", "always"), ("https", "https"),
];

/// What means the same, by stems.
#[rustfmt::skip]
const SYNONYMS: &[(&str, &[&str])] = &[
    ("end", &["exit", "terminat", "quit", "stop"]),
    ("crash", &["crashloop", "crashloopbackoff"]),
    ("need", &["requir", "want"]),
    ("reach", &["contact", "connect", "access"]),
    ("rais", &["increas", "bump", "rise"]),
    ("lower", &["decreas", "reduc"]),
    ("creat", &["mak"]),
    ("chang", &["edit", "modify", "adjust", "alter"]),
    ("remov", &["delet", "drop"]),
    ("configmap", &["config-map"]),
    ("again", &["repeated", "repeatedly"]),
    ("ask", &["look"]),
];

/// Words that carry no claim.
#[rustfmt::skip]
const EMPTY: &[&str] = &[
    "a", "an", "the", "is", "are", "was", "were", "be", "been", "being", "am", "has", "have", "had", "having", "do", "does",
    "did", "of", "in", "on", "at", "to", "for", "with", "by", "from", "into", "onto", "under", "within", "inside", "via",
    "this", "that", "these", "those", "it", "its", "they", "their", "them", "which", "who", "whose", "there", "here", "and",
    "we", "i", "our", "than",
];

/// Words of somebody who tells, which claim nothing about the cluster; not heard in a sentence of a model.
#[rustfmt::skip]
const FRAME: &[&str] = &[
    "evidenc", "show", "indicat", "confirm", "report", "accord", "observ", "see", "seen", "incident", "problem", "issu",
    "also", "additional", "additionally", "moreover", "furthermor", "meanwhil", "specifically", "namely", "current",
    "currently", "now", "detect", "mention", "state", "stat",
];

/// Words of somebody who advises: a sentence with one of them has to be a recommendation.
#[rustfmt::skip]
const ADVISING: &[&str] = &[
    "should", "must", "ought", "shall", "pleas", "recommend", "recommendation", "suggest", "suggestion", "advis", "advic",
    "consider", "try", "let", "you", "your", "fix", "solv", "resolv", "solution", "remedy", "action", "step", "first", "can",
    "next", "then", "ensur", "simply", "best", "way", "will", "would", "engineer",
];

/// Words that start a command in plain English.
#[rustfmt::skip]
const IMPERATIVES: &[&str] = &[
    "add", "allow", "apply", "ask", "chang", "check", "clean", "clear", "configur", "correct", "cordon", "creat", "delet",
    "deploy", "disabl", "drain", "edit", "enabl", "execut", "expand", "giv", "grant", "ignor", "install", "kill", "let",
    "look", "lower", "mov", "patch", "point", "pull", "push", "put", "rais", "reboot", "refer", "remov", "replac", "restart",
    "restor", "rollback", "roll", "run", "scal", "set", "start", "switch", "turn", "undo", "uninstall", "updat", "upgrad",
    "us", "verify", "wait", "open", "send", "writ", "call", "go", "mak", "revert", "renam", "free", "releas", "renew",
];

/// What turns a claim into another when it is lost: doubt, conditions, comparisons, and wishes.
#[rustfmt::skip]
const BINDING: &[&str] = &[
    "may", "might", "could", "perhap", "probably", "possibly", "seem", "likely", "would", "should", "if", "unless", "until",
    "till", "when", "whil", "only", "almost", "nearly", "mor", "less", "least", "most", "fewer", "abov", "below", "about", "up",
    "over", "half", "need", "ask", "request", "expect", "refus", "reject", "deny", "fail", "lack", "wait", "forbid", "block",
    "prevent", "los", "or", "before", "after", "without", "instead", "plac", "wrong", "invalid", "unknown", "past", "ago",
    "used", "no", "not", "never", "other", "too", "miss", "few", "some", "any",
];

pub(super) fn is_empty(word: &str) -> bool {
    EMPTY.iter().any(|empty| word.eq_ignore_ascii_case(empty))
}

pub(super) fn is_frame(stem: &str) -> bool {
    FRAME.contains(&stem)
}

pub(super) fn is_advising(stem: &str) -> bool {
    ADVISING.contains(&stem)
}

pub(super) fn is_imperative(stem: &str) -> bool {
    IMPERATIVES.contains(&stem)
}

/// Returns whether a claim without this word is another claim.
pub(super) fn binds(stem: &str) -> bool {
    BINDING.contains(&stem)
}

/// A word that denies, or joins cause and effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Not,
    /// The cause follows.
    Because,
    /// The effect follows.
    Therefore,
}

/// Reads a word as a mark.
pub(super) fn mark(word: &str) -> Option<Mark> {
    let lower = word.to_ascii_lowercase();
    let lower = lower.as_str();
    if lower.ends_with("n't") || lower.ends_with("n’t") || DENYING.contains(&lower) {
        return Some(Mark::Not);
    }
    if ["because", "since", "as", "due", "owing", "thanks"].contains(&lower) {
        return Some(Mark::Because);
    }
    let is_therefore = THEREFORE.contains(&lower);
    is_therefore.then_some(Mark::Therefore)
}

#[rustfmt::skip]
const DENYING: &[&str] = &[
    "not", "no", "never", "none", "nothing", "neither", "nor", "without", "cannot", "unable", "lacks", "lack", "lacking",
    "missing", "absent", "unset", "hardly", "barely", "nobody", "nowhere", "false", "untrue",
];

#[rustfmt::skip]
const THEREFORE: &[&str] = &[
    "so", "therefore", "thus", "hence", "consequently", "causes", "cause", "causing", "caused", "leads", "leading", "led",
    "results", "resulting", "resulted", "result", "triggers", "triggered", "triggering", "makes", "making", "why", "explains",
    "explain", "explained", "explaining", "means", "prevents", "preventing", "breaks", "breaking",
];

/// What an object's kind may be called.
#[rustfmt::skip]
pub(super) const KINDS: &[&str] = &[
    "pod", "service", "deployment", "statefulset", "daemonset", "replicaset", "job", "cronjob", "configmap", "secret",
    "serviceaccount", "persistentvolumeclaim", "persistentvolume", "storageclass", "ingress", "ingressclass", "networkpolicy",
    "node", "namespace", "resourcequota", "limitrange", "horizontalpodautoscaler", "poddisruptionbudget", "role",
    "rolebinding", "clusterrole", "clusterrolebinding", "endpoints", "endpointslice", "lease", "priorityclass", "container",
    "validatingwebhookconfiguration", "mutatingwebhookconfiguration", "replicationcontroller", "event",
];

/// Returns the kind that a word names: `Deployments` is `deployment`.
pub(super) fn kind(word: &str) -> Option<&'static str> {
    let lower = word.to_ascii_lowercase();
    let singular = [lower.as_str(), lower.strip_suffix('s').unwrap_or(""), lower.strip_suffix("es").unwrap_or("")];
    KINDS.iter().find(|kind| singular.contains(*kind)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_do_not_matter() {
        for words in [
            &["crash", "crashes", "crashed", "crashing"][..],
            &["restart", "restarts", "restarted", "restarting"],
            &["exit", "exits", "ended", "ends", "terminated"],
            &["refuse", "refuses", "refused", "refusing"],
            &["carry", "carries", "carried"],
            &["raise", "raised", "increase", "increasing"],
            &["set", "setting", "sets"],
            &["ran", "runs", "running"],
            &["limit", "limits", "limited"],
        ] {
            assert!(words.iter().all(|word| stem(word) == stem(words[0])), "{words:?}");
        }
        assert_ne!(stem("limit"), stem("request"));
    }

    #[test]
    fn lists_hold_stems() {
        for list in [FRAME, ADVISING, IMPERATIVES, BINDING] {
            for word in list {
                assert!(!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
            }
        }
    }
}
