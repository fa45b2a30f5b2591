//! Breaking prose into lines.

use crate::render::look::columns;

/// Signs after which a word that is longer than a line may be broken.
const JOINTS: &[char] = &['/', '-', '.', ',', ':', ';', '=', '&', '?', '_', '@', ')', ']', '}'];

/// Breaks safe text into lines of at most `room` columns, between words where that is possible.
pub(in crate::render) fn wrap(text: &str, room: usize) -> Vec<String> {
    let room = room.max(2);
    let mut lines = vec![String::new()];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        push_word(&mut lines, word, room);
    }
    lines
}

fn push_word(lines: &mut Vec<String>, mut word: &str, room: usize) {
    let line = lines.last_mut().expect("there is always a line");
    let space = if line.is_empty() { "" } else { " " };
    if columns(line) + space.len() + columns(word) <= room {
        line.push_str(space);
        line.push_str(word);
        return;
    }
    if !line.is_empty() {
        lines.push(String::new());
    }
    while columns(word) > room {
        let (head, tail) = word.split_at(joint(word, room));
        lines.last_mut().expect("there is always a line").push_str(head);
        lines.push(String::new());
        word = tail;
    }
    lines.last_mut().expect("there is always a line").push_str(word);
}

/// Returns where to break a word that is too long: after the last joint, unless that would leave half a line empty.
fn joint(word: &str, room: usize) -> usize {
    let end = fitting(word, room);
    let fits = &word[..end];
    let after = fits.rfind(JOINTS).map(|at| at + fits[at..].chars().next().map_or(1, char::len_utf8));
    after.filter(|&at| columns(&fits[..at]) * 2 > room).unwrap_or(end)
}

/// Returns how many bytes of the text fit; at least one character, so that there is progress.
pub(super) fn fitting(text: &str, room: usize) -> usize {
    let mut end = 0;
    let mut buffer = [0; 4];
    for c in text.chars() {
        let next = end + c.len_utf8();
        let used = columns(&text[..end]) + columns(c.encode_utf8(&mut buffer));
        if used > room && end > 0 {
            break;
        }
        end = next;
    }
    end
}

/// Joins items that must not be broken into lines of at most `room` columns, unless one alone is longer.
pub(super) fn flow(items: &[String], separator: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if columns(line) + columns(separator) + columns(item) <= room => {
                line.push_str(separator);
                line.push_str(item);
            }
            _ => lines.push(item.clone()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(wrap("ran out of memory", 9), ["ran out", "of memory"]);
        assert_eq!(wrap("", 9), [""]);
        assert_eq!(wrap("a  b", 9), ["a b"]);
    }

    #[test]
    fn long_words_break_at_their_joints() {
        assert_eq!(wrap("no registry.example.com/shop/cart:v1", 20), ["no", "registry.example.", "com/shop/cart:v1"]);
        assert_eq!(wrap("aaaaaaaa", 3), ["aaa", "aaa", "aa"]);
        assert_eq!(wrap("日本語", 5), ["日本", "語"]);
    }

    #[test]
    fn items_stay_whole() {
        let items = ["for 12m".to_owned(), "97 % sure".to_owned(), "oom-killed".to_owned()];
        assert_eq!(flow(&items, " · ", 20), ["for 12m · 97 % sure", "oom-killed"]);
    }

    proptest! {
        #[test]
        fn lines_fit_and_nothing_is_lost(text in "[ a-z/日\u{301}.-]{0,60}", room in 2_usize..20) {
            let lines = wrap(&text, room);
            for line in &lines {
                prop_assert!(columns(line) <= room, "{line:?}");
            }
            prop_assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        }
    }
}
