//! The program, run in surroundings of its own.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long a run may take before it is taken for one that hangs.
const PATIENCE: Duration = Duration::from_secs(90);

/// A home directory and nothing else: what the program is started in.
pub(crate) struct Place {
    folder: TempDir,
    kubeconfig: String,
    vars: Vec<(String, String)>,
}

impl Place {
    /// Makes surroundings without a cluster.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("no-kubeconfig").display().to_string();
        Self { folder, kubeconfig, vars: Vec::new() }
    }

    /// Makes surroundings whose `KUBECONFIG` has this text.
    pub(crate) fn with_kubeconfig(text: &str) -> Self {
        let mut place = Self::new();
        place.kubeconfig = place.write("kubeconfig", text).display().to_string();
        place
    }

    /// Makes surroundings in which the current context leads to this server.
    pub(crate) fn facing(server: &str) -> Self {
        Self::with_kubeconfig(&kubeconfig(server, "{token: t}", ""))
    }

    /// Sets `KUBECONFIG`.
    pub(crate) fn kubeconfig(mut self, value: &str) -> Self {
        value.clone_into(&mut self.kubeconfig);
        self
    }

    /// Sets an environment variable.
    pub(crate) fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, and the folders on the way to it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Returns the names of what lies in a folder here, sorted.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path().join(folder)).unwrap().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Prepares the program with a scrubbed environment.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-rca"));
        command.args(args).env_clear().current_dir(self.path());
        command.env("HOME", self.path()).env("KUBECONFIG", &self.kubeconfig).env("PATH", "/usr/bin:/bin");
        command.envs(self.vars.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Run {
        let started = Instant::now();
        let output = assert_cmd::Command::from_std(self.command(args)).timeout(PATIENCE).output().unwrap();
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("stdout is text"),
            stderr: String::from_utf8(output.stderr).expect("stderr is text"),
            took: started.elapsed(),
        }
    }

    /// Runs the program with the words of a command line.
    pub(crate) fn rca(&self, line: &str) -> Run {
        self.run(line.split_whitespace())
    }
}

/// Writes a kubeconfig with one context.
pub(crate) fn kubeconfig(server: &str, user: &str, cluster: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: fake\ncontexts:\n- name: fake\n  context: {{cluster: fake, user: fake}}\n\
         users:\n- name: fake\n  user: {user}\nclusters:\n- name: fake\n  cluster:\n    server: {server}\n{cluster}"
    )
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    /// None if it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Run {
    /// Checks that it ended well, and returns what it printed.
    #[track_caller]
    pub(crate) fn ok(&self) -> &str {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        &self.stdout
    }

    /// Checks that it ended well, and reads what it printed as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.ok()).expect("a JSON report")
    }

    /// Checks the shape of a failure: one line that says what is wrong, lines that say what to do, nothing else.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, message: &str) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert_eq!(self.stdout, "", "a failure prints no data");
        let mut lines = self.stderr.lines();
        let first = lines.next().unwrap_or_default();
        assert!(first.starts_with("error: "), "{:?}", self.stderr);
        assert!(first.contains(message), "{message:?} is not said by {first:?}");
        assert!(!first.trim_end().ends_with('.'), "{first:?} ends with a full stop");
        let hints: Vec<_> = lines.collect();
        assert!(!hints.is_empty(), "{first:?} gives no hint");
        assert!(hints.iter().all(|line| line.starts_with("hint: ")), "{:?}", self.stderr);
        let lower = self.stderr.to_lowercase();
        for word in ["panicked", "rust_backtrace", "unwrap", "src/", "error(", "\u{1b}"] {
            assert!(!lower.contains(word), "{:?} looks like the inside of the program", self.stderr);
        }
    }
}
