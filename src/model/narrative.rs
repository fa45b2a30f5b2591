//! An incident in a few sentences.

/// Words for an incident, checked against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrative {
    /// `ollama/NAME`, `openai/NAME`, or [`Narrative::TEMPLATE`].
    pub by: String,
    pub sentences: Vec<Sentence>,
    /// How many sentences of the model failed the check and were thrown away.
    pub struck: usize,
}

impl Narrative {
    /// Who wrote it when no model's words stood the check.
    pub const TEMPLATE: &'static str = "template";

    /// Returns whether a model wrote it.
    pub fn is_a_models(&self) -> bool {
        self.by != Self::TEMPLATE
    }
}

/// One sentence with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    pub text: String,
    /// Ids of evidence in the report: `E1`.
    pub evidence: Vec<String>,
}
