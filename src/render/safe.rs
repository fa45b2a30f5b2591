//! Makes untrusted text (logs, event messages, names, the words of a model) harmless to a terminal.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

/// Makes text safe to print within one line.
///
/// Escapes are shown as kubectl shows them (`^[` for ESC, `\r` for CR), a line break becomes ` ⏎ `, a tab becomes a
/// space, marks that turn the writing direction become `\u{202e}`, and what has no width is dropped.
pub fn line(text: &str) -> Cow<'_, str> {
    sanitized(text, false)
}

/// Makes text safe to print as lines: as [`line`], but line breaks stay.
pub fn block(text: &str) -> Cow<'_, str> {
    sanitized(text, true)
}

/// Cuts text to so many terminal columns, the last of them `…` when something was cut.
pub fn shorten(text: &str, width: usize) -> Cow<'_, str> {
    let columns = |c: char| c.width().unwrap_or(0);
    if text.len() <= width || text.chars().map(columns).sum::<usize>() <= width {
        return Cow::Borrowed(text);
    }
    let Some(room) = width.checked_sub(1) else {
        return Cow::Borrowed("");
    };
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += columns(*c);
        used > room
    });
    let kept = end.map_or(text, |(at, _)| &text[..at]);
    Cow::Owned(format!("{}…", kept.trim_end()))
}

fn sanitized(text: &str, keep_lines: bool) -> Cow<'_, str> {
    let harmless = |c: char| (keep_lines && c == '\n') || !is_unsafe(c);
    let Some(first) = text.find(|c| !harmless(c)) else {
        return Cow::Borrowed(text);
    };
    let mut safe = String::with_capacity(text.len() + 16);
    safe.push_str(&text[..first]);
    for c in text[first..].chars() {
        if harmless(c) { safe.push(c) } else { push_escaped(&mut safe, c) }
    }
    Cow::Owned(safe)
}

fn is_unsafe(c: char) -> bool {
    c.is_control() || is_turning(c) || is_invisible(c) || is_line_separator(c)
}

/// Overrides, embeddings and isolates of the writing direction, which make text read as something else.
fn is_turning(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// Characters without width, which hide text or tell equal names apart.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn is_line_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

fn push_escaped(safe: &mut String, c: char) {
    match c {
        '\t' => safe.push(' '),
        '\r' => safe.push_str("\\r"),
        '\n' | '\u{2028}' | '\u{2029}' => safe.push_str(" ⏎ "),
        '\u{7f}' => safe.push_str("^?"),
        '\0'..='\u{1f}' => {
            safe.push('^');
            safe.push(char::from(b'@' + u8::try_from(c).unwrap_or_default()));
        }
        _ if is_invisible(c) => {}
        _ => write!(safe, "\\u{{{:x}}}", u32::from(c)).expect("a String takes everything"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_text_is_borrowed() {
        assert!(matches!(line("pod/shop/cart-0 is größer als 64Mi"), Cow::Borrowed(_)));
        assert!(matches!(block("a\nb"), Cow::Borrowed(_)));
    }

    #[test]
    fn escapes_are_shown_not_obeyed() {
        assert_eq!(line("a\x1b[31mred\x1b]0;title\x07"), "a^[[31mred^[]0;title^G");
        assert_eq!(line("done\rfailed"), "done\\rfailed");
        assert_eq!(line("a\u{9b}31m\u{7f}\0"), "a\\u{9b}31m^?^@");
    }

    #[test]
    fn lines_are_joined_or_kept() {
        assert_eq!(line("a\n\tb"), "a ⏎  b");
        assert_eq!(block("a\n\tb\u{2028}c"), "a\n b ⏎ c");
    }

    #[test]
    fn turned_and_hidden_text_is_uncovered() {
        assert_eq!(line("x\u{202e}gpj.exe"), "x\\u{202e}gpj.exe");
        assert_eq!(line("pay\u{200b}pal\u{feff}"), "paypal");
        assert_eq!(line("a\u{2066}b\u{2069}"), "a\\u{2066}b\\u{2069}");
    }

    #[test]
    fn shortening_counts_columns() {
        assert_eq!(shorten("cart-0", 6), "cart-0");
        assert_eq!(shorten("cart-00", 6), "cart-…");
        assert_eq!(shorten("日本語", 6), "日本語");
        assert_eq!(shorten("日本語", 5), "日本…");
        assert_eq!(shorten("日本語", 4), "日…");
        assert_eq!(shorten("out of memory", 8), "out of…");
        assert_eq!(shorten("abc", 1), "…");
        assert_eq!(shorten("abc", 0), "");
    }

    proptest! {
        #[test]
        fn no_control_character_survives(text in any::<String>()) {
            prop_assert!(!line(&text).chars().any(is_unsafe));
            prop_assert!(!block(&text).chars().any(|c| is_unsafe(c) && c != '\n'));
        }

        #[test]
        fn no_control_character_survives_dense(chars in prop::collection::vec(prop_oneof![0_u32..0xa1, 0x2000_u32..0x2070, Just(0xfeff)], 0..40)) {
            let text: String = chars.into_iter().filter_map(char::from_u32).collect();
            prop_assert!(!line(&text).chars().any(is_unsafe));
            let once = line(&text).into_owned();
            prop_assert_eq!(line(&once), once.as_str());
        }

        #[test]
        fn shortened_text_fits(text in any::<String>(), width in 0_usize..40) {
            let columns: usize = shorten(&text, width).chars().map(|c| c.width().unwrap_or(0)).sum();
            prop_assert!(columns <= width);
        }
    }
}
