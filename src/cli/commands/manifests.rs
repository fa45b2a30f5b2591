//! Prints objects as `kubectl apply -f -` reads them.

use serde_json::{Value, json};

use crate::cli::agent_args::Manifests;
use crate::failure::Failure;
use crate::render::yaml;

/// Writes objects as documents of YAML, or as a list.
pub(super) fn write(objects: &[Value], format: Manifests) -> Result<Vec<u8>, Failure> {
    let bug = |error: &dyn std::fmt::Display| Failure::bug(format!("writing objects: {error}"));
    match format {
        Manifests::Json => {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
            let mut bytes = serde_json::to_vec_pretty(&list).map_err(|error| bug(&error))?;
            bytes.push(b'\n');
            Ok(bytes)
        }
        Manifests::Yaml => {
            let documents: Result<Vec<_>, _> = objects.iter().map(yaml::write).collect();
            Ok(documents.map_err(|error| bug(&error))?.join(&b"---\n"[..]))
        }
    }
}
