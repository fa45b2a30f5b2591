//! One line of a log: its time, level and message, in the forms that programs write.

use crate::scene::pattern::Pattern;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// How serious the program itself calls a line, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Debug, info, notice.
    Info,
    Warning,
    Error,
    Fatal,
}

/// A line, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    pub time: Option<Timestamp>,
    pub level: Option<Level>,
    /// What it says, without colours, times and, for JSON, without the fields around it.
    pub message: Cow<'a, str>,
}

/// Takes a line apart. Lines without a zone are read as UTC, as containers write it.
pub fn parse(line: &str) -> Line<'_> {
    let plain = uncoloured(line.trim_end());
    let (stamp, rest) = match &plain {
        Cow::Borrowed(text) => split_time(text),
        Cow::Owned(text) => split_time(text),
    };
    if rest.starts_with('{')
        && let Some(json) = json(rest)
    {
        let time = json.time.or(stamp.map(|stamp| stamp.time));
        return Line { time, level: json.level, message: Cow::Owned(json.message) };
    }
    let (second, rest) = split_time(rest);
    let (klog, rest) = klog(rest);
    let level = klog.or_else(|| level(rest));
    let start = plain.len() - rest.len();
    let message = match &plain {
        Cow::Borrowed(text) => Cow::Borrowed(&text[start..]),
        Cow::Owned(text) => Cow::Owned(text[start..].to_owned()),
    };
    Line { time: truer(stamp, second), level, message }
}

/// A time as it stands in a line.
#[derive(Clone, Copy)]
struct Stamp {
    time: Timestamp,
    /// Whether the line names the zone; else UTC is assumed.
    zoned: bool,
}

/// Chooses between the time that the kubelet put before a line and the program's own, which counts unless it hides its zone.
fn truer(first: Option<Stamp>, second: Option<Stamp>) -> Option<Timestamp> {
    let hidden = |own: &Stamp| !own.zoned && first.is_some_and(|first| first.zoned);
    second.filter(|own| !hidden(own)).or(first).map(|stamp| stamp.time)
}

/// Returns what a person wants to read of a line: its message without time and colours, cut at 240 characters.
pub fn shown(line: &str) -> String {
    // Ruby puts the place before the words, `/app/x.rb:3:in 'main': no ledger`, and may leave these no room.
    static PLACE: Pattern = Pattern::new(r"^\S+\.rb:[0-9]+:in [`'][^']*': ");
    let message = parse(line).message;
    let message = message.trim().trim_end_matches('.');
    let place = (message.len() > 120).then(|| PLACE.find_at(message, 0)).flatten();
    let message = place.map_or(message, |place| &message[place.end()..]);
    let clean: String = message.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    if clean.chars().count() <= 240 {
        return clean;
    }
    clean.chars().take(239).chain(['…']).collect()
}

/// Cuts a text to so many characters, the last of which tells that more follows.
pub fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.to_owned() } else { text.chars().take(most - 1).chain(['…']).collect() }
}

/// Returns a line as it stands but for its colours, cut at 300 characters: evidence.
pub fn raw(line: &str) -> String {
    let plain = uncoloured(line.trim());
    if plain.chars().count() <= 300 { plain.into_owned() } else { plain.chars().take(299).chain(['…']).collect() }
}

/// Drops the escape sequences of a terminal's colours.
pub fn uncoloured(line: &str) -> Cow<'_, str> {
    static ESCAPE: Pattern = Pattern::new("\x1b\\[[0-9;]*[A-Za-z]");
    if line.contains('\x1b') { Cow::Owned(ESCAPE.replace_all(line, "")) } else { Cow::Borrowed(line) }
}

/// Splits a time off the front, within brackets or not: `2006-01-02T15:04:05Z`, `2006/01/02 15:04:05`,
/// `2006-01-02 15:04:05,123`.
fn split_time(text: &str) -> (Option<Stamp>, &str) {
    let bare = text.trim_start();
    let inner = bare.strip_prefix('[').unwrap_or(bare);
    let bytes = inner.as_bytes();
    let dated = bytes.len() >= 19
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && matches!(bytes[4], b'-' | b'/')
        && bytes[7] == bytes[4]
        && matches!(bytes[10], b' ' | b'T')
        && bytes[13] == b':';
    if !dated {
        return split_date(inner).unwrap_or((None, text));
    }
    let end = 19
        + bytes[19..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b':' | b'+' | b'Z' | b'-'))
            .count();
    // Some write the zone apart, within the brackets: `[2006-01-02 15:04:05 +0000] `.
    if let Some(zone) = inner[end..].strip_prefix(' ').filter(|rest| is_zone(rest)) {
        let rest = zone[5..].strip_prefix(']').unwrap_or(&zone[5..]);
        return (instant(&format!("{}{}", &inner[..end], &zone[..5])), rest.strip_prefix(' ').unwrap_or(rest));
    }
    // What belongs to the words behind it: `10:00:00: message`, `10:00:00-`.
    let stamp = inner[..end].trim_end_matches([':', '-', '.', ',']);
    let rest = inner[end..].strip_prefix(']').unwrap_or(&inner[end..]);
    (instant(stamp), rest.strip_prefix(' ').unwrap_or(rest))
}

