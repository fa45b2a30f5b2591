//! Ten replicas with one fault are one finding with a count.

use std::collections::BTreeMap;

use crate::model::{Finding, Kind, Subject, finding::earliest};

/// Merges findings of one rule, subject and key. The clearest speaks for all.
pub(super) fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    let mut groups: BTreeMap<(&'static str, Subject, String), Vec<Finding>> = BTreeMap::new();
    for finding in findings {
        let key = (finding.rule.id, finding.subject.clone(), finding.key.clone());
        groups.entry(key).or_default().push(finding);
    }
    groups.into_values().filter_map(merge_group).collect()
}

fn merge_group(mut group: Vec<Finding>) -> Option<Finding> {
    group.sort_by(|a, b| {
        let clear = |finding: &Finding| (finding.state, finding.last_seen);
        let by_clarity = clear(b).cmp(&clear(a)).then(b.confidence.total_cmp(&a.confidence));
        by_clarity.then_with(|| (&a.affected, &a.message, &a.evidence).cmp(&(&b.affected, &b.message, &b.evidence)))
    });
    let siblings = group.len();
    let mut findings = group.into_iter();
    let mut merged = findings.next()?;
    for sibling in findings {
        merged.since = earliest(merged.since, sibling.since);
        merged.last_seen = merged.last_seen.max(sibling.last_seen);
        merged.severity = merged.severity.max(sibling.severity);
        merged.affected.extend(sibling.affected);
        merged.mentions.extend(sibling.mentions);
    }
    merged.affected.sort();
    merged.affected.dedup();
    merged.mentions.sort();
    merged.mentions.dedup();
    let pods = merged.affected.iter().filter(|object| object.is(Kind::Pod)).count();
    // A finding that speaks of several pods itself has said so.
    if siblings > 1 && pods > 1 {
        merged.message.push_str(&format!(", in {pods} pods"));
    }
    Some(merged)
}
