//! Exceptions and panics over several lines: which line is the head, which only a frame.

/// What part of a traceback a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The head of an exception or panic that nobody caught: it says what happened.
    Head,
    /// The head announces, and the next line says what happened.
    HeadOnNextLine,
    /// `Traceback (most recent call last):`: the first line that is not indented says what happened.
    PythonStart,
    /// A frame or another line that explains nothing by itself.
    Frame,
    /// No part of one.
    None,
}

/// Tells what part of a traceback a message is; indentation must be kept.
pub fn part(message: &str) -> Part {
    let text = message.trim_start();
    let indented = text.len() < message.len();
    if text.starts_with("Traceback (most recent call last)") {
        return Part::PythonStart;
    }
    if is_frame(text) {
        return Part::Frame;
    }
    if text.starts_with("thread '") && text.contains("panicked at") {
        // Before Rust 1.73 the message stood in quotes on the same line.
        return if text.contains("panicked at '") { Part::Head } else { Part::HeadOnNextLine };
    }
    let starts = [
        "panic: ",
        "fatal error: ",
        "Caused by: ",
        "Unhandled exception",
        "Exception in thread ",
        "Uncaught ",
        "UnhandledPromiseRejection",
        "PHP Fatal error:",
    ];
    if starts.iter().any(|start| text.starts_with(start)) {
        return Part::Head;
    }
    if (!indented && is_exception(text)) || is_ruby(text) { Part::Head } else { Part::None }
}

/// Returns whether a line is a frame of Java, .NET, Node, Python, Go or Ruby.
pub fn is_frame(text: &str) -> bool {
    let at =
        text.strip_prefix("at ").is_some_and(|rest| rest.contains('(') || rest.contains(':') || rest.contains('/'));
    let ruby = text.strip_prefix("from ").is_some_and(|rest| rest.contains(":in "));
    let ellipsis =
        text.strip_prefix("... ").is_some_and(|rest| rest.contains("more") || rest.contains("common frames"));
    let starts = [
        "File \"",
        "goroutine ",
        "node:internal/",
        "created by ",
        "throw ",
        "raise ",
        "^",
        "Suppressed: ",
        "During handling of",
        "The above exception was",
        "Node.js v",
        "note: run with",
    ];
    at || ruby || ellipsis || starts.iter().any(|start| text.starts_with(start))
}

/// Returns whether a line is the head of an exception: `KeyError: 'DB_HOST'`, `java.lang.IllegalStateException: ...`,
/// `java.lang.NullPointerException`.
pub fn is_exception(text: &str) -> bool {
    let head = text.split_once(": ").map_or_else(|| text.trim_end().trim_end_matches(':'), |(head, _)| head);
    let is_path = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$' | b':');
    if head.is_empty() || head.len() > 160 || !head.bytes().all(is_path) {
        return false;
    }
    let class = head.rsplit(['.', '$', ':']).next().unwrap_or_default();
    let named = ["Error", "Exception", "Throwable", "Failure", "Interrupt"].iter().any(|end| class.ends_with(end));
    // A bare `Error` says nothing without words behind it.
    named
        && class.starts_with(|first: char| first.is_ascii_uppercase())
        && (head.len() < text.trim_end().len() || class.len() < head.len())
}

/// Returns whether a line is Ruby's head: `app.rb:3:in 'run': no such file (Errno::ENOENT)`.
fn is_ruby(text: &str) -> bool {
    text.contains(".rb:") && text.contains(":in ") && text.ends_with(')') && !text.starts_with("from ")
}

/// Returns whether an exception only says that the program was told to end.
pub fn is_exit(text: &str) -> bool {
    ["SystemExit", "KeyboardInterrupt", "asyncio.CancelledError", "asyncio.exceptions.CancelledError", "CancelledError"]
        .iter()
        .any(|class| text.starts_with(class))
}
