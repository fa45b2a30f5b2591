//! The line that tells why a program ended, and everything that the log complains of.

use crate::scene::pattern::Pattern;

use super::LogDigest;
use super::line::{self, Level, Line};
use super::template::Templates;
use super::traceback::{self, Part};

/// The line that tells why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decisive<'a> {
    pub line: &'a str,
    /// Counted from 1.
    pub number: usize,
    pub weight: Weight,
}

impl Decisive<'_> {
    /// Returns what a person wants to read of it: its message without time, colours and JSON.
    pub fn shown(&self) -> String {
        line::shown(self.line)
    }
}

/// How much a line weighs as an explanation of a crash, lightest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It speaks of a failure.
    Complaint,
    /// The program logged it as an error.
    Error,
    /// The program logged it as fatal.
    Fatal,
    /// An exception or panic that nobody caught.
    Uncaught,
}

/// Reads a log once: only lines with a suspicious word are taken apart.
pub(super) fn read(text: &str) -> LogDigest<'_> {
    let mut reader = Reader {
        text,
        count: 0,
        counted_to: 0,
        traceback: None,
        choice: Choice::default(),
        templates: Templates::default(),
    };
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = SUSPICIOUS.find_at(text, at) {
        let start = bytes[..found.start()].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        at = reader.line(start);
        // The heads that follow a traceback's start need no suspicious word of their own.
        while reader.traceback.is_some() && at < bytes.len() {
            at = reader.line(at);
        }
        if at >= bytes.len() {
            break;
        }
    }
    reader.count_to(bytes.len());
    let count = reader.count + usize::from(!text.is_empty() && !text.ends_with('\n'));
    let Choice { best, root, .. } = reader.choice;
    let decisive = best.map(|(decisive, _)| decisive);
    let cause = root.filter(|root| {
        decisive.is_some_and(|decisive| decisive.weight == Weight::Uncaught && decisive.number != root.number)
    });
    LogDigest { text, decisive, cause, templates: reader.templates.finish(), count }
}

/// Words that no complaint is without; a match only means that the line is taken apart.
static SUSPICIOUS: Pattern = Pattern::new(concat!(
    r"(?i-u)error|exception|fatal|panic|critical|fail|refused|denied|not found|not exist|no such|unable|cannot|can't",
    r"|could not|couldn't|timed out|timeout|traceback|caused by|invalid|missing|not set|unset|undefined|required",
    r"|not configured|forbidden|unauthorized|too many|no space|in use|unreachable|no response|unhandled|uncaught",
    r"|segmentation|abort|not permitted|unavailable|exhausted|exceeded|reset by peer|broken pipe|severe|no route",
    r"|read-only|parameter null|unbound|not allowed|crit\b|emerg\b|econn|enotfound|eai_again|quota|null or",
    r"|division by zero|terminated|interrupt|wrongpass|noauth|development|http 4|http 5| \([0-9]+\) "
));

struct Reader<'a> {
    text: &'a str,
    /// Newlines before `counted_to`.
    count: usize,
    counted_to: usize,
    traceback: Option<Expect>,
    choice: Choice<'a>,
    templates: Templates<'a>,
}

/// What a traceback that has begun still owes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// The first line that is not indented (Python).
    Unindented,
    /// Whatever the next line says (Rust).
    NextLine,
}

impl<'a> Reader<'a> {
    fn count_to(&mut self, end: usize) {
        // Sums of bytes are computed many at once, which counting by a filter is not.
        let newlines = self.text.as_bytes()[self.counted_to..end].chunks(128);
        self.count += newlines
            .map(|chunk| usize::from(chunk.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>()))
            .sum::<usize>();
        self.counted_to = end;
    }

    /// Reads the line that starts here and returns where the next one does.
    fn line(&mut self, start: usize) -> usize {
        let rest = &self.text[start..];
        let end = rest.find('\n').unwrap_or(rest.len());
        self.count_to(start);
        let line = rest[..end].trim_end_matches('\r');
        self.judge(line, self.count + 1);
        start + (end + 1).min(rest.len())
    }

