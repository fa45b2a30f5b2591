//! The answer of an agent in its log: a beginning with length and checksum, numbered lines, an end.
//!
//! A log mixes stdout and stderr, and is read again from its start when the connection breaks: the numbers tell what was seen
//! already, the checksum whether it is whole.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::request::PROTOCOL;
use crate::render::json::read::Beside;

/// What comes when: the report, and later again with a model's words in it, as these take their time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    #[default]
    Report,
    Words,
}

impl Part {
    /// Returns what each line of its frame starts with.
    fn mark(self) -> &'static str {
        match self {
            Self::Report => "kubectl-rca:",
            Self::Words => "kubectl-rca-words:",
        }
    }
}

/// Characters a line: container runtimes cut lines at 16 KiB.
const LINE: usize = 8000;
/// A larger answer is compressed: kubelets keep the last 10 MiB of a log.
const LARGE: usize = 1 << 20;
/// No answer is larger.
const MAX_BYTES: u64 = 256 << 20;

/// What comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// A report, in the form of `-o json`.
    Report,
    /// Why there is none.
    Failure,
}

/// The beginning of a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    pub protocol: u32,
    /// The agent's version.
    pub version: String,
    /// The version of the report's form.
    pub schema: String,
    pub content: Content,
    pub gzip: bool,
    /// Bytes of the answer, before it is compressed.
    pub length: usize,
    /// Of the same bytes, as hexadecimal digits.
    pub sha256: String,
    pub lines: usize,
    /// What the form of reports leaves out.
    #[serde(default)]
    pub beside: Beside,
}

/// Why an agent has no report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The exit code that it would have.
    pub exit: u8,
    pub message: String,
    #[serde(default)]
    pub hints: Vec<String>,
}

/// The form of reports that this version writes and reads.
pub const SCHEMA: &str = "rca/v1alpha1";

/// Writes an answer as a frame.
///
/// # Errors
/// When it cannot be compressed, which is a bug.
pub fn write(part: Part, content: Content, answer: &str, beside: Beside) -> anyhow::Result<String> {
    let gzip = answer.len() > LARGE;
    let packed = if gzip { Some(pack(answer)?) } else { None };
    let lines = lines(packed.as_deref().unwrap_or(answer));
    let header = Header {
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema: SCHEMA.to_owned(),
        content,
        gzip,
        length: answer.len(),
        sha256: digest(answer.as_bytes()),
        lines: lines.len(),
        beside,
    };
    let mark = part.mark();
    let mut frame = format!("{mark}begin {}\n", serde_json::to_string(&header)?);
    for (number, line) in lines.iter().enumerate() {
        writeln!(frame, "{mark}{number} {line}")?;
    }
    writeln!(frame, "{mark}end {}", header.sha256)?;
    Ok(frame)
}

fn pack(answer: &str) -> anyhow::Result<String> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(answer.as_bytes())?;
    Ok(STANDARD.encode(encoder.finish()?))
}

/// Cuts text that has no line breaks into lines.
fn lines(mut text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    while !text.is_empty() {
        let (line, rest) = text.split_at(text.floor_char_boundary(LINE));
        lines.push(line);
        text = rest;
    }
    lines
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Puts a frame together from the lines of a log.
#[derive(Debug, Default)]
pub struct Reader {
    part: Part,
    header: Option<Header>,
    parts: BTreeMap<usize, String>,
    is_ended: bool,
    others: Vec<String>,
}

/// What is wrong with a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("it printed no answer")]
    Missing,
    #[error("its answer is cut off after {got} of {wanted} lines")]
    Cut { got: usize, wanted: usize },
    #[error("its answer does not match its checksum")]
    Damaged,
    #[error("its beginning cannot be read: {0}")]
    Header(String),
}

impl Reader {
    /// Starts to read the frame of a part.
    pub fn new(part: Part) -> Self {
        Self { part, ..Self::default() }
    }

    /// Notes that the log is read from its start again.
    pub fn again(&mut self) {
        self.others.clear();
    }

    /// Takes a line of the log.
    pub fn line(&mut self, line: &str) {
        let line = line.trim_end_matches('\r');
        let Some((word, rest)) = line.strip_prefix(self.part.mark()).and_then(|rest| rest.split_once(' ')) else {
            let is_framed = [Part::Report, Part::Words].iter().any(|part| line.starts_with(part.mark()));
            if !is_framed {
                self.others.push(line.to_owned());
            }
            return;
        };
        match word {
            "begin" => self.header = serde_json::from_str(rest).ok().or(self.header.take()),
            "end" => self.is_ended = true,
            number => {
                if let Ok(number) = number.parse() {
                    // A line that a break cut short is replaced by the whole one.
                    let part: &mut String = self.parts.entry(number).or_default();
                    if part.len() < rest.len() {
                        rest.clone_into(part);
                    }
                }
            }
        }
    }

