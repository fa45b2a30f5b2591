//! Heap flags and worker counts, as command, arguments and environment tell.

use crate::quantity::Quantity;
use crate::recommend::facts::{Bound, Heap, Workers};
use crate::scene::{ContainerView, Environment};

/// Variables from which programs take flags.
const OPTIONS: [&str; 8] = [
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "JAVA_OPTS",
    "JVM_OPTS",
    "CATALINA_OPTS",
    "NODE_OPTIONS",
    "GUNICORN_CMD_ARGS",
];

/// Programs that fork workers: the flags that count them, and variables that do.
const SERVERS: [(&str, &[&str], &[&str]); 7] = [
    ("gunicorn", &["-w", "--workers"], &["WEB_CONCURRENCY"]),
    ("uvicorn", &["--workers"], &["WEB_CONCURRENCY"]),
    ("hypercorn", &["-w", "--workers"], &[]),
    ("uwsgi", &["-p", "--processes", "--workers"], &["UWSGI_PROCESSES", "UWSGI_WORKERS"]),
    ("celery", &["-c", "--concurrency"], &["CELERYD_CONCURRENCY"]),
    ("puma", &["-w", "--workers"], &["WEB_CONCURRENCY"]),
    ("unicorn", &[], &["WEB_CONCURRENCY"]),
];

/// No server forks more; a larger number is no count of workers.
const MAX_WORKERS: i64 = 1024;

/// What a container is told to do, word by word.
#[derive(Debug)]
pub struct Words {
    words: Vec<String>,
    /// Names and values of the variables whose values are known.
    variables: Vec<(String, String)>,
}

impl Words {
    /// Reads a container's command, arguments and environment; a shell's script is read as words.
    pub fn of(container: ContainerView<'_>) -> Self {
        let environment = Environment::of(container);
        let known = environment.variables.iter();
        let variables: Vec<(String, String)> = known
            .filter_map(|variable| Some((variable.name.clone().into_owned(), variable.value()?.to_owned())))
            .collect();
        let line = container.command_line();
        let options = variables.iter().filter(|(name, _)| OPTIONS.contains(&name.as_str()));
        let texts = line.into_iter().chain(options.map(|(_, value)| value.as_str()));
        let trim = |word: &str| word.trim_matches(['"', '\'', ';', '(', ')']).to_owned();
        let words = texts.flat_map(str::split_ascii_whitespace).map(trim).filter(|word| !word.is_empty()).collect();
        Self { words, variables }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// Returns the value of a flag: the next word, or what follows `=`; the last one counts.
    fn flag(&self, name: &str) -> Option<&str> {
        let value = |(index, word): (usize, &String)| {
            let next = (word == name).then(|| self.words.get(index + 1).map(String::as_str));
            next.flatten().or_else(|| word_value(&self.words[index], name))
        };
        self.words.iter().enumerate().filter_map(value).next_back()
    }

    /// Returns what bounds the heap, if something does.
    pub fn heap(&self) -> Option<Heap> {
        self.java().or_else(|| self.node()).or_else(|| self.go())
    }

    fn java(&self) -> Option<Heap> {
        let after = |prefix: &str| self.words.iter().rev().find_map(|word| word.strip_prefix(prefix));
        if let Some(value) = after("-Xmx").or_else(|| after("-XX:MaxHeapSize=")) {
            let bound = Bound::Fixed(java_size(value)?);
            return Some(Heap { flag: "-Xmx", value: value.to_owned(), bound });
        }
        let value = after("-XX:MaxRAMPercentage=")?;
        let whole: i64 = value.split('.').next()?.parse().ok().filter(|percent| (1..=100).contains(percent))?;
        Some(Heap { flag: "-XX:MaxRAMPercentage", value: value.to_owned(), bound: Bound::Percent(whole) })
    }

    fn node(&self) -> Option<Heap> {
        let value = self.flag("--max-old-space-size").or_else(|| self.flag("--max_old_space_size"))?;
        let mebi: i64 = value.parse().ok().filter(|mebi| *mebi > 0)?;
        let bound = Bound::Fixed(Quantity::from_bytes(1 << 20).saturating_mul(mebi));
        Some(Heap { flag: "--max-old-space-size", value: value.to_owned(), bound })
    }

    fn go(&self) -> Option<Heap> {
        let value = self.variable("GOMEMLIMIT")?;
        // Go writes `MiB` where Kubernetes writes `Mi`.
        let amount: Quantity = value.strip_suffix('B').unwrap_or(value).parse().ok()?;
        let bound = Bound::Fixed(amount);
        (amount > Quantity::ZERO).then(|| Heap { flag: "GOMEMLIMIT", value: value.to_owned(), bound })
    }

    /// Returns how many processes share the memory, if a server's flag or variable says so.
    pub fn workers(&self) -> Option<Workers> {
        let is_program = |program: &str| {
            self.words.iter().any(|word| word.rsplit('/').next() == Some(program))
                || (program == "gunicorn" && self.variable("GUNICORN_CMD_ARGS").is_some())
        };
        let (program, flags, variables) = SERVERS.iter().find(|(program, ..)| is_program(program))?;
        let told = flags.iter().find_map(|flag| self.flag(flag));
        let told = told.or_else(|| variables.iter().find_map(|name| self.variable(name)))?;
        let count: i64 = told.parse().ok().filter(|count| (2..=MAX_WORKERS).contains(count))?;
        Some(Workers { program, count, measured: None })
    }
}

/// Returns the `4` of `--workers=4` and of `-w4`.
fn word_value<'w>(word: &'w str, flag: &str) -> Option<&'w str> {
    let rest = word.strip_prefix(flag).filter(|rest| !rest.is_empty())?;
    let glued = !flag.starts_with("--") && rest.bytes().all(|byte| byte.is_ascii_digit());
    rest.strip_prefix('=').or(glued.then_some(rest))
}

