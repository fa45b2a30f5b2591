//! docs/accuracy.md: all figures, with the command that made them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use super::calibration::{self, Trial};
use super::score::{self, Answer};
use super::{Outcome, Tally};

const HEAD: &str = "\
<!-- Made by tests/accuracy. To make it anew: UPDATE_DOCS=1 tests/accuracy/run --all -->
# Accuracy

How often the first incident is the right one, and what the answers withstand. `tests/accuracy/run` judges the rules' own
fixtures and two public bodies of recorded states, where their folder is there (`RCA_SHARED`, or `shared` beside the
repository), and prints this page; `--all` changes every recorded state that is told right, not one for each third rule. Nothing in
the engine knows the bodies.
";

/// Everything that the page tells.
#[derive(Debug)]
pub(super) struct Figures<'f> {
    pub(super) answers: &'f [Answer],
    pub(super) fixtures: &'f [Outcome],
    pub(super) recorded: &'f [Outcome],
}

impl Figures<'_> {
    pub(super) fn page(&self) -> String {
        [HEAD.to_owned(), self.verdicts(), self.gates(), self.calibration(), self.misses(), self.labels()].join("\n")
    }

    /// Writes the page and the counts of the calibration, if asked to.
    pub(super) fn save(&self) {
        if env::var_os("UPDATE_DOCS").is_none() || self.answers.is_empty() {
            return;
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::write(root.join("docs/accuracy.md"), self.page()).unwrap();
        let counts = calibration::of_all(self.answers).table();
        fs::write(root.join("src/diagnose/calibration.tsv"), counts).unwrap();
    }

    fn verdicts(&self) -> String {
        let mut rows = BTreeMap::<&str, Vec<&Answer>>::new();
        for answer in self.answers {
            rows.entry(&answer.body).or_default().push(answer);
        }
        let rows = rows.iter().map(|(body, answers)| {
            let right = answers.iter().filter(|answer| answer.right).count();
            format!("| {body} | {} | {right} | {} |\n", answers.len(), percent(right, answers.len()))
        });
        format!(
            "## Verdicts\n\n| body | states | right at first | share |\n|---|---|---|---|\n{}",
            rows.collect::<String>()
        )
    }

    fn gates(&self) -> String {
        type Gate = fn(&Outcome) -> &Tally;
        let gates: [(&str, &str, Gate); 4] = [
            ("cure", "the fault is repaired: the verdict is gone, and nothing else is wrong", |outcome| &outcome.cure),
            ("noise", "500 irrelevant objects, old events, chatty healthy logs: the same verdicts", |outcome| {
                &outcome.noise
            }),
            ("order", "objects and logs shuffled: the same bytes", |outcome| &outcome.order),
            ("gap", "a kind is forbidden: the same verdict or a weaker one, never another", |outcome| &outcome.gap),
        ];
        let mut text = "## Gates\n\nEach changes a state that is told right, and judges it again.\n\n\
            | gate | what must hold | fixtures | recorded |\n|---|---|---|---|\n"
            .to_owned();
        for (name, what, gate) in gates {
            text.push_str(&format!(
                "| {name} | {what} | {} | {} |\n",
                held(self.fixtures, gate),
                held(self.recorded, gate)
            ));
        }
        text
    }

    fn calibration(&self) -> String {
        let mut text = "## Calibration\n\nConfidences are counts (`src/diagnose/calibration.tsv`). Here, each body is judged by \
            counts of another; the constant says the share that was right in the body that was counted. ECE is in ten bins.\n\n\
            | counts from | judged on | answers | ECE | Brier | constant's ECE | constant's Brier |\n|---|---|---|---|---|---|---|\n"
            .to_owned();
        for Trial { counted, judged, answers, ours, constant } in calibration::trials(self.answers) {
            text.push_str(&format!(
                "| {counted} | {judged} | {answers} | {:.3} | {:.3} | {:.3} | {:.3} |\n",
                ours.ece, ours.brier, constant.ece, constant.brier
            ));
        }
        text
    }

    fn misses(&self) -> String {
        let reasons = Reasons::read();
        let wrong = self.answers.iter().filter(|answer| !answer.right);
        let rows = wrong.map(|answer| {
            let said = answer.said.as_ref().map_or("nothing", |(rule, _)| rule.as_str());
            let why = reasons.of(&answer.case.name, &answer.label, said);
            format!("| {} | {} | {said} | {why} |\n", answer.case.name, answer.label)
        });
        let rows: String = rows.collect();
        let gates = self.recorded.iter().chain(self.fixtures).flat_map(Outcome::misses);
        let gates: String = gates
            .map(|(case, gate, miss)| {
                let why = reasons.of(case, gate, "");
                format!("| {case} | {gate} | {miss} | {why} |\n")
            })
            .collect();
        format!("## Misses\n\n| state | what it is, or the gate | said | why |\n|---|---|---|---|\n{rows}{gates}")
    }

    fn labels(&self) -> String {
        let mut rows = BTreeMap::<(&str, &str), (usize, usize)>::new();
        for answer in self.answers {
            let body = answer.body.split('/').next().unwrap_or_default();
            let row = rows.entry((body, &answer.label)).or_default();
            row.0 += 1;
            row.1 += usize::from(answer.right);
        }
        let rows = rows.iter().map(|((body, label), (all, right))| format!("| {body} | {label} | {all} | {right} |\n"));
        format!(
            "## By root cause\n\n| body | root cause or category | states | right at first |\n|---|---|---|---|\n{}",
            rows.collect::<String>()
        )
    }
}

fn held(outcomes: &[Outcome], gate: fn(&Outcome) -> &Tally) -> String {
    let tried: usize = outcomes.iter().map(|outcome| gate(outcome).tried).sum();
    let missed: usize = outcomes.iter().map(|outcome| gate(outcome).misses.len()).sum();
    format!("{} of {tried}", tried - missed)
}

fn percent(part: usize, whole: usize) -> String {
    let tenths = (1000 * part + whole / 2) / whole.max(1);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// Why answers are wrong, as somebody found out: by state, or by what it is and what was said (`*` is anything).
struct Reasons(Vec<BTreeMap<String, String>>);

impl Reasons {
    fn read() -> Self {
        let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/accuracy/misses.tsv");
        Self(score::rows(&path))
    }

    fn of(&self, state: &str, label: &str, said: &str) -> &str {
        let fits = |row: &&BTreeMap<String, String>| {
            let meets = |column: &str, value: &str| row[column] == "*" || row[column] == value;
            meets("state", state) && meets("what", label) && meets("said", said)
        };
        self.0.iter().find(fits).map_or("not found out yet", |row| row["why"].as_str())
    }
}
