//! The flags that say whether a model puts the report in words, and which.

use clap::{Args, ValueEnum};

use super::cluster_args::RequestTimeout;
use crate::narrate::talk::Dialect;

/// Words by a model; it decides nothing.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Words by a local model")]
pub struct WordsArgs {
    /// Put the report in words: `auto` uses what was agreed to, and only for text on a terminal; `require` fails without
    #[arg(long, value_name = "MODE", env = "RCA_LLM", hide_env_values = true)]
    pub llm: Option<Mode>,

    /// Address of an Ollama
    #[arg(long, value_name = "URL", env = "RCA_OLLAMA_URL", hide_env_values = true, conflicts_with_all = ["llm_url", "ollama_service"],
        value_parser = super::args::web_address)]
    pub ollama_url: Option<String>,

    /// Namespace of the Service of an Ollama in the cluster
    #[arg(long, value_name = "NAMESPACE")]
    pub ollama_namespace: Option<String>,

    /// Name of the Service of an Ollama in the cluster
    #[arg(long, value_name = "NAME")]
    pub ollama_service: Option<String>,

    /// The model, instead of one that is loaded or the best that is installed
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    /// Let the Ollama fetch the model that `--model` names if it has not got it
    #[arg(long, requires = "model")]
    pub pull: bool,

    /// What the server of `--llm-url` speaks
    #[arg(long, value_name = "API", requires = "llm_url")]
    pub llm_api: Option<Api>,

    /// Address of a server that speaks `--llm-api`
    #[arg(long, value_name = "URL", value_parser = super::args::web_address)]
    pub llm_url: Option<String>,

    /// Send the report's facts also outside of this machine, the cluster and private networks
    #[arg(long)]
    pub allow_remote_llm: bool,

    /// How long the model may work, all incidents together
    #[arg(long, value_name = "DURATION", default_value = "2m")]
    pub llm_timeout: RequestTimeout,
}

/// Whether a model puts the report in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Text on a terminal: with what was agreed to, or a local Ollama
    Auto,
    /// Never
    Off,
    /// With what is configured or found, without asking
    On,
    /// As `on`, and exit with 7 if no words were had
    Require,
}

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Api {
    Ollama,
    Openai,
}

impl From<Api> for Dialect {
    fn from(api: Api) -> Self {
        match api {
            Api::Ollama => Self::Ollama,
            Api::Openai => Self::OpenAi,
        }
    }
}
