//! What an incident says, in pieces that a sentence can be held against.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use super::align::{is_excerpt, is_observation};
use super::language::Mark;
use super::token::{Author, Names, Token, read};
use crate::model::{Evidence, Finding, Ids, Incident, Report, State};

/// An incident, ready to be put in words and to check words.
#[derive(Debug)]
pub struct Facts<'a> {
    pub incident: &'a Incident,
    /// Evidence by its id: that of the cause, then that of the effects in their order.
    pub evidence: Vec<(String, &'a Evidence)>,
    pub(super) names: Names,
    statements: Vec<Statement>,
}

/// Where a statement comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Cause,
    Effect,
    Advice,
}

/// Something that the engine says.
#[derive(Debug)]
struct Statement {
    source: Source,
    /// Whose names a sentence has to give, at least one of them; none where the statement names nobody.
    subjects: Vec<String>,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Sentence(Vec<Token>),
    Observation { about: Vec<Token>, value: Vec<Token> },
}

impl<'a> Facts<'a> {
    /// Collects what an incident of the report says.
    pub fn new(report: &'a Report, index: usize) -> Option<Self> {
        let incident = report.incidents.get(index)?;
        let mut ids = Ids::before(report, index);
        let findings = || std::iter::once(&incident.cause).chain(&incident.effects);
        let evidence = findings().flat_map(|finding| &finding.evidence).map(|one| (ids.evidence(), one)).collect();
        let names = names(incident);
        let mut statements = finding_statements(&incident.cause, Source::Cause, &names);
        // What is over explains nothing that is so now.
        let present = incident.effects.iter().filter(|effect| effect.state == State::Present);
        statements.extend(present.flat_map(|effect| finding_statements(effect, Source::Effect, &names)));
        let advice = incident.cause.recommendations.iter().map(|recommendation| Statement {
            source: Source::Advice,
            subjects: Vec::new(),
            form: Form::Sentence(read(&recommendation.summary, &names, Author::Engine).unwrap_or_default()),
        });
        statements.extend(advice.collect::<Vec<_>>());
        Some(Self { incident, evidence, names, statements })
    }

    /// Returns whether this incident has evidence of this id.
    pub fn knows(&self, id: &str) -> bool {
        self.evidence.iter().any(|(known, _)| known == id)
    }

    /// Returns whether words say no more than the engine does, in one statement of this source.
    pub(super) fn say(&self, words: &[Token], source: Source) -> bool {
        let of_source = self.statements.iter().filter(|statement| statement.source == source);
        of_source.into_iter().any(|statement| statement.covers(words))
    }

    /// Returns whether words are advice that the engine gives; without a word of advice, they have to begin as it does.
    pub(super) fn advise(&self, words: &[Token], is_called_so: bool) -> bool {
        let starts = |statement: &&Statement| match &statement.form {
            Form::Sentence(tokens) => is_called_so || tokens.first() == words.first(),
            Form::Observation { .. } => false,
        };
        let advice = self.statements.iter().filter(|statement| statement.source == Source::Advice);
        advice.filter(starts).any(|statement| statement.covers(words))
    }

    /// Returns whether the engine joins them as cause and effect: within one statement, or by folding one under the other.
    pub(super) fn join(&self, cause: &[Token], effect: &[Token]) -> bool {
        self.say(cause, Source::Cause) && self.say(effect, Source::Effect)
            || self.statements.iter().any(|statement| statement.joins(cause, effect))
    }
}

impl Statement {
    fn covers(&self, words: &[Token]) -> bool {
        self.names_subject(words)
            && match &self.form {
                Form::Sentence(tokens) => in_clauses(words, tokens),
                Form::Observation { about, value } => is_observation(&unbroken(words), about, value),
            }
    }

    /// `X because Y`, whichever of them a sentence puts first.
    fn joins(&self, cause: &[Token], effect: &[Token]) -> bool {
        let Form::Sentence(tokens) = &self.form else { return false };
        let Some(at) = tokens.iter().position(|token| *token == Token::Mark(Mark::Because)) else { return false };
        self.names_subject(effect) && in_clauses(effect, &tokens[..at]) && in_clauses(cause, &tokens[at + 1..])
    }

    fn names_subject(&self, words: &[Token]) -> bool {
        let is_one = |word: &Token| matches!(word, Token::Name { name, .. } if self.subjects.contains(name));
        self.subjects.is_empty() || words.iter().any(is_one)
    }
}

/// As a whole, or with clauses from the front at the end: `in 3 pods, X` is `X in 3 pods`.
fn in_clauses(words: &[Token], statement: &[Token]) -> bool {
    let breaks = words.iter().enumerate().filter(|(_, token)| **token == Token::Break);
    let turned = |at: usize| unbroken(&[&words[at..], &words[..at]].concat());
    std::iter::once(0).chain(breaks.map(|(at, _)| at)).any(|at| is_excerpt(&turned(at), statement))
}

