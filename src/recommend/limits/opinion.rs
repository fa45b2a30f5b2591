//! What is said of one resource of one container.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::model::limits::{Danger, Field};
use crate::model::sizing::{Basis, Footing, Verdict};
use crate::quantity::Quantity;
use crate::recommend::limits::usage::Measured;
use crate::scene::pods::{fresh, units};

/// An amount that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    pub literal: String,
    pub value: Quantity,
}

impl Amount {
    /// Reads an amount; nothing is what `0` and what is no quantity mean.
    pub fn read(literal: Option<&str>) -> Option<Self> {
        let literal = literal?;
        let value = literal.parse().ok().filter(|value| *value > Quantity::ZERO)?;
        Some(Self { literal: literal.to_owned(), value })
    }
}

/// How the replicas of a container fare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// It does not run, or crashes: what it uses is no measure.
    #[default]
    Unwell,
    /// It runs, and its present version may need more than the ones before it.
    Young,
    /// It has run for so long that what it needs to start is behind it.
    Settled,
}

/// A new amount of one field; `None` takes it away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    pub field: Field,
    pub amount: Option<String>,
    pub basis: Basis,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub verdict: Verdict,
    pub danger: Danger,
    /// A sentence, lower case, no full stop; may be empty.
    pub note: String,
}

/// What is said of one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opinion {
    /// The most important first.
    pub remarks: Vec<Remark>,
    pub advice: Vec<Advice>,
}

impl Opinion {
    pub(super) fn remark(&mut self, verdict: Verdict, danger: Danger, note: impl Into<String>) {
        self.remarks.push(Remark { verdict, danger, note: note.into() });
    }

    pub(super) fn advise(&mut self, field: Field, amount: impl Into<String>, mut basis: Basis) {
        let amount = amount.into();
        basis.result = Some(amount.clone());
        self.advice.push(Advice { field, amount: Some(amount), basis });
    }
}

/// Makes the arithmetic of a number.
pub(super) fn basis(
    verdict: Verdict,
    footing: Footing,
    formula: impl Into<String>,
    inputs: impl IntoIterator<Item = (&'static str, String)>,
) -> Basis {
    Basis { verdict, footing, formula: formula.into(), inputs: inputs.into_iter().collect(), result: None }
}

/// Names what a measurement rests on.
pub(super) fn sampled(measured: &Measured) -> BTreeMap<&'static str, String> {
    let mut inputs = BTreeMap::from([("samples", measured.samples.to_string())]);
    if measured.window > SignedDuration::ZERO {
        inputs.insert("window", fresh::span(measured.window));
    }
    inputs
}

/// Says that a unit cannot be meant; a slip in a limit keeps the container from starting.
pub(super) fn slip(opinion: &mut Opinion, field: Field, amount: Option<&Amount>) {
    let Some(amount) = amount else { return };
    let Some(slip) = units::slip(field.resource(), &amount.literal) else { return };
    let meant = slip.meant.as_ref().map(|meant| format!("; `{meant}` was probably meant")).unwrap_or_default();
    let danger = if field == Field::LimitsMemory { Danger::High } else { Danger::Medium };
    let note = format!("the {} of `{}` is {}{meant}", field.words(), amount.literal, slip.says);
    opinion.remark(Verdict::Unit, danger, note);
    if let Some(meant) = slip.meant {
        let formula = format!("the unit that was meant in {}", amount.literal);
        let basis = basis(Verdict::Unit, Footing::FirstStep, formula, [(field.list(), amount.literal.clone())]);
        opinion.advise(field, meant, basis);
    }
}

/// Returns what a measurement is worth.
pub(super) fn footing(measured: &Measured) -> Footing {
    if measured.days { Footing::Days } else { Footing::Samples }
}
