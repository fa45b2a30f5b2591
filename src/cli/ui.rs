//! Everything that is printed goes through here: stdout is data, stderr is the rest.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use crate::collect::live::sampling::Progress;
use crate::failure::{Exit, Failure};
use crate::model::{Gap, GapReason};
use crate::render::safe;
use crate::render::text::Look;

/// Columns where nobody says how many there are.
const WIDTH: usize = 100;

/// The terminal, or what stands in for it.
#[derive(Debug)]
pub(super) struct Ui {
    verbose: u8,
    /// Without colours, whatever the terminal can do.
    plain: bool,
    /// What was warned of before: once is enough.
    warned: BTreeSet<String>,
}

impl Ui {
    pub(super) fn new(verbose: u8) -> Self {
        Self { verbose, plain: false, warned: BTreeSet::new() }
    }

    /// Takes the colours away.
    pub(super) fn plain(self, plain: bool) -> Self {
        Self { plain: self.plain || plain, ..self }
    }

    /// Prints data; a closed pipe is success, as the reader had enough.
    pub(super) fn data(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(Exit::Unreachable, format!("cannot write to stdout: {error}"))
                    .hint("see whether the disk is full"))
            }
            _ => Ok(()),
        }
    }

    /// Warns on stderr, of each thing once.
    pub(super) fn warning(&mut self, text: &str) {
        if self.warned.insert(text.to_owned()) {
            self.line("warning", text);
        }
    }

    /// Returns whether a person can be asked: input and questions are on a terminal.
    pub(super) fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Empties the screen for what is printed next, if a person reads it.
    pub(super) fn clear(&mut self) {
        if self.is_watched() {
            let mut out = io::stdout().lock();
            _ = out.write_all(b"\x1b[H\x1b[2J\x1b[3J").and_then(|()| out.flush());
        }
    }

    /// Warns on stderr if not everything could be seen, and returns whether that is so. What the server does not have hides
    /// nothing.
    pub(super) fn partial_sight(&mut self, gaps: &[Gap]) -> bool {
        let hidden = gaps.iter().filter(|gap| gap.reason != GapReason::NotServed);
        let mut what: Vec<String> = hidden.map(|gap| format!("{} ({})", gap.what, gap.reason.as_str())).collect();
        what.sort();
        what.dedup();
        if !what.is_empty() {
            self.warning(&format!("partial sight, could not read {}", what.join(", ")));
        }
        !what.is_empty()
    }

    /// Tells on stderr what was done.
    pub(super) fn note(&mut self, text: &str) {
        // If stderr is closed there is nobody to tell.
        _ = writeln!(io::stderr(), "{}", safe::line(text));
    }

    /// Tells on stderr, with `-v` only.
    pub(super) fn verbose(&mut self, text: &str) {
        if self.verbose > 0 {
            self.line("info", text);
        }
    }

    /// Tells on stderr, with `-vv` only.
    pub(super) fn very_verbose(&mut self, text: &str) {
        if self.verbose > 1 {
            self.line("info", text);
        }
    }

    /// Returns whether a person reads stdout.
    pub(super) fn is_watched(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Asks on stderr; the answer is typed behind it.
    pub(super) fn ask(&mut self, question: &str) {
        let mut err = io::stderr().lock();
        _ = write!(err, "{}", safe::line(question)).and_then(|()| err.flush());
    }

    /// Shows that something is under way; only on a terminal.
    pub(super) fn spin(&mut self, text: &str, since: Duration) {
        const FRAMES: [&str; 8] = ["⠋", "⠙", "⠹", "⠼", "⠴", "⠦", "⠧", "⠏"];
        const PLAIN: [&str; 4] = ["-", "\\", "|", "/"];
        let frames: &[&str] = if unicode() { &FRAMES } else { &PLAIN };
        let step = usize::try_from(since.as_millis() / 120).unwrap_or_default();
        self.stand_in(&format!("{} {text}", frames[step % frames.len()]));
    }

    /// Shows how far something is, in bytes; only on a terminal.
    pub(super) fn fetched(&mut self, text: &str, done: u64, all: u64) {
        const WIDTH: u64 = 24;
        if all == 0 {
            return self.stand_in(text);
        }
        let filled = usize::try_from(done.min(all) * WIDTH / all).unwrap_or_default();
        let bar = format!("{}{}", "#".repeat(filled), ".".repeat(24 - filled));
        self.stand_in(&format!("{text} [{bar}] {} of {} MB", done / 1_000_000, all / 1_000_000));
    }

    /// Clears what moved.
    pub(super) fn still(&mut self) {
        self.stand_in("");
    }

    /// Writes over the line that the cursor is in.
    fn stand_in(&mut self, text: &str) {
        let mut err = io::stderr().lock();
        if err.is_terminal() {
            let text = safe::line(text);
            let text = safe::shorten(&text, width().saturating_sub(1));
            _ = write!(err, "\r\x1b[K{text}").and_then(|()| err.flush());
        }
    }

    /// Gives a next step on stderr.
    pub(super) fn hint(&mut self, text: &str) {
        self.line("hint", text);
    }

    /// Tells on stderr how far sampling has come, if a person sees it.
    pub(super) fn progress(&mut self, progress: Progress) {
        if io::stderr().is_terminal() {
            // If stderr is closed there is nobody to tell.
            let columns =
                terminal_size::terminal_size_of(io::stderr()).map_or(WIDTH, |(width, _)| usize::from(width.0));
            let line = progress_line(progress);
            _ = write!(io::stderr(), "\r{}\x1b[K", safe::shorten(&line, columns.saturating_sub(1)));
        }
    }

    /// Takes the progress away.
    pub(super) fn progress_ends(&mut self) {
        if io::stderr().is_terminal() {
            _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    /// Tells on stderr what went wrong and what to do next; that there is nothing to look at is nothing wrong.
    pub(super) fn failure(&mut self, failure: &Failure) {
        match failure.exit {
            Exit::Examined => self.note(&failure.message),
            _ => self.line("error", failure.message.trim_end_matches('.')),
        }
        for hint in &failure.hints {
            self.line("hint", hint);
        }
    }

    fn line(&mut self, word: &str, text: &str) {
        // If stderr is closed there is nobody to tell.
        _ = writeln!(io::stderr(), "{word}: {}", safe::line(text));
    }

    /// Returns how stdout wants its text.
    pub(super) fn look(&self, wide: bool) -> Look {
        Look { width: width(), color: color() && !self.plain, wide, unicode: unicode() }
    }
}

/// `sampling [######--------------] 36s of 120s, 12 pods; Ctrl-C: enough`.
fn progress_line(progress: Progress) -> String {
    const WIDTH: usize = 20;
    let (passed, whole) = (progress.passed.as_secs(), progress.whole.as_secs().max(1));
    let share = (progress.passed.as_millis() * WIDTH as u128 / progress.whole.as_millis().max(1)).min(WIDTH as u128);
    let done = usize::try_from(share).unwrap_or(WIDTH);
    let bar = format!("{}{}", "#".repeat(done), "-".repeat(WIDTH - done));
    let pods = match progress.pods {
        1 => "1 pod".to_owned(),
        several => format!("{several} pods"),
    };
    format!("sampling [{bar}] {passed}s of {whole}s, {pods}; Ctrl-C: enough")
}

fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    if !io::stdout().is_terminal() {
        return columns.unwrap_or(WIDTH);
    }
    terminal().or(columns).unwrap_or(WIDTH)
}

/// Colours as kubectl does: only a terminal that is not dumb, and not with `NO_COLOR`, even if it is empty.
fn color() -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    io::stdout().is_terminal() && !dumb && std::env::var_os("NO_COLOR").is_none()
}

/// Frames and arrows need a locale that has them.
fn unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    locale.is_none_or(|locale| {
        let upper = locale.to_uppercase();
        upper.contains("UTF-8") || upper.contains("UTF8")
    })
}
