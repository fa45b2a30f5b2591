//! Classifies alerts by their words, as everybody names their alerts differently.

/// A golden signal, saturation told apart by resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    Latency,
    /// Packets are lost, corrupted or sent again.
    Loss,
    Errors,
    /// The CPU limit holds it back.
    Throttling,
    Cpu,
    Memory,
    Disk,
    /// More or fewer requests or packets than usual.
    Traffic,
}

/// Words that say that nothing was measured, or that speak of plans and quotas rather than of what runs.
const NO_SIGNAL: &[&str] = &["missing", "vanished", "absent", "nodata", "overcommit", "quota", "certificate"];

const LATENCY: &[&str] = &[
    "latency",
    "latencies",
    "slow",
    "slowness",
    "duration",
    "durations",
    "delay",
    "delayed",
    "p50",
    "p90",
    "p95",
    "p99",
];
const RESEND: &[&str] = &["retransmission", "retransmissions", "retransmit", "retransmits", "retrans", "packetloss"];
const PACKETS: &[&str] = &["packet", "packets", "tcp", "receive", "transmit"];
const LOST: &[&str] = &["loss", "lost", "dropped", "corrupt", "corrupted", "corruption", "duplicated"];
const NETWORK_ERRORS: &[&str] = &["receive", "transmit", "nic", "interface"];
const ERRORS: &[&str] = &["error", "errors", "errs", "5xx", "4xx", "success", "unsuccessful", "availability"];
const THROTTLING: &[&str] = &["throttling", "throttled", "throttle", "cfs"];
const MEMORY: &[&str] = &["memory", "mem", "oom", "rss", "heap", "swap"];
const DISK: &[&str] =
    &["disk", "disks", "filesystem", "filesystems", "inode", "inodes", "iops", "iowait", "volume", "io"];
const CPU: &[&str] = &["cpu", "cpus", "core", "cores", "load"];
const TRAFFIC: &[&str] =
    &["traffic", "throughput", "rps", "qps", "tps", "pps", "bandwidth", "requests", "request", "network"];

/// Classifies a text, such as an alert's name and summary.
pub fn classify(text: &str) -> Option<Signal> {
    let words = split(text);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    if has(NO_SIGNAL) {
        return None;
    }
    // Traffic that dropped is less traffic; packets that dropped are lost.
    let lost = (has(PACKETS) && has(LOST)) || (has(&["network"]) && has(&["loss", "lost", "corruption"]));
    let signal = if has(RESEND) || lost || (has(NETWORK_ERRORS) && has(&["errors", "errs"])) {
        Signal::Loss
    } else if has(DISK) {
        // Also when it is the disk that is slow.
        Signal::Disk
    } else if has(LATENCY) || (has(&["response"]) && has(&["time", "times"])) {
        Signal::Latency
    } else if has(THROTTLING) {
        Signal::Throttling
    } else if has(ERRORS) || (has(&["failed", "failing", "failures"]) && has(&["request", "requests", "calls"])) {
        Signal::Errors
    } else if has(MEMORY) {
        Signal::Memory
    } else if has(CPU) {
        Signal::Cpu
    } else if has(TRAFFIC) {
        Signal::Traffic
    } else {
        return None;
    };
    Some(signal)
}

/// Splits at everything that is no letter or digit, and within `CamelCase` and `HTTPErrors`; lower case.
fn split(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut words = vec![String::new()];
    for (index, &letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map_or(' ', |before| letters[before]);
        let after = letters.get(index + 1).copied().unwrap_or(' ');
        let acronym_ends = before.is_uppercase() && letter.is_uppercase() && after.is_lowercase();
        if !letter.is_alphanumeric() || acronym_ends || (before.is_lowercase() && letter.is_uppercase()) {
            words.push(String::new());
        }
        if letter.is_alphanumeric() {
            words.last_mut().into_iter().for_each(|word| word.extend(letter.to_lowercase()));
        }
    }
    // `p90latency` is two words.
    let halves = words.iter().flat_map(|word| match word.strip_suffix("latency") {
        Some(quantile) if !quantile.is_empty() => vec![quantile.to_owned(), "latency".to_owned()],
        _ => vec![word.clone()],
    });
    halves.filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_known_by_their_words() {
        for (text, signal) in [
            ("HighRequestLatency", Some(Signal::Latency)),
            ("http_response_time_p99 is high", Some(Signal::Latency)),
            ("CPUThrottlingHigh", Some(Signal::Throttling)),
            ("KubeCPUOvercommit", None),
            ("NodeNetworkReceiveErrs", Some(Signal::Loss)),
            ("TcpRetransmissions on the node", Some(Signal::Loss)),
            ("HTTP5xxErrors", Some(Signal::Errors)),
            ("ErrorBudgetBurn", Some(Signal::Errors)),
            ("ContainerMemoryNearLimit", Some(Signal::Memory)),
            ("NodeDiskIOSaturation", Some(Signal::Disk)),
            ("RequestRateDropped", Some(Signal::Traffic)),
            ("Packets dropped", Some(Signal::Loss)),
            ("Network traffic dropped", Some(Signal::Traffic)),
            ("LatencyMissing", None),
            ("Watchdog", None),
            ("KubePodCrashLooping", None),
            ("KubeJobFailed", None),
        ] {
            assert_eq!(classify(text), signal, "{text}");
        }
    }
}
