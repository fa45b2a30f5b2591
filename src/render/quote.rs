//! Writes commands that a user may paste into a shell, whatever is in the names.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use std::borrow::Cow;

/// Quotes one argument for a POSIX shell, leaving it plain when nothing in it means anything to one.
///
/// A NUL, which no argument can hold, is dropped.
pub fn sh(argument: &str) -> Cow<'_, str> {
    if is_plain(argument) { Cow::Borrowed(argument) } else { Cow::Owned(single_quoted(argument)) }
}

/// Joins a program and its arguments into one line for a POSIX shell.
pub fn command(program_and_args: &[&str]) -> String {
    let mut line = String::new();
    for (index, word) in program_and_args.iter().enumerate() {
        // As the first word, `A=b` would set a variable.
        let quoted = if index == 0 && word.contains('=') { single_quoted(word).into() } else { sh(word) };
        if index > 0 {
            line.push(' ');
        }
        line.push_str(&quoted);
    }
    line
}

fn is_plain(argument: &str) -> bool {
    // zsh expands a leading `=`.
    !argument.is_empty()
        && !argument.starts_with('=')
        && argument.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_./:=@%+,-".contains(&byte))
}

fn single_quoted(argument: &str) -> String {
    format!("'{}'", argument.replace('\0', "").replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a real shell makes of one quoted word.
    #[expect(clippy::disallowed_methods, reason = "only a real shell can tell how it reads a word")]
    fn read_by_shell(line: &str) -> String {
        let output = std::process::Command::new("sh").args(["-c", line]).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn plain_words_stay_plain() {
        for word in ["kubectl", "pod/shop/cart-0", "--context=a@b", "app=web,tier!=db"] {
            assert_eq!(sh(word) == word, !word.contains('!'), "{word}");
        }
        assert_eq!(command(&["kubectl", "logs", "-n", "shop", "cart 0"]), "kubectl logs -n shop 'cart 0'");
    }

    #[test]
    fn injections_are_text() {
        for word in [
            "",
            "$(touch x)",
            "`touch x`",
            "a\nb",
            "a;b",
            "it's",
            "\"",
            "'",
            "\\",
            "~",
            "~root",
            "*",
            "-n",
            "a b",
            "$HOME",
            "!x",
            "#",
            "=ls",
            "a&b",
            "a|b",
            "<x",
            ">x",
            "{a,b}",
            "\u{1b}[0m",
        ] {
            assert_eq!(read_by_shell(&format!("printf %s {}", sh(word))), word);
        }
    }

    #[test]
    fn a_first_word_sets_no_variable() {
        assert_eq!(command(&["A=b", "A=b"]), "'A=b' A=b");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn a_shell_reads_what_was_quoted(word in "[^\\x00]{0,30}") {
            prop_assert_eq!(read_by_shell(&format!("printf %s {}", sh(&word))), word);
        }
    }
}