    /// Returns the beginning, as soon as it was read.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// Returns whether nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.is_ended && self.header.as_ref().is_some_and(|header| header.lines == self.parts.len())
    }

    /// Returns the lines that are no part of the frame: what the agent said on stderr.
    pub fn others(&self) -> &[String] {
        &self.others
    }

    /// Returns the answer, checked.
    ///
    /// # Errors
    /// When something is missing or was changed on the way.
    pub fn finish(&self) -> Result<(&Header, String), Broken> {
        let header = self.header.as_ref().ok_or(Broken::Missing)?;
        if !self.is_complete() {
            return Err(Broken::Cut { got: self.parts.len(), wanted: header.lines });
        }
        let text: String = self.parts.values().map(String::as_str).collect();
        let answer = if header.gzip { unpack(&text).ok_or(Broken::Damaged)? } else { text };
        if answer.len() != header.length || digest(answer.as_bytes()) != header.sha256 {
            return Err(Broken::Damaged);
        }
        Ok((header, answer))
    }
}

fn unpack(text: &str) -> Option<String> {
    let packed = STANDARD.decode(text).ok()?;
    let mut answer = String::new();
    GzDecoder::new(packed.as_slice()).take(MAX_BYTES).read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Reader {
        let mut reader = Reader::default();
        text.lines().for_each(|line| reader.line(line));
        reader
    }

    fn report(length: usize) -> String {
        "{\"text\":\"Größe → 64Mi\"}".chars().cycle().take(length).collect()
    }

    #[test]
    fn an_answer_of_any_size_comes_back() {
        for length in [0, 1, LINE, 3 * LINE + 1, LARGE + 1] {
            let answer = report(length);
            let frame = write(Part::Report, Content::Report, &answer, Beside::default()).unwrap();
            let reader = read(&frame);
            let (header, back) = reader.finish().unwrap();
            assert_eq!((header.content, back), (Content::Report, answer));
            assert!(frame.lines().all(|line| line.len() < 16 << 10));
        }
    }

    #[test]
    fn what_is_read_twice_or_mixed_with_other_lines_is_the_same() {
        let answer = report(3 * LINE);
        let frame = write(Part::Report, Content::Report, &answer, Beside::default()).unwrap();
        let mut reader = Reader::default();
        let half: Vec<&str> = frame.lines().take(2).collect();
        half.iter().for_each(|line| reader.line(line));
        // The connection broke in the middle of a line.
        reader.line(&frame.lines().nth(2).unwrap()[..100]);
        reader.line("warning: slow");
        assert!(!reader.is_complete());
        reader.again();
        frame.lines().for_each(|line| reader.line(line));
        assert_eq!(reader.finish().unwrap().1, answer);
        assert_eq!(reader.others(), Vec::<String>::new());
    }

    #[test]
    fn each_part_is_read_by_itself() {
        let first = write(Part::Report, Content::Report, "1", Beside::default()).unwrap();
        let second = write(Part::Words, Content::Report, "2", Beside::default()).unwrap();
        let log = format!("{first}info: asked\n{second}");
        for (part, answer) in [(Part::Report, "1"), (Part::Words, "2")] {
            let mut reader = Reader::new(part);
            log.lines().for_each(|line| reader.line(line));
            assert_eq!(reader.finish().unwrap().1, answer);
            assert_eq!(reader.others(), ["info: asked"]);
        }
    }

    #[test]
    fn what_is_missing_or_changed_is_told() {
        let frame = write(Part::Report, Content::Report, &report(3 * LINE), Beside::default()).unwrap();
        assert_eq!(read("error: no such thing").finish(), Err(Broken::Missing));
        let mut lines: Vec<&str> = frame.lines().collect();
        lines.remove(2);
        assert!(matches!(read(&lines.join("\n")).finish(), Err(Broken::Cut { .. })));
        let without_end: Vec<&str> = frame.lines().take_while(|line| !line.contains(":end ")).collect();
        assert!(matches!(read(&without_end.join("\n")).finish(), Err(Broken::Cut { .. })));
        assert_eq!(read(&frame.replace("64Mi", "65Mi")).finish(), Err(Broken::Damaged));
    }
}
