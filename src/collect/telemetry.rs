//! Alerts as Alertmanager and Prometheus print them, and Prometheus' answers to queries.

use std::fmt;

use jiff::Timestamp;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::model::telemetry::{Alert, AlertState, Labels, Series};

/// An alert of any of their APIs: they differ in where they keep the state.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WireAlert {
    labels: Labels,
    annotations: Labels,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Timestamp>,
    /// Prometheus' word for the start.
    #[serde(skip_serializing)]
    active_at: Option<Timestamp>,
    /// Prometheus' place of the state.
    #[serde(skip_serializing)]
    state: String,
    /// Alertmanager's: `{"state": "active"}`, in webhooks a word.
    status: Value,
}

impl From<WireAlert> for Alert {
    fn from(wire: WireAlert) -> Self {
        let word = wire.status.as_str().or_else(|| wire.status["state"].as_str()).unwrap_or(&wire.state);
        let state = match word {
            "pending" | "unprocessed" => AlertState::Pending,
            "suppressed" | "silenced" | "inhibited" => AlertState::Suppressed,
            "resolved" | "inactive" | "expired" => AlertState::Resolved,
            _ => AlertState::Active,
        };
        // Go writes a time that is not set as that of the year 1.
        let set = |time: Option<Timestamp>| time.filter(|time| *time > Timestamp::UNIX_EPOCH);
        Self {
            starts_at: set(wire.starts_at).or(set(wire.active_at)),
            ends_at: set(wire.ends_at),
            labels: wire.labels,
            annotations: wire.annotations,
            state,
        }
    }
}

impl From<&Alert> for WireAlert {
    fn from(alert: &Alert) -> Self {
        Self {
            labels: alert.labels.clone(),
            annotations: alert.annotations.clone(),
            starts_at: alert.starts_at,
            ends_at: alert.ends_at,
            status: serde_json::json!({"state": alert.state.as_str()}),
            ..Self::default()
        }
    }
}

/// Prometheus' answer to a query, over a range or at a moment.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Answer {
    status: String,
    data: Data,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Data {
    result_type: String,
    result: Vec<WireSeries>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct WireSeries {
    metric: Labels,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<(f64, Number)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<(f64, Number)>,
}

impl Answer {
    /// Wraps series as an answer to a range query.
    pub fn of(series: &[Series]) -> Self {
        let wire = |series: &Series| WireSeries {
            metric: series.labels.clone(),
            values: series.samples.iter().map(|&(time, value)| (time, Number(value))).collect(),
            value: None,
        };
        let data = Data { result_type: "matrix".to_owned(), result: series.iter().map(wire).collect() };
        Self { status: "success".to_owned(), data }
    }

    /// Returns the series in it.
    pub fn series(self) -> Vec<Series> {
        let plain = |wire: WireSeries| Series {
            labels: wire.metric,
            samples: wire.values.into_iter().chain(wire.value).map(|(time, Number(value))| (time, value)).collect(),
        };
        self.data.result.into_iter().map(plain).collect()
    }
}

/// Reads a Prometheus answer.
///
/// # Errors
/// When it is not one, or says that the query failed.
pub fn metrics(bytes: &[u8]) -> Result<Vec<Series>, serde_json::Error> {
    let answer: Answer = serde_json::from_slice(bytes)?;
    if answer.status == "error" {
        return Err(serde_json::Error::custom("the query failed"));
    }
    Ok(answer.series())
}

/// Reads alerts: a bare array (Alertmanager), or one within `data` (Prometheus, older Alertmanagers).
///
/// # Errors
/// When it is neither.
pub fn alerts(bytes: &[u8]) -> Result<Vec<Alert>, serde_json::Error> {
    let mut value: Value = serde_json::from_slice(bytes)?;
    for key in ["data", "alerts"] {
        if let Some(inner) = value.get_mut(key) {
            value = inner.take();
        }
    }
    let wire: Vec<WireAlert> = serde_json::from_value(value)?;
    Ok(wire.into_iter().map(Alert::from).collect())
}

/// A sample's value, which Prometheus writes as a string.
#[derive(Clone, Copy, Debug)]
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Number;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a number, or one in a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                // `+Inf` and `NaN` are what Rust reads too.
                text.parse().map(Number).map_err(E::custom)
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Number, E> {
                Ok(Number(value))
            }

            #[expect(clippy::cast_precision_loss, reason = "samples are floats")]
            fn visit_u64<E: Error>(self, value: u64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }

            #[expect(clippy::cast_precision_loss, reason = "samples are floats")]
            fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }
        }
        deserializer.deserialize_any(Read)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_of_alertmanager_and_of_prometheus_are_read() {
        let manager = br#"[{"labels":{"alertname":"Slow"},"startsAt":"2026-01-01T00:00:00Z","endsAt":"0001-01-01T00:00:00Z","status":{"state":"suppressed"}}]"#;
        let read = alerts(manager).unwrap();
        assert_eq!((read[0].name(), read[0].state, read[0].ends_at), ("Slow", AlertState::Suppressed, None));
        let prometheus = br#"{"status":"success","data":{"alerts":[{"labels":{"alertname":"Slow"},"activeAt":"2026-01-01T00:00:00Z","state":"pending"}]}}"#;
        let read = alerts(prometheus).unwrap();
        assert_eq!((read[0].state, read[0].starts_at.is_some()), (AlertState::Pending, true));
        assert!(alerts(b"{}").is_err());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let read = metrics(br#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up"},"values":[[1,"0.5"],[2,"NaN"]]}]}}"#).unwrap();
        let again = metrics(&serde_json::to_vec(&Answer::of(&read)).unwrap()).unwrap();
        assert_eq!(again[0].samples[0], (1.0, 0.5));
        assert!(again[0].samples[1].1.is_nan());
        assert!(metrics(br#"{"status":"error"}"#).is_err());
    }
}
