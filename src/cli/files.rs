//! Files that are written whole or not at all.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Finds out whether a file could be written, and leaves nothing behind.
pub(super) fn try_out(path: &Path) -> io::Result<()> {
    if is_special(path) {
        return Ok(());
    }
    let partial = beside(path);
    fs::File::create_new(&partial).and_then(|_| fs::remove_file(&partial))
}

/// Writes the file whole or not at all: beside it first, then renamed.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if is_special(path) {
        return fs::write(path, bytes);
    }
    // A link stays, and what it leads to is replaced.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let partial = beside(path);
    let written = fs::File::create_new(&partial).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&partial, path)).inspect_err(|_| {
        // What is left of a failed try is of no use; that it cannot be removed either changes nothing.
        _ = fs::remove_file(&partial);
    })
}

/// A pipe or a device is written to; a file put in its place would destroy it.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| !about.is_file())
}

fn beside(path: &Path) -> PathBuf {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    PathBuf::from(partial)
}