    fn judge(&mut self, raw: &'a str, number: usize) {
        let parsed = line::parse(raw);
        let message = parsed.message.as_ref();
        let part = self.part(message, parsed.level);
        let Some(weight) = weigh(&parsed, part) else { return };
        self.templates.add(raw, number, message.trim(), weight);
        self.choice.offer(Decisive { line: raw.trim(), number, weight }, message);
    }

    fn part(&mut self, message: &str, level: Option<Level>) -> Part {
        let blank = message.trim().is_empty();
        let indented = message.starts_with([' ', '\t']);
        match self.traceback {
            Some(Expect::NextLine) => {
                self.traceback = None;
                return if blank { Part::None } else { Part::Head };
            }
            Some(Expect::Unindented) if blank || indented || traceback::is_frame(message.trim_start()) => {
                return Part::Frame;
            }
            Some(Expect::Unindented) => {
                self.traceback = None;
                let is_head = !message.starts_with("Traceback") && level.is_none_or(|level| level >= Level::Error);
                return if is_head && !traceback::is_exit(message) { Part::Head } else { self.begin(message) };
            }
            None => {}
        }
        self.begin(message)
    }

    fn begin(&mut self, message: &str) -> Part {
        let part = traceback::part(message);
        self.traceback = match part {
            Part::PythonStart => Some(Expect::Unindented),
            Part::HeadOnNextLine => Some(Expect::NextLine),
            _ => None,
        };
        part
    }
}

/// The best line so far.
#[derive(Default)]
struct Choice<'a> {
    best: Option<(Decisive<'a>, bool)>,
    /// The number of the last line of the best one's rank: a burst of errors is told from the next by a distance.
    seen: usize,
    /// The first head of the exception chain that holds the best line.
    root: Option<Decisive<'a>>,
}

/// Lines that lie further apart are no longer one burst, in which the first error makes the others.
const BURST: usize = 25;

impl<'a> Choice<'a> {
    fn offer(&mut self, new: Decisive<'a>, message: &str) {
        let specific = names_reason(message) && !is_chatter(message);
        let rank = (new.weight, specific);
        let Some((best, best_specific)) = self.best else {
            (self.best, self.seen, self.root) = (Some((new, specific)), new.number, Some(new));
            return;
        };
        let uncaught = new.weight == Weight::Uncaught;
        let best_rank = (best.weight, best_specific);
        let far = new.number > self.seen + BURST;
        // Of exceptions the last ended the program; of errors the first of the last burst made the others.
        let wins = if uncaught { new.weight >= best.weight } else { rank > best_rank || (rank == best_rank && far) };
        if wins {
            let same_chain = uncaught && best.weight == Weight::Uncaught && new.number <= self.seen + 80;
            if !same_chain {
                self.root = Some(new);
            }
            self.best = Some((new, specific));
        }
        if wins || rank == best_rank {
            self.seen = new.number;
        }
    }
}

fn weigh(line: &Line<'_>, part: Part) -> Option<Weight> {
    let message = line.message.as_ref();
    match part {
        Part::Frame | Part::PythonStart | Part::HeadOnNextLine => return None,
        Part::Head if line.level.is_none_or(|level| level >= Level::Error) => return Some(Weight::Uncaught),
        Part::Head | Part::None => {}
    }
    let chatter = is_chatter(message);
    let reason = names_reason(message);
    match line.level {
        Some(Level::Info) => None,
        Some(Level::Warning) => (reason && !is_denied(message)).then_some(Weight::Complaint),
        Some(Level::Error | Level::Fatal) if chatter && !reason => Some(Weight::Complaint),
        Some(Level::Error) => Some(Weight::Error),
        Some(Level::Fatal) => Some(Weight::Fatal),
        None if chatter && !reason => None,
        None if is_denied(message) || is_access(message) => None,
        None => unlevelled(message, reason),
    }
}

