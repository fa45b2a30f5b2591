//! Keeps what a model answered, so that the same question costs no call.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use super::prompt::Prompt;

/// How many answers are kept; the oldest go.
const MOST: usize = 256;
/// An answer larger than this is not kept.
const MOST_BYTES: usize = 32 << 10;

/// A folder of answers. A disk that is full or read-only costs a call more, nothing else.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Uses a folder, which need not exist yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Returns the answer that this model gave to this prompt.
    pub fn get(&self, model: &str, prompt: &Prompt) -> Option<String> {
        fs::read_to_string(self.path(model, prompt)).ok().filter(|answer| answer.len() <= MOST_BYTES)
    }

    /// Keeps an answer.
    pub fn put(&self, model: &str, prompt: &Prompt, answer: &str) {
        if answer.len() > MOST_BYTES || fs::create_dir_all(&self.folder).is_err() {
            return;
        }
        let path = self.path(model, prompt);
        // Written aside, so that two runs at once read whole answers only.
        let aside = path.with_extension(std::process::id().to_string());
        if write_privately(&aside, answer).and_then(|()| fs::rename(&aside, &path)).is_err() {
            _ = fs::remove_file(&aside);
        }
        self.shrink();
    }

    fn path(&self, model: &str, prompt: &Prompt) -> PathBuf {
        let mut hash = Sha256::new();
        let said = prompt.messages().map(|(_, text)| text);
        for part in said.into_iter().chain([model, prompt.schema.as_str()]) {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let name: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(name)
    }

    fn shrink(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let age = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        let mut kept: Vec<_> = entries.flatten().map(|entry| (age(&entry.path()), entry.path())).collect();
        kept.sort();
        for (_, path) in kept.iter().rev().skip(MOST) {
            _ = fs::remove_file(path);
        }
    }
}

/// What a model says about a cluster is for its owner's eyes.
fn write_privately(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(user: &str) -> Prompt {
        Prompt { system: "s", example: String::new(), user: user.to_owned(), schema: String::new() }
    }

    #[test]
    fn answers_are_kept_by_model_and_question() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("deep/words"));
        assert_eq!(cache.get("m", &prompt("a")), None);
        cache.put("m", &prompt("a"), "answer");
        assert_eq!(cache.get("m", &prompt("a")).as_deref(), Some("answer"));
        assert_eq!(cache.get("n", &prompt("a")), None);
        assert_eq!(cache.get("m", &prompt("b")), None);
    }

    #[test]
    fn the_cache_does_not_grow_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        (0..MOST + 20).for_each(|index| cache.put("m", &prompt(&index.to_string()), "x"));
        cache.put("m", &prompt("large"), &"x".repeat(MOST_BYTES + 1));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), MOST);
        assert_eq!(cache.get("m", &prompt("large")), None);
    }
}
