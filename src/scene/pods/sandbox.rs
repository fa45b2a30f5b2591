//! Sandboxes of pods that could not be made, and why.

use jiff::SignedDuration;

use crate::scene::{EventView, PodView, Scene};

/// A first failure right after a node came up is no fault yet.
const PATIENCE: SignedDuration = SignedDuration::from_secs(20);

/// Returns the pods that still have no sandbox, with the newest event that says so.
pub fn failures<'s>(scene: &'s Scene<'s>) -> Vec<(PodView<'s>, &'s EventView<'s>)> {
    let pods = scene.suspects().filter(|pod| pod.phase() == "Pending" && !pod.is_terminating() && !has_sandbox(*pod));
    let failing = pods.filter_map(|pod| Some((pod, pod.event("FailedCreatePodSandBox")?)));
    failing.filter(|(_, event)| scene.is_recent(event.last) && persists(scene, event)).collect()
}

fn persists(scene: &Scene<'_>, event: &EventView<'_>) -> bool {
    event.count > 1 || event.first.is_some_and(|first| scene.now().duration_since(first) >= PATIENCE)
}

/// Returns whether a container was started in it, or tried to be.
fn has_sandbox(pod: PodView<'_>) -> bool {
    let ready = pod.condition("PodReadyToStartContainers").is_some_and(|condition| condition.status == "True");
    ready || pod.containers().any(|container| container.running().is_some() || container.last_end().is_some())
}

/// Returns whether no address was left.
pub fn lacks_address(message: &str) -> bool {
    let words = [
        "no IP addresses available",
        "failed to allocate for range",
        "no available IP",
        "failed to assign an IP address",
        "no more IPs",
        "No more IPs",
        "InsufficientFreeAddresses",
    ];
    words.iter().any(|word| message.contains(word))
}

/// Returns whether the memory limit was too small even for the sandbox.
pub fn ran_out_of_memory(message: &str) -> bool {
    message.contains("OOM-killed") || message.contains("memory limit too low")
}

/// Returns the end of a runtime's message, which tells the cause.
pub fn cause(message: &str) -> &str {
    let message = message.trim().trim_end_matches('.');
    let marks = [
        "failed to setup network for sandbox",
        "failed to set up sandbox container",
        "failed to get sandbox runtime",
        "desc = ",
    ];
    let found = marks
        .iter()
        .filter_map(|mark| message.find(mark).map(|at| if *mark == "desc = " { at + mark.len() } else { at }));
    found.max().map_or(message, |at| &message[at..])
}

/// Returns the words of the address allocator.
pub fn allocator_words(message: &str) -> &str {
    let message = message.trim().trim_end_matches('.');
    let marks = [
        "no IP addresses available",
        "failed to allocate for range",
        "no available IP",
        "failed to assign an IP address",
        "no more IPs",
        "No more IPs",
        "InsufficientFreeAddresses",
    ];
    marks.iter().find_map(|mark| message.find(mark)).map_or(message, |at| &message[at..])
}