/// Weighs a line without a level by its words.
fn unlevelled(message: &str, reason: bool) -> Option<Weight> {
    static FATAL: Pattern = Pattern::new(r"(?i-u)\bfatal\b|\bpanic\b");
    static ERROR: Pattern = Pattern::new(r"(?i-u)\berrors?\b|\b[a-z]*(?:Error|Exception)\b|\bexception\b");
    if FATAL.is_match(message) {
        return Some(Weight::Fatal);
    }
    if ERROR.is_match(message) {
        return Some(Weight::Error);
    }
    reason.then_some(Weight::Complaint)
}

/// Returns whether a message says what failed, rather than only that something did.
pub fn names_reason(message: &str) -> bool {
    static REASON: Pattern = Pattern::new(concat!(
        r"(?i-u)refused|denied|not found|not exist|no such|unable to|cannot|can't|could ?n[o']t|timed out|timeout|invalid|missing",
        r"|not set|\bunset\b|undefined|is required|required (?:key|environment|variable|env|field)|not configured|forbidden|unauthorized|too many|no space",
        r"|already in use|unreachable|no response|not permitted|unavailable|exhausted|exceeded|reset by peer",
        r"|broken pipe|no route|read-only|parameter null|unbound|not allowed|econn[a-z]+|enotfound|eai_again",
        r"|division by zero|segmentation|failed|failure|quota|wrongpass|noauth|out of memory|OutOfMemory|\bHTTP [45][0-9][0-9]\b"
    ));
    REASON.is_match(message)
}

/// Returns whether a line only says that the program ends, waits or tries again.
fn is_chatter(message: &str) -> bool {
    static CHATTER: Pattern = Pattern::new(concat!(
        r"(?i-u)shutting down|shut ?down|exiting|\bexited with\b|stopping|terminating|goodbye|\busage:|try '.*--help'",
        r"|complete log of this run|retrying|reconnection \(attempt|will retry|cleaning up|received signal|error codes?:? 1\b",
        r"|npm (?:err!|error) (?:code|errno|path|command|lifecycle|a complete)|^\s*$|stack ?trace|exit status"
    ));
    CHATTER.is_match(message)
}

/// Returns whether a line denies a failure, or only names something after one: `errors=0`, `no error`, `ErrorHandler`.
fn is_denied(message: &str) -> bool {
    static DENIED: Pattern = Pattern::new(concat!(
        r#"(?i-u)\b(?:errors?|failed|failures?|exceptions?|err)(?:[_ -]?(?:count|rate|total))?["']?\s*[:=]\s*(?:0\b|none|null|nil|false|\[\]|"")"#,
        r"|\b(?:no|0|zero|without(?: any)?) (?:errors?|failures?|exceptions?|failed)\b",
        r"|error[ _-]?(?:handlers?|handling|log(?:ger)?s?|pages?|reporting|boundary|channel|budgets?|codes?\.)\b",
        r"|(?:exception|failure)[ _-]?(?:handlers?|handling|translation)|errorlogger|\berrorhandler"
    ));
    DENIED.is_match(message)
}

/// Returns whether a line is an access log's with a status below 500.
fn is_access(message: &str) -> bool {
    static ACCESS: Pattern = Pattern::new(
        r#"(?-u)"(?:GET|POST|PUT|DELETE|HEAD|PATCH|OPTIONS) [^"]*" [1-4][0-9][0-9]\b|\b[1-4][0-9][0-9] (?:GET|POST|PUT|DELETE|HEAD|PATCH) /|\b(?:GET|POST|PUT|DELETE|HEAD|PATCH) /[^ ]* (?:HTTP/[0-9.]+ )?[1-4][0-9][0-9]\b"#,
    );
    ACCESS.is_match(message)
}
