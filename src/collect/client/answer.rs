//! Reads what the server says besides lists: refusals, warnings, logs.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;

use super::RequestError;
use super::retry::{Again, Failed};

/// How much of an answer that is no Status is quoted.
const QUOTED: usize = 200;
/// How the kubelet says, with status 200, that it has no log.
const NO_LOG: &str = "unable to retrieve container logs for";

/// The part of `metav1.Status` that tells failures apart.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    kind: String,
    message: String,
    reason: String,
    metadata: StatusMeta,
    details: Option<StatusDetails>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StatusMeta {
    r#continue: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StatusDetails {
    name: String,
    retry_after_seconds: u64,
}

/// Reads an answer whose status code is no success.
pub(super) fn refused(code: u16, headers: &HeaderMap, body: &[u8]) -> Failed {
    let status = serde_json::from_slice::<Status>(body).ok().filter(|status| status.kind == "Status");
    let asked = wait_asked(headers, status.as_ref());
    let message = match &status {
        Some(status) if !status.message.is_empty() => printable(&status.message),
        Some(status) => printable(&status.reason),
        None => first_line(body),
    };
    Failed { again: again(code, asked, &message), error: error(code, message, status.unwrap_or_default()) }
}

fn error(code: u16, message: String, status: Status) -> RequestError {
    let names_object = status.details.is_some_and(|details| !details.name.is_empty());
    match code {
        401 => RequestError::Unauthorized,
        403 => RequestError::Forbidden { message },
        404 if names_object => RequestError::NotFound { message },
        404 | 405 => RequestError::NotServed,
        410 => RequestError::Expired { message, token: Some(status.metadata.r#continue).filter(|t| !t.is_empty()) },
        429 => RequestError::TooManyRequests,
        500.. => RequestError::ServerError { code, message },
        300..=399 => RequestError::Invalid { message: format!("redirected ({code})") },
        _ => RequestError::Rejected { message },
    }
}

fn again(code: u16, asked: Option<Duration>, message: &str) -> Again {
    let passing = match code {
        429 | 502..=504 => true,
        500 => asked.is_some() || message.contains("etcdserver") || message.contains("leader changed"),
        _ => false,
    };
    match (passing, asked) {
        (false, _) => Again::Never,
        (true, Some(asked)) => Again::After(asked),
        (true, None) => Again::Soon,
    }
}

/// Returns how long the server asks to wait. A `Retry-After` that is a date is taken for none: clocks differ.
fn wait_asked(headers: &HeaderMap, status: Option<&Status>) -> Option<Duration> {
    let header = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    let details = status.and_then(|status| status.details.as_ref()).map(|details| details.retry_after_seconds);
    header.or(details.filter(|seconds| *seconds > 0)).map(Duration::from_secs)
}

fn first_line(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * QUOTED)]);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("the answer is empty");
    printable(line).chars().take(QUOTED).collect()
}

/// Takes out what could steer a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Returns the text of a `Warning: 299 - "text"` header.
pub(super) fn warning(value: &HeaderValue) -> Option<String> {
    let text = String::from_utf8_lossy(value.as_bytes());
    let quoted = text.strip_prefix("299 ")?.split_once(' ')?.1.trim();
    let inner = quoted.strip_prefix('"')?;
    let mut plain = String::new();
    let mut escaped = false;
    for c in inner.chars() {
        match c {
            '"' if !escaped => break,
            '\\' if !escaped => escaped = true,
            c => {
                escaped = false;
                plain.push(c);
            }
        }
    }
    Some(printable(&plain)).filter(|text| !text.is_empty())
}

/// Reads the body of a log, which may be the kubelet's excuse for not having one.
pub(super) fn log_text(body: &[u8]) -> Result<String, RequestError> {
    let text = String::from_utf8_lossy(body);
    if text.trim_start().starts_with(NO_LOG) {
        return Err(RequestError::NotFound { message: first_line(body) });
    }
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(header: &str) -> Option<String> {
        warning(&HeaderValue::from_str(header).unwrap())
    }

    #[test]
    fn warnings_are_unquoted() {
        assert_eq!(text(r#"299 - "v1 Endpoints is deprecated""#).as_deref(), Some("v1 Endpoints is deprecated"));
        assert_eq!(text(r#"299 - "say \"hi\" \\o/" "Sat, 01 Jan""#).as_deref(), Some(r#"say "hi" \o/"#));
        assert_eq!(text("110 - stale"), None);
        assert_eq!(text("299 -"), None);
    }

    #[test]
    fn internal_errors_are_retried_only_when_they_pass() {
        assert_eq!(again(500, None, "etcdserver: leader changed"), Again::Soon);
        assert_eq!(again(500, Some(Duration::from_secs(1)), ""), Again::After(Duration::from_secs(1)));
        assert_eq!(again(500, None, "panic"), Again::Never);
        assert_eq!(again(501, None, ""), Again::Never);
    }

    #[test]
    fn an_answer_that_is_no_status_is_quoted_without_control_characters() {
        let failed = refused(403, &HeaderMap::new(), b"\n \x1b[31mdenied by proxy\nmore");
        assert_eq!(failed.error, RequestError::Forbidden { message: " [31mdenied by proxy".to_owned() });
    }

    #[test]
    fn a_log_is_read_even_if_it_is_not_utf8() {
        assert_eq!(log_text(b"caf\xe9 open\n").unwrap(), "caf\u{fffd} open\n");
    }
}
