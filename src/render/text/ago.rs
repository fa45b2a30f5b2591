//! Times as people say them: `12m`, `3m ago`.

use jiff::{SignedDuration, Timestamp};

use crate::model::{Incident, State};

/// What happened within this span before the snapshot is still going on, as far as words go.
const NOW: SignedDuration = SignedDuration::from_secs(60);

/// Writes a moment to the second: `2026-11-21T12:00:00Z`.
pub(in crate::render) fn to_the_second(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

/// Writes a span as kubectl does: two units at most, and only one where the second says little.
pub(in crate::render) fn span(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        _ => two(days / 365, "y", days % 365, "d"),
    }
}

fn two(large: i64, unit: &str, small: i64, small_unit: &str) -> String {
    if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit}{small}{small_unit}") }
}

/// Says how long before the snapshot something was: `3m ago`.
pub(in crate::render) fn ago(now: Timestamp, then: Timestamp) -> String {
    let passed = now.duration_since(then);
    if passed < SignedDuration::from_secs(1) { "just now".to_owned() } else { format!("{} ago", span(passed)) }
}

/// Says since when an incident is seen and when it was last: `for 12m, last 3m ago`.
pub(in crate::render) fn seen(now: Timestamp, incident: &Incident) -> Option<String> {
    let (first, last) = (incident.first_seen, incident.last_seen);
    if incident.cause.state == State::Past {
        return last.or(first).map(|then| format!("over, last {}", ago(now, then)));
    }
    match (first, last) {
        (Some(first), Some(last)) if first < last && now.duration_since(last) > NOW => {
            Some(format!("for {}, last {}", span(now.duration_since(first)), ago(now, last)))
        }
        (Some(first), Some(last)) if first == last => Some(ago(now, last)),
        (Some(first), _) => Some(format!("for {}", span(now.duration_since(first)))),
        (None, Some(last)) => Some(format!("last {}", ago(now, last))),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_in_kubectl() {
        let cases = [
            (-5, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (185, "3m5s"),
            (720, "12m"),
            (10_800, "3h"),
            (11_700, "3h15m"),
            (93_600, "26h"),
            (262_800, "3d1h"),
            (864_000, "10d"),
            (63_072_000, "2y"),
            (63_158_400, "2y1d"),
        ];
        for (seconds, words) in cases {
            assert_eq!(span(SignedDuration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn a_clock_that_is_ahead_says_just_now() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(ago(now, now + SignedDuration::from_secs(30)), "just now");
        assert_eq!(ago(now, now - SignedDuration::from_secs(30)), "30s ago");
    }
}
