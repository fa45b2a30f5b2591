//! What a log line says about limits of files: descriptors, inotify instances and watches.

use crate::scene::pattern::Pattern;

/// The limit that a program met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// Open files of a process: `ulimit -n`.
    OpenFiles,
    /// Inotify instances of a user on the node.
    InotifyInstances,
    /// Inotify watches of a user on the node.
    InotifyWatches,
}

impl Limit {
    /// Reads a message.
    pub fn of(message: &str) -> Option<Self> {
        static WATCHES: Pattern = Pattern::new(
            r"(?i)inotify[^.]{0,60}(?:watch|no space)|system limit for number of file watchers|ENOSPC[^.]{0,60}watch|inotify_add_watch",
        );
        static INSTANCES: Pattern = Pattern::new(
            r"(?i)inotify[^.]{0,60}(?:instances|too many open files|EMFILE)|inotify_init|too many open files[^.]{0,60}(?:inotify|fsnotify|watcher)|(?:fsnotify|watcher|inotify)[^.]{0,60}too many open files|user limit on the total number of inotify",
        );
        static FILES: Pattern = Pattern::new(r"(?i)too many open files|EMFILE|ENFILE");
        if WATCHES.is_match(message) {
            return Some(Self::InotifyWatches);
        }
        if INSTANCES.is_match(message) {
            return Some(Self::InotifyInstances);
        }
        FILES.is_match(message).then_some(Self::OpenFiles)
    }

    /// Returns the words for a message.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::OpenFiles => "has too many open files for its limit (`ulimit -n`)",
            Self::InotifyInstances => "finds no free inotify instance on its node (`fs.inotify.max_user_instances`)",
            Self::InotifyWatches => "finds no free inotify watch on its node (`fs.inotify.max_user_watches`)",
        }
    }

    /// Returns what to do, and the command for it on the node.
    pub fn cure(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::OpenFiles => (
                "raise the limit of open files (`ulimit -n`: LimitNOFILE of the container runtime), or close what the program leaves open",
                None,
            ),
            Self::InotifyInstances => (
                "raise fs.inotify.max_user_instances on the node",
                Some("sysctl -w fs.inotify.max_user_instances=8192"),
            ),
            Self::InotifyWatches => {
                ("raise fs.inotify.max_user_watches on the node", Some("sysctl -w fs.inotify.max_user_watches=524288"))
            }
        }
    }
}