/// Reads a size as Java does: `512m`, `2g`, `1048576`.
fn java_size(value: &str) -> Option<Quantity> {
    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (number, unit) = value.split_at(end);
    let factor = match unit {
        "" => 1,
        "k" | "K" => 1 << 10,
        "m" | "M" => 1 << 20,
        "g" | "G" => 1 << 30,
        "t" | "T" => 1_i64 << 40,
        _ => return None,
    };
    let number: i64 = number.parse().ok().filter(|number| *number > 0)?;
    Some(Quantity::from_bytes(number).saturating_mul(factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str, variables: &[(&str, &str)]) -> Words {
        let options = variables.iter().filter(|(name, _)| OPTIONS.contains(name)).map(|(_, value)| *value);
        let texts = std::iter::once(line).chain(options);
        Words {
            words: texts.flat_map(str::split_ascii_whitespace).map(str::to_owned).collect(),
            variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        }
    }

    fn heap(line: &str, variables: &[(&str, &str)]) -> Option<(&'static str, Bound)> {
        words(line, variables).heap().map(|heap| (heap.flag, heap.bound))
    }

    fn fixed(literal: &str) -> Bound {
        Bound::Fixed(literal.parse().unwrap())
    }

    #[test]
    fn heap_flags_of_java_node_and_go_are_read() {
        assert_eq!(heap("java -Xmx512m -jar app.jar", &[]), Some(("-Xmx", fixed("512Mi"))));
        assert_eq!(heap("java -jar a.jar", &[("JAVA_TOOL_OPTIONS", "-Xmx2G")]), Some(("-Xmx", fixed("2Gi"))));
        let percent = Some(("-XX:MaxRAMPercentage", Bound::Percent(90)));
        assert_eq!(heap("java -XX:MaxRAMPercentage=90.0 -jar app.jar", &[]), percent);
        let node = Some(("--max-old-space-size", fixed("400Mi")));
        assert_eq!(heap("node app.js", &[("NODE_OPTIONS", "--max-old-space-size=400")]), node);
        assert_eq!(heap("node --max-old-space-size 400 app.js", &[]), node);
        assert_eq!(heap("/app", &[("GOMEMLIMIT", "400MiB")]), Some(("GOMEMLIMIT", fixed("400Mi"))));
        assert_eq!(heap("java -Xms512m -Xmxfoo", &[("GOMEMLIMIT", "off")]), None);
    }

    #[test]
    fn the_last_heap_flag_counts() {
        assert_eq!(heap("java -Xmx1g -Xmx2g", &[]), Some(("-Xmx", fixed("2Gi"))));
    }

    #[test]
    fn workers_are_counted_where_a_server_forks_them() {
        let count = |line, variables: &[(&str, &str)]| words(line, variables).workers().map(|workers| workers.count);
        assert_eq!(count("gunicorn -w 4 app:app", &[]), Some(4));
        assert_eq!(count("/usr/bin/gunicorn --workers=3 app:app", &[]), Some(3));
        assert_eq!(count("puma -w2", &[]), Some(2));
        assert_eq!(count("celery -A tasks worker --concurrency 8", &[]), Some(8));
        assert_eq!(count("gunicorn app:app", &[("WEB_CONCURRENCY", "6")]), Some(6));
        assert_eq!(count("mytool -w 4", &[]), None);
        assert_eq!(count("gunicorn -w 1 app:app", &[]), None);
        assert_eq!(count("gunicorn -w 99999999999999999999 app:app", &[]), None);
    }
}
