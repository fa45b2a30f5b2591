//! From text to what it claims: names, numbers, words without their endings, denials and joints.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::{BTreeMap, BTreeSet};

use super::language::{self, Mark};
use super::number::Number;

/// One thing that a text says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    /// An object, a container, a key, a value: what is taken by the letter.
    Name {
        kind: Option<String>,
        name: String,
    },
    Number(Number),
    Mark(Mark),
    /// A comma, a bracket, a colon.
    Break,
    /// Words of somebody else, which nothing can be built on.
    Opaque,
}

/// The names that an incident knows, with the kinds that they stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    kinds: BTreeMap<String, BTreeSet<String>>,
}

impl Names {
    pub(super) fn add(&mut self, kind: &str, name: &str) {
        let kinds = self.kinds.entry(name.to_owned()).or_default();
        if !kind.is_empty() {
            kinds.insert(kind.to_lowercase());
        }
    }

    fn knows(&self, name: &str) -> bool {
        self.kinds.contains_key(name)
    }

    fn is(&self, kind: &str, name: &str) -> bool {
        self.kinds.get(name).is_some_and(|kinds| kinds.contains(kind))
    }

    fn only_kind(&self, name: &str) -> Option<&str> {
        let kinds = self.kinds.get(name)?;
        kinds.first().filter(|_| kinds.len() == 1).map(String::as_str)
    }
}

/// Who wrote a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Author {
    /// The engine: what it quotes is somebody else's.
    Engine,
    Model,
}

/// Reads a text. Returns `None` for signs that no such sentence has.
pub(super) fn read(text: &str, names: &Names, author: Author) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    for (piece, quoted) in pieces(text, author) {
        match quoted {
            true if author == Author::Engine && piece.contains(char::is_whitespace) => tokens.push(Token::Opaque),
            true if author == Author::Engine => tokens.push(exact(piece, names)),
            _ => words(piece, names, author, &mut tokens)?,
        }
    }
    let tokens = with_units(tokens);
    Some(ordered(with_kinds(&phrases(&tokens), names), names))
}

/// Splits off what stands in backticks or double quotes.
fn pieces(text: &str, author: Author) -> Vec<(&str, bool)> {
    if author == Author::Model {
        return vec![(text, false)];
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(['`', '"']) {
        let quote = &rest[start..=start];
        let Some(length) = rest[start + 1..].find(quote) else { break };
        pieces.push((&rest[..start], false));
        pieces.push((&rest[start + 1..start + 1 + length], true));
        rest = &rest[start + length + 2..];
    }
    pieces.push((rest, false));
    pieces
}

const OPENING: &[char] = &['(', '[', '{'];
const QUOTES: &[char] = &['"', '\'', '`', '“', '”', '‘', '’'];
const CLOSING: &[char] = &[')', ']', '}', ',', ';', ':', '.'];

fn words(text: &str, names: &Names, author: Author, tokens: &mut Vec<Token>) -> Option<()> {
    for raw in text.split_whitespace() {
        let inner = raw.trim_start_matches(|c| OPENING.contains(&c) || QUOTES.contains(&c));
        let word = inner.trim_end_matches(|c| CLOSING.contains(&c) || QUOTES.contains(&c));
        let is_broken = |cut: &str| cut.contains(|c| !QUOTES.contains(&c) && c != '.');
        if is_broken(&raw[..raw.len() - inner.len()]) {
            tokens.push(Token::Break);
        }
        match word {
            "" => {}
            "-" | "--" | "–" | "—" | "·" => tokens.push(Token::Break),
            word => word_tokens(word, names, author, tokens)?,
        }
        if is_broken(&inner[word.len()..]) {
            tokens.push(Token::Break);
        }
    }
    Some(())
}

fn word_tokens(word: &str, names: &Names, author: Author, tokens: &mut Vec<Token>) -> Option<()> {
    let word = word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word);
    if let Some(mark) = language::mark(word) {
        tokens.push(Token::Mark(mark));
        return Some(());
    }
    if language::is_empty(word) {
        return Some(());
    }
    let lower = word.to_ascii_lowercase();
    if let Some(number) = Number::parse(word) {
        tokens.push(Token::Number(number));
    } else if word == "%" {
        tokens.push(Token::Word("%".to_owned()));
    } else if names.knows(word) || !is_plain(word) {
        tokens.push(exact(word, names));
    } else if names.knows(&lower) {
        tokens.push(exact(&lower, names));
    } else {
        tokens.extend(lower.split('-').filter(|part| !language::is_empty(part)).map(|part| {
            match language::mark(part) {
                Some(mark) => Token::Mark(mark),
                None => Token::Word(language::kind(part).map_or_else(|| language::stem(part), str::to_owned)),
            }
        }));
    }
    // A model has no use for signs of a shell.
    let is_odd = |c: char| author == Author::Model && matches!(c, '$' | '|' | '<' | '>' | '\\' | '!' | '?' | '*' | '#');
    (names.knows(word) || !word.contains(is_odd)).then_some(())
}

