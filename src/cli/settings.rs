//! What config.toml decides about answers: ignores, severities, annotations; for all contexts, and for one.

use jiff::Timestamp;
use jiff::civil::Date;
use toml_edit::{Item, TableLike};

use super::config::Config;
use super::ui::Ui;
use crate::model::Severity;
use crate::policy::{Ignore, Policy};
use crate::rules;
use crate::scene::services::selector;

/// Adds to a policy what the configuration says for a context, and warns of what makes no sense or is over.
pub(super) fn apply(config: &Config, context: Option<&str>, now: Timestamp, policy: &mut Policy, ui: &mut Ui) {
    let mut troubles = Vec::new();
    for layer in config.layers(context) {
        if let Some(severities) = layer.get("severity").and_then(Item::as_table_like) {
            for (rule, value) in severities.iter() {
                match severity(rule, value) {
                    Ok(severity) => _ = policy.severities.insert(rule.to_owned(), severity),
                    Err(trouble) => troubles.push(trouble),
                }
            }
        }
        for entry in entries(layer.get("ignore")) {
            match ignore(entry) {
                Ok(ignore) => policy.ignores.push(ignore),
                Err(trouble) => troubles.push(trouble),
            }
        }
        if let Some(allow) = layer.get("allow-annotations").and_then(Item::as_bool) {
            policy.allow_annotations = allow;
        }
    }
    for trouble in troubles {
        ui.warning(&format!("{}: {trouble}", config.place()));
    }
    for expired in policy.ignores.iter().filter(|ignore| ignore.is_expired(now)) {
        let until = expired.until.map(|until| until.to_string()).unwrap_or_default();
        let day = until.split('T').next().unwrap_or_default();
        ui.warning(&format!(
            "{}: the ignore of {} ended on {day}: it is trouble again",
            config.place(),
            expired.words()
        ));
    }
}

fn severity(rule: &str, value: &Item) -> Result<Severity, String> {
    check_rule(rule).map_err(|trouble| format!("`severity`: {trouble}"))?;
    let word = value.as_str().unwrap_or_default();
    <Severity as clap::ValueEnum>::from_str(word, true)
        .map_err(|_| format!("`severity`: `{rule}` is to be info, warning, error or critical"))
}

/// Reads `[[ignore]]` tables, or an array of inline ones.
fn entries(item: Option<&Item>) -> Vec<&dyn TableLike> {
    match item {
        Some(Item::ArrayOfTables(tables)) => tables.iter().map(|table| table as &dyn TableLike).collect(),
        Some(item) => {
            let values = item.as_array().into_iter().flatten();
            values.filter_map(|value| Some(value.as_inline_table()? as &dyn TableLike)).collect()
        }
        None => Vec::new(),
    }
}

fn ignore(entry: &dyn TableLike) -> Result<Ignore, String> {
    const KEYS: [&str; 6] = ["rule", "object", "selector", "namespace", "reason", "until"];
    let trouble = |why: &str| format!("`ignore`: {why}");
    if let Some((key, _)) = entry.iter().find(|(key, _)| !KEYS.contains(key)) {
        return Err(trouble(&format!("there is no `{key}`")));
    }
    let text = |key: &str| entry.get(key).and_then(Item::as_str).map(str::to_owned);
    let rule = text("rule").ok_or_else(|| trouble("one has no `rule`; `*` stands for all"))?;
    check_rule(&rule).map_err(|why| trouble(&why))?;
    let reason = text("reason").filter(|reason| !reason.is_empty());
    let reason = reason.ok_or_else(|| trouble(&format!("the one of {rule} has no `reason`")))?;
    let selector = text("selector");
    if let Some(text) = selector.as_ref().filter(|text| selector::parse(text).is_none()) {
        return Err(trouble(&format!("`{text}` is no selector")));
    }
    let until =
        entry.get("until").map(|item| moment(item).ok_or_else(|| trouble("`until` is to be a day: 2026-12-31")));
    Ok(Ignore {
        rule,
        object: text("object"),
        selector,
        namespace: text("namespace"),
        reason,
        until: until.transpose()?,
    })
}

/// Reads a day or a time; a day begins at midnight of UTC.
fn moment(item: &Item) -> Option<Timestamp> {
    let text = match (item.as_str(), item.as_datetime()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(time)) => time.to_string(),
        (None, None) => return None,
    };
    let midnight = |day: Date| day.at(0, 0, 0, 0).in_tz("UTC").ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(|| text.parse::<Date>().ok().and_then(midnight))
}

fn check_rule(id: &str) -> Result<(), String> {
    if id.contains('*') || rules::find(id).is_some() { Ok(()) } else { Err(format!("there is no rule `{id}`")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Policy {
        let mut policy = Policy::default();
        let config = Config::of(text);
        apply(&config, Some("prod"), "2026-06-01T00:00:00Z".parse().unwrap(), &mut policy, &mut Ui::new(0));
        policy
    }

    #[test]
    fn a_context_adds_to_what_holds_for_all() {
        let policy = policy(
            "allow-annotations = true\n[severity]\noom-killed = 'critical'\n[[ignore]]\nrule = 'oom-*'\nreason = 'known'\n\
             [contexts.prod]\nallow-annotations = false\nignore = [{rule = '*', object = 'pod/x', reason = 'r', until = 2026-07-01}]\n\
             [contexts.dev.severity]\noom-killed = 'info'\n",
        );
        assert_eq!(policy.severities["oom-killed"], Severity::Critical);
        assert_eq!(policy.ignores.len(), 2);
        assert_eq!(policy.ignores[1].until, Some("2026-07-01T00:00:00Z".parse().unwrap()));
        assert!(!policy.allow_annotations);
    }

    #[test]
    fn what_makes_no_sense_ignores_nothing() {
        for entry in [
            "reason = 'r'",
            "rule = 'oom-killed'",
            "rule = 'nonsense'\nreason = 'r'",
            "rule = '*'\nreason = 'r'\nselector = 'a b'",
            "rule = '*'\nreason = 'r'\nuntil = 'soon'",
            "rule = '*'\nreason = 'r'\nobjekt = 'x'",
        ] {
            assert!(policy(&format!("[[ignore]]\n{entry}\n")).ignores.is_empty(), "{entry}");
        }
        assert!(policy("severity = {oom-killed = 'awful', nonsense = 'info'}").severities.is_empty());
    }
}