fn unbroken(words: &[Token]) -> Vec<Token> {
    words.iter().filter(|token| **token != Token::Break).cloned().collect()
}

/// The objects that an incident is about, and the containers in them.
fn names(incident: &Incident) -> Names {
    let mut names = Names::default();
    let findings = || std::iter::once(&incident.cause).chain(&incident.effects);
    let subjects = findings().map(|finding| &finding.subject.object);
    let others = findings().flat_map(|finding| finding.affected.iter().chain(&finding.mentions));
    let witnesses = findings().flat_map(|finding| finding.evidence.iter().map(|evidence| &evidence.object));
    for object in subjects.chain(others).chain(witnesses).chain(&incident.affected) {
        names.add(&object.kind, &object.name);
        if let Some(namespace) = &object.namespace {
            names.add("namespace", namespace);
        }
    }
    for finding in findings() {
        if let Some(container) = &finding.subject.container {
            names.add("container", container);
        }
        let advice = finding.recommendations.iter().map(|recommendation| recommendation.summary.as_str());
        for text in advice.chain([finding.message.as_str()]) {
            quoted(text).for_each(|name| names.add("", name));
            slashed(text, &mut names);
        }
    }
    names
}

/// Words in backticks that stand alone.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).filter(|name| !name.is_empty() && !name.contains(char::is_whitespace))
}

/// `deployment/cart` outside of quotes.
fn slashed(text: &str, names: &mut Names) {
    for word in text.split('`').step_by(2).flat_map(str::split_whitespace) {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let word = word.strip_suffix("'s").unwrap_or(word);
        if let Some((kind, name)) = word.split_once('/')
            && let Some(kind) = super::language::kind(kind)
            && !name.contains('/')
        {
            names.add(kind, name);
        }
    }
}

fn finding_statements(finding: &Finding, source: Source, names: &Names) -> Vec<Statement> {
    let tokens = read(&finding.message, names, Author::Engine).unwrap_or_default();
    let subject = &finding.subject;
    let is_name = |token: &&Token| matches!(token, Token::Name { .. });
    let first = tokens.iter().skip_while(|token| !is_name(token)).take_while(is_name);
    let mut subjects: Vec<String> = first
        .filter_map(|token| match token {
            Token::Name { name, .. } if Some(name) != subject.container.as_ref() => Some(name.clone()),
            _ => None,
        })
        .collect();
    let told =
        |name: &String| tokens.iter().any(|token| matches!(token, Token::Name { name: other, .. } if other == name));
    if told(&subject.object.name) {
        subjects.push(subject.object.name.clone());
    }
    subjects.extend(tokens.windows(2).filter_map(|pair| match pair {
        [Token::Break, Token::Name { kind: Some(kind), name }] if kind != "container" => Some(name.clone()),
        _ => None,
    }));
    let mut statements = vec![Statement { source, subjects, form: Form::Sentence(tokens) }];
    statements.extend(finding.evidence.iter().filter_map(|evidence| observation(evidence, finding, source, names)));
    statements
}

/// A field and its value. Text that people or programs wrote freely is no base for a sentence.
fn observation(evidence: &Evidence, finding: &Finding, source: Source, names: &Names) -> Option<Statement> {
    let is_field = evidence.path.starts_with("spec") || evidence.path.starts_with("status");
    let is_free = ["message", "annotations", "args", "command", "env"].iter().any(|part| evidence.path.contains(part));
    if !is_field || is_free || evidence.value.len() > 60 || evidence.value.split_whitespace().count() > 2 {
        return None;
    }
    let subject = &finding.subject;
    let mut about = vec![object(&evidence.object.kind, &evidence.object.name)];
    about.push(object(&subject.object.kind, &subject.object.name));
    about.extend(subject.container.as_ref().map(|container| object("container", container)));
    about.extend(read(&path_words(&evidence.path), names, Author::Engine)?);
    let value = read(&evidence.value, names, Author::Engine)?;
    let subjects = vec![evidence.object.name.clone(), subject.object.name.clone()];
    Some(Statement { source, subjects, form: Form::Observation { about, value } })
}

fn object(kind: &str, name: &str) -> Token {
    Token::Name { kind: Some(kind.to_lowercase()), name: name.to_owned() }
}

/// Splits `spec.containers[main].resources.limits.memory` into words; numbers in it are places, not facts.
fn path_words(path: &str) -> String {
    let mut words = String::new();
    for c in path.chars() {
        match c {
            '.' | '[' | ']' => words.push(' '),
            c if c.is_ascii_uppercase() => {
                words.push(' ');
                words.push(c.to_ascii_lowercase());
            }
            c => words.push(c),
        }
    }
    let is_place = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
    words.split_whitespace().filter(|word| !is_place(word)).collect::<Vec<_>>().join(" ")
}