/// Returns whether a text begins with an offset from UTC, `+0000`, that stands alone.
fn is_zone(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() > 5
        && matches!(bytes[0], b'+' | b'-')
        && bytes[1..5].iter().all(u8::is_ascii_digit)
        && matches!(bytes[5], b']' | b' ')
}

/// Splits off what `date` prints: `Sat Nov 21 10:57:37 UTC 2026`.
fn split_date(text: &str) -> Option<(Option<Stamp>, &str)> {
    static DATE: Pattern = Pattern::new(
        r"^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2} +[0-9]{1,2} [0-9:]{8}) (?:[A-Z]{3,4} )?([0-9]{4})[:,]? ?",
    );
    if !text.as_bytes().first().is_some_and(|first| matches!(first, b'M' | b'T' | b'W' | b'F' | b'S')) {
        return None;
    }
    let found = DATE.captures(text)?;
    let civil = DateTime::strptime("%b %e %H:%M:%S %Y", format!("{} {}", &found[1], &found[2])).ok();
    let time = civil.and_then(|civil| civil.to_zoned(TimeZone::UTC).ok()).map(|zoned| zoned.timestamp());
    let time = time.map(|time| Stamp { time, zoned: true });
    Some((time, &text[found[0].len()..]))
}

fn instant(stamp: &str) -> Option<Stamp> {
    let normal = stamp.replace('/', "-").replace(',', ".").replacen(' ', "T", 1);
    if let Ok(time) = normal.parse() {
        return Some(Stamp { time, zoned: true });
    }
    let local: DateTime = normal.parse().ok()?;
    local.to_zoned(TimeZone::UTC).ok().map(|zoned| Stamp { time: zoned.timestamp(), zoned: false })
}

/// Reads the head of klog and glog: `E0102 15:04:05.000000 7 file.go:1] message`. It has no year, hence no time.
fn klog(text: &str) -> (Option<Level>, &str) {
    let bytes = text.as_bytes();
    let is_klog =
        bytes.len() > 20 && bytes[1..5].iter().all(u8::is_ascii_digit) && bytes[5] == b' ' && bytes[8] == b':';
    let level = match bytes.first() {
        Some(b'I') => Level::Info,
        Some(b'W') => Level::Warning,
        Some(b'E') => Level::Error,
        Some(b'F') => Level::Fatal,
        _ => return (None, text),
    };
    if !is_klog {
        return (None, text);
    }
    (Some(level), text.split_once("] ").map_or(text, |(_, message)| message))
}

