//! What a user decided once, for a context of the kubeconfig: `~/.config/kubectl-rca/config.toml`.

use std::path::PathBuf;

use toml_edit::{DocumentMut, Item, Table, value};

/// The file as it is, so that what it says of other things stays.
#[derive(Debug, Default)]
pub(super) struct Config {
    path: Option<PathBuf>,
    document: DocumentMut,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is there and cannot be read: in one line.
    pub(super) fn load() -> Result<Self, String> {
        let Some(path) = folder("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("config.toml")) else {
            return Ok(Self::default());
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(format!("{} cannot be read: {error}", path.display())),
        };
        let document = text.parse::<DocumentMut>();
        let document = document.map_err(|error| format!("{} is no TOML: {}", path.display(), error.message()))?;
        Ok(Self { path: Some(path), document })
    }

    /// Returns what was decided for a context.
    pub(super) fn text(&self, context: &str, key: &str) -> Option<&str> {
        self.document.get("contexts")?.get(context)?.get(key)?.as_str()
    }

    /// Returns whether a context says yes.
    pub(super) fn is_on(&self, context: &str, key: &str) -> bool {
        let found = || self.document.get("contexts")?.get(context)?.get(key)?.as_bool();
        found().unwrap_or_default()
    }

    /// Keeps a decision for a context.
    ///
    /// # Errors
    /// When the file cannot be written: in one line.
    pub(super) fn keep(&mut self, context: &str, decisions: &[(&str, &str)]) -> Result<(), String> {
        let path = self.path.clone().ok_or("there is no home directory to keep that in")?;
        let contexts = self.document.entry("contexts").or_insert_with(|| {
            let mut contexts = Table::new();
            contexts.set_implicit(true);
            Item::Table(contexts)
        });
        let contexts = contexts.as_table_like_mut().ok_or("`contexts` is no table")?;
        let place = contexts.entry(context).or_insert_with(|| Item::Table(Table::new()));
        let place = place.as_table_like_mut().ok_or("the context is no table")?;
        for (key, decision) in decisions {
            place.insert(key, value(*decision));
        }
        let failed = |error: std::io::Error| format!("{} cannot be written: {error}", path.display());
        path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(failed)?;
        std::fs::write(&path, self.document.to_string()).map_err(failed)
    }
}

/// Returns this program's folder where the XDG convention puts it.
pub(super) fn folder(variable: &str, home: &str) -> Option<PathBuf> {
    // Relative paths are to be ignored, says the convention.
    let given = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let base =
        given.or_else(|| Some(PathBuf::from(std::env::var_os("HOME").filter(|home| !home.is_empty())?).join(home)));
    base.map(|base| base.join("kubectl-rca"))
}