/// Returns whether it is made of letters as prose is: `OOMKilled`, `cart-config` and `DB_HOST` are not.
fn is_plain(word: &str) -> bool {
    const HYPHENATED: [&str; 8] =
        ["out-of-memory", "crash-looping", "start-up", "read-only", "back-off", "non-zero", "oom-killed", "re-start"];
    let letters = word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let tail_is_lower = word.bytes().skip(1).all(|byte| byte.is_ascii_lowercase());
    let lower = word.to_ascii_lowercase();
    (letters && (tail_is_lower || lower == "oomkilled" || lower == "cpu" || language::kind(word).is_some()))
        || HYPHENATED.contains(&lower.as_str())
}

/// Reads what is taken by the letter: `deployment/shop/cart`, `cart`, `DB_HOST`, `10Mi`.
fn exact(text: &str, names: &Names) -> Token {
    if let Some(number) = Number::parse(text) {
        return Token::Number(number);
    }
    let mut parts = text.split('/');
    let kind = parts.next().and_then(language::kind);
    let rest: Vec<&str> = parts.collect();
    let name = |kind: Option<&str>, name: &str| Token::Name { kind: kind.map(str::to_owned), name: name.to_owned() };
    match (kind, rest.as_slice()) {
        (Some(kind), [one]) => name(Some(kind), one),
        (Some(kind), [place, one]) if names.is("namespace", place) => name(Some(kind), one),
        _ => name(None, text),
    }
}

/// Joins `10 MiB` and `5 minutes`.
fn with_units(tokens: Vec<Token>) -> Vec<Token> {
    let mut joined: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let unit = match &token {
            Token::Word(word) | Token::Name { kind: None, name: word } => Some(word),
            _ => None,
        };
        if let (Some(Token::Number(number)), Some(unit)) = (joined.last_mut(), unit) {
            // Units are stems by now: `minut`, `second`.
            let spelled = [unit.clone(), format!("{unit}e")];
            if let Some(amount) = spelled.iter().find_map(|unit| number.with_unit(unit)) {
                *number = amount;
                continue;
            }
        }
        joined.push(token);
    }
    joined
}

/// Gives phrases one form: `ran out of memory`, `exceeded its memory limit`, `restarted 5 times`.
fn phrases(tokens: &[Token]) -> Vec<Token> {
    const OOM: [&[&str]; 5] = [
        &["run", "out", "memory"],
        &["out", "memory"],
        &["oom", "kill"],
        &["exceed", "memory"],
        &["exhaust", "memory"],
    ];
    let is = |token: Option<&Token>, word: &str| matches!(token, Some(Token::Word(other)) if other == word);
    let mut done = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let oom = OOM.iter().find(|words| words.iter().enumerate().all(|(i, word)| is(tokens.get(at + i), word)));
        if let Some(words) = oom {
            done.push(Token::Word("oom".to_owned()));
            at += words.len();
        } else if let (true, Some(number @ Token::Number(_)), true) =
            (is(tokens.get(at), "restart"), tokens.get(at + 1), is(tokens.get(at + 2), "tim"))
        {
            done.push(number.clone());
            done.push(tokens[at].clone());
            at += 3;
        } else {
            done.push(tokens[at].clone());
            at += 1;
        }
    }
    done
}

/// Joins a kind with the name beside it, and gives a name the only kind that it can be of.
fn with_kinds(tokens: &[Token], names: &Names) -> Vec<Token> {
    let bare = |token: Option<&Token>| match token {
        Some(Token::Name { kind: None, name }) => Some(name.clone()),
        _ => None,
    };
    let mut joined: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let kind = match &tokens[at] {
            Token::Word(word) => language::kind(word),
            _ => None,
        };
        let next = kind.and_then(|kind| bare(tokens.get(at + 1)).filter(|name| names.is(kind, name)));
        let before = kind.and_then(|kind| bare(joined.last()).filter(|name| names.is(kind, name)));
        match (kind, next, before) {
            (Some(kind), Some(name), _) => {
                joined.push(Token::Name { kind: Some(kind.to_owned()), name });
                at += 1;
            }
            (Some(kind), None, Some(name)) => {
                joined.pop();
                joined.push(Token::Name { kind: Some(kind.to_owned()), name });
            }
            _ => joined.push(tokens[at].clone()),
        }
        at += 1;
    }
    for token in &mut joined {
        if let Token::Name { kind: kind @ None, name } = token {
            *kind = names.only_kind(name).map(str::to_owned);
        }
    }
    joined
}

/// Puts objects of different kinds that stand side by side in one order: `container main of deployment/cart`.
fn ordered(mut tokens: Vec<Token>, names: &Names) -> Vec<Token> {
    // Where everything happens is told by every incident.
    tokens.retain(
        |token| !matches!(token, Token::Name { kind: Some(kind), name } if kind == "namespace" && names.is(kind, name)),
    );
    let mut start = 0;
    while start < tokens.len() {
        let length = tokens[start..].iter().take_while(|token| kind_of(token).is_some()).count();
        let run = &mut tokens[start..start + length];
        let kinds: BTreeSet<String> = run.iter().filter_map(kind_of).map(str::to_owned).collect();
        if kinds.len() == run.len() {
            run.sort_by(|a, b| kind_of(a).cmp(&kind_of(b)));
        }
        start += length.max(1);
    }
    tokens
}

fn kind_of(token: &Token) -> Option<&str> {
    match token {
        Token::Name { kind, .. } => kind.as_deref(),
        _ => None,
    }
}