/// Finds the level among the first words, where loggers put it: `ERROR`, `[error]`, `level=error`, `<Warn>`.
fn level(text: &str) -> Option<Level> {
    if let Some(at) = text.find("level=").or_else(|| text.find("lvl=")).filter(|at| *at < 100) {
        let value = text[at..].split_once('=').map_or("", |(_, value)| value).trim_start_matches('"');
        let end = value.bytes().take_while(u8::is_ascii_alphabetic).count();
        return word_level(&value[..end]);
    }
    let head = text.as_bytes();
    let words = head[..head.len().min(64)].split(|byte| !byte.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    words.take(7).find_map(|word| {
        // `HTTP` and `LOG` are levels to some loggers, and plain words to most.
        let shouted = word.iter().all(u8::is_ascii_uppercase)
            && !matches!(word, b"HTTP" | b"LOG" | b"CONFIG" | b"HINT" | b"DETAIL" | b"STATEMENT");
        let bracketed = || bracketed(text, word);
        let word = std::str::from_utf8(word).ok()?;
        (shouted || bracketed()).then(|| word_level(word)).flatten()
    })
}

/// Returns whether a word stands in brackets, or opens the line and ends in a colon or a tab.
fn bracketed(text: &str, word: &[u8]) -> bool {
    let bytes = text.as_bytes();
    // The word is a slice of the text, so that the difference of the addresses is its place.
    let start = word.as_ptr().addr() - bytes.as_ptr().addr();
    let before = start.checked_sub(1).map(|at| bytes[at]);
    let after = bytes.get(start + word.len()).copied();
    let colon = matches!(after, Some(b':')) && word.iter().all(u8::is_ascii_uppercase);
    colon
        || matches!(
            (before, after),
            (Some(b'['), Some(b']')) | (Some(b'<'), Some(b'>'))
        )
        // `http: Accept error`, `config: no such file` name a part of the program, and no level.
        || (matches!((before, after), (None | Some(b'\t'), Some(b':' | b'\t')))
            && !matches!(word.to_ascii_lowercase().as_slice(), b"http" | b"log" | b"config" | b"hint" | b"detail" | b"statement"))
}

fn word_level(word: &str) -> Option<Level> {
    let is = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
    if is(&[
        "info",
        "debug",
        "trace",
        "notice",
        "note",
        "verbose",
        "config",
        "log",
        "http",
        "hint",
        "detail",
        "statement",
    ]) {
        return Some(Level::Info);
    }
    if is(&["warn", "warning", "wrn"]) {
        return Some(Level::Warning);
    }
    if is(&["error", "err", "severe", "eror"]) {
        return Some(Level::Error);
    }
    is(&["fatal", "critical", "crit", "panic", "emerg", "emergency", "alert", "ftl"]).then_some(Level::Fatal)
}

/// The fields that loggers use, each in its several names.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default, alias = "lvl", alias = "log.level", alias = "loglevel")]
    level: Option<&'a RawValue>,
    #[serde(borrow, default)]
    severity: Option<&'a RawValue>,
    #[serde(borrow, default)]
    msg: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    err: Option<&'a RawValue>,
    #[serde(borrow, default)]
    exception: Option<&'a RawValue>,
    #[serde(borrow, default)]
    ts: Option<&'a RawValue>,
    #[serde(borrow, default)]
    time: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "@timestamp")]
    timestamp: Option<&'a RawValue>,
}

struct Json {
    time: Option<Timestamp>,
    level: Option<Level>,
    message: String,
}

fn json(text: &str) -> Option<Json> {
    let fields: Fields<'_> = serde_json::from_str(text.trim_end()).ok()?;
    let level = fields.level.or(fields.severity).and_then(|raw| json_level(raw.get()));
    let time = fields.ts.or(fields.time).or(fields.timestamp).and_then(|raw| json_time(raw.get()));
    let mut message = fields.msg.or(fields.message).map(words).unwrap_or_default();
    for detail in [fields.error, fields.err, fields.exception].into_iter().flatten().map(words) {
        if !detail.is_empty() && !message.contains(&detail) {
            message = if message.is_empty() { detail } else { format!("{message}: {detail}") };
        }
    }
    (!message.is_empty() || level.is_some()).then_some(Json { time, level, message })
}

/// Returns a string's words, or the message within an object such as `{"type": .., "message": ..}`; booleans say nothing.
fn words(raw: &RawValue) -> String {
    if let Ok(text) = serde_json::from_str::<Cow<'_, str>>(raw.get()) {
        return text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
    }
    let value: serde_json::Value = serde_json::from_str(raw.get()).unwrap_or_default();
    let field = |name: &str| value.get(name).and_then(serde_json::Value::as_str);
    field("message").or_else(|| field("msg")).unwrap_or_default().to_owned()
}

/// Reads a level's word, or the number that pino and bunyan write.
fn json_level(raw: &str) -> Option<Level> {
    if let Ok(number) = raw.parse::<u32>() {
        return match number {
            10..40 => Some(Level::Info),
            40..50 => Some(Level::Warning),
            50..60 => Some(Level::Error),
            60.. => Some(Level::Fatal),
            _ => None,
        };
    }
    word_level(raw.trim_matches('"'))
}

/// Reads RFC 3339, or seconds, milli- or nanoseconds since the epoch.
fn json_time(raw: &str) -> Option<Timestamp> {
    if let Ok(number) = raw.parse::<f64>() {
        return epoch(number);
    }
    instant(raw.trim_matches('"')).map(|stamp| stamp.time)
}

fn epoch(number: f64) -> Option<Timestamp> {
    let seconds = match number {
        0.0..1e11 => number,
        1e11..1e14 => number / 1e3,
        _ => number / 1e9,
    };
    #[expect(clippy::cast_possible_truncation, reason = "seconds of this era fit; the cast saturates")]
    let millis = (seconds * 1e3) as i64;
    Timestamp::from_millisecond(millis).ok()
}
