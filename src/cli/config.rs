//! What a user decided once, for all contexts of the kubeconfig or for one: `~/.config/kubectl-rca/config.toml`.

use std::path::PathBuf;

use toml_edit::{DocumentMut, Item, Table, TableLike, value};

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

    /// Reads a text as if it stood in the file.
    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        Self { path: None, document: text.parse().unwrap() }
    }

    /// Returns the path of the file, for messages.
    pub(super) fn place(&self) -> String {
        self.path.as_ref().map_or_else(|| "config.toml".to_owned(), |path| path.display().to_string())
    }

    /// Returns the file's text.
    pub(super) fn as_written(&self) -> String {
        self.document.to_string()
    }

    /// Returns what holds for all contexts, and then what holds for one.
    pub(super) fn layers(&self, context: Option<&str>) -> Vec<&dyn TableLike> {
        let contexts = self.document.get("contexts");
        let one = contexts.zip(context).and_then(|(contexts, name)| contexts.get(name)?.as_table_like());
        std::iter::once(self.document.as_table() as &dyn TableLike).chain(one).collect()
    }

    /// Returns whether any context has a table of this name.
    pub(super) fn depends_on_context(&self, key: &str) -> bool {
        let contexts = self.document.get("contexts").and_then(Item::as_table_like);
        contexts.is_some_and(|contexts| contexts.iter().any(|(_, context)| context.get(key).is_some()))
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
