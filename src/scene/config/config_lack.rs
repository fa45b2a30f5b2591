//! Keys that a program misses in a file that comes from a ConfigMap, as its log tells.

use jiff::Timestamp;

use crate::scene::ContainerView;
use crate::scene::config::mounted_config;
use crate::scene::pods::fresh;

/// A key that a mounted file does not contain.
#[derive(Clone, Debug)]
pub struct ConfigLack<'s> {
    pub container: ContainerView<'s>,
    /// The ConfigMap's name.
    pub map: &'s str,
    /// The entry of the ConfigMap that is the file.
    pub entry: &'s str,
    /// What the entry holds.
    pub content: &'s str,
    pub key: &'s str,
    /// The line of the log.
    pub line: &'s str,
    pub path: String,
    pub time: Option<Timestamp>,
}

/// Returns the key that a crashed container misses in a mounted file: its decisive line must name the file and a key
/// that the file does not contain.
pub fn of(container: ContainerView<'_>) -> Option<ConfigLack<'_>> {
    let crash = fresh::crash(container)?;
    let log = container.crash_log()?;
    let decisive = log.decisive?;
    let key = missing_key(decisive.line)?;
    let (map, entry, content) = mounted_config::config_maps(container).into_iter().find_map(|map| {
        let (_, (entry, content)) = map.files.iter().find(|(file, _)| names(decisive.line, base_name(file)))?;
        Some((map.name, *entry, *content))
    })?;
    if content.contains(key) {
        return None;
    }
    let path = fresh::log_path(container, log, decisive.number);
    Some(ConfigLack { container, map, entry, content, key, line: decisive.line, path, time: crash.finished_at })
}

/// Returns the key of a line such as `config.json: required key Address is missing` or `missing field "address"`.
fn missing_key(line: &str) -> Option<&str> {
    let lower = line.to_ascii_lowercase();
    let missing = ["missing", "required", "not set", "not found", "undefined", "no value", "does not contain"];
    if !missing.iter().any(|word| lower.contains(word)) {
        return None;
    }
    let nouns = ["key ", "field ", "property ", "setting ", "option ", "parameter ", "keyerror: "];
    let after = nouns.iter().filter_map(|noun| lower.find(noun).map(|at| at + noun.len())).min()?;
    let word = line.get(after..)?.trim_start_matches(['\'', '"', '`']);
    let end = word.find(|letter: char| !(letter.is_alphanumeric() || "_-.".contains(letter))).unwrap_or(word.len());
    let word = word[..end].trim_end_matches(['.', '-']);
    let stop = ["is", "not", "in", "of", "was", "missing", "required"];
    (word.len() >= 3 && !stop.contains(&word)).then_some(word)
}

/// Returns whether a line names a file, as a word of its own.
fn names(line: &str, file: &str) -> bool {
    line.match_indices(file).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + file.len()..].chars().next();
        !before.is_some_and(|letter| letter.is_alphanumeric() || "-_.".contains(letter))
            && !after.is_some_and(char::is_alphanumeric)
    })
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
