//! Untrusted text within HTML and XML.

use super::safe;

/// Makes text safe within one line of an element or a quoted attribute.
pub(super) fn line(text: &str) -> String {
    escaped(&safe::line(text))
}

/// Makes text safe within an element: as [`line`], but line breaks stay.
pub(super) fn block(text: &str) -> String {
    escaped(&safe::block(text))
}

fn escaped(text: &str) -> String {
    let mut markup = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => markup.push_str("&amp;"),
            '<' => markup.push_str("&lt;"),
            '>' => markup.push_str("&gt;"),
            '"' => markup.push_str("&quot;"),
            '\'' => markup.push_str("&#39;"),
            // No character of XML, in which form ever.
            '\u{fffe}' | '\u{ffff}' => markup.push('\u{fffd}'),
            c => markup.push(c),
        }
    }
    markup
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(line("<b a='1' c=\"2\">&amp;</b>"), "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;amp;&lt;/b&gt;");
        assert_eq!(line("a\nb\u{1b}[31m\u{0}\u{ffff}"), "a ⏎ b^[[31m^@\u{fffd}");
        assert_eq!(block("a\n<b>"), "a\n&lt;b&gt;");
    }
}
