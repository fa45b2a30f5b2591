//! Reads what a model answered, also where it is clumsy: fences, prose around it, other keys, a missing end.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use serde_json::Value;

use super::grounding::Claim;

/// Reads sentences; what cannot be read is dropped, never shown.
pub fn claims(answer: &str) -> Vec<Claim> {
    let Some(start) = answer.find(['{', '[']) else { return Vec::new() };
    let body = &answer[start..];
    let parsed = first_value(body).or_else(|| first_value(&closed(body)));
    parsed.map(|value| found(&value)).unwrap_or_default()
}

/// Reads the first JSON value, whatever stands behind it.
fn first_value(text: &str) -> Option<Value> {
    serde_json::Deserializer::from_str(text).into_iter::<Value>().next()?.ok()
}

/// Cuts an answer that broke off after its last whole object, and closes what is open.
fn closed(text: &str) -> String {
    let mut open = Vec::new();
    let mut last = None;
    let (mut in_string, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => open.push(byte),
            b'}' | b']' if !in_string => {
                open.pop();
                if byte == b'}' {
                    last = Some((at + 1, open.clone()));
                }
            }
            _ => {}
        }
        // Nobody answers like that.
        if open.len() > 32 {
            return String::new();
        }
    }
    let Some((end, open)) = last else { return String::new() };
    let tail: String = open.iter().rev().map(|byte| if *byte == b'{' { '}' } else { ']' }).collect();
    format!("{}{tail}", &text[..end])
}

/// Finds the list of sentences, or a single one.
fn found(value: &Value) -> Vec<Claim> {
    match value {
        Value::Array(items) => items.iter().filter_map(claim).collect(),
        Value::Object(fields) => {
            let list = fields.values().find_map(Value::as_array).filter(|list| list.iter().any(Value::is_object));
            list.map_or_else(|| claim(value).into_iter().collect(), |items| items.iter().filter_map(claim).collect())
        }
        _ => Vec::new(),
    }
}

fn claim(value: &Value) -> Option<Claim> {
    let first = |keys: &[&str]| keys.iter().find_map(|key| value.get(*key)).cloned();
    let text = first(&["text", "sentence", "content"])?.as_str()?.to_owned();
    let ids = match first(&["evidence", "ids", "id", "cites", "citations"]) {
        Some(Value::Array(ids)) => ids.iter().filter_map(Value::as_str).map(tidy).collect(),
        Some(Value::String(ids)) => ids.split([',', ' ']).filter(|id| !id.is_empty()).map(tidy).collect(),
        _ => Vec::new(),
    };
    Some(Claim { text, evidence: ids })
}

fn tidy(id: &str) -> String {
    id.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(answer: &str) -> Vec<String> {
        claims(answer).into_iter().map(|claim| format!("{} {:?}", claim.text, claim.evidence)).collect()
    }

    #[test]
    fn clumsy_json_is_read() {
        let whole = r#"{"sentences":[{"text":"A.","evidence":["E1"]},{"text":"B.","evidence":["E2"]}]}"#;
        for answer in [
            whole.to_owned(),
            format!("Sure! Here it is:\n```json\n{whole}\n```\nHope it helps."),
            r#"[{"text":"A.","evidence":["E1"]},{"sentence":"B.","evidence":"[E2]"}]"#.to_owned(),
            r#"{"answer":[{"text":"A.","ids":["E1"]},{"text":"B.","evidence":["E2"]}],"n":1}"#.to_owned(),
            r#"{"sentences":[{"text":"A.","evidence":["E1"]},{"text":"B.","evidence":["E2"]},{"text":"C { [ is cut"#
                .to_owned(),
        ] {
            assert_eq!(texts(&answer), [r#"A. ["E1"]"#, r#"B. ["E2"]"#], "{answer}");
        }
    }

    #[test]
    fn what_is_no_answer_is_dropped() {
        for answer in
            ["", "I cannot help.", "{", "[[[[", "{\"sentences\":\"A.\"}", "{\"sentences\":[1,2]}", "null", "\u{0}{"]
        {
            assert_eq!(claims(answer), Vec::new(), "{answer}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(claims(&deep), Vec::new());
    }
}
