//! Events, with their two generations of fields brought together.

use std::ops::Range;

use foldhash::{HashMap, HashMapExt as _};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;

use crate::model::store::HasMeta as _;
use crate::model::{Kind, ObjectRef, Snapshot};

/// An event as rules read it.
#[derive(Clone, Copy, Debug)]
pub struct EventView<'a> {
    pub event: &'a Event,
    pub reason: &'a str,
    pub message: &'a str,
    /// How often it was seen, at least once.
    pub count: i32,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

impl<'a> EventView<'a> {
    fn new(event: &'a Event) -> Self {
        let created = event.metadata.creation_timestamp.as_ref().map(|time| time.0);
        let happened = event.event_time.as_ref().map(|time| time.0);
        let series = event.series.as_ref();
        let first = event.first_timestamp.as_ref().map(|time| time.0).or(happened).or(created);
        let observed = series.and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0);
        Self {
            event,
            reason: event.reason.as_deref().unwrap_or_default(),
            message: event.message.as_deref().unwrap_or_default(),
            count: series.and_then(|series| series.count).or(event.count).unwrap_or(1).max(1),
            first,
            last: observed.max(event.last_timestamp.as_ref().map(|time| time.0)).or(first),
        }
    }

    /// Returns whether it is a `Warning`.
    pub fn is_warning(&self) -> bool {
        self.event.type_.as_deref() == Some("Warning")
    }

    /// Returns the kind of the object that it is about.
    pub fn kind(&self) -> &'a str {
        self.event.involved_object.kind.as_deref().unwrap_or_default()
    }

    /// Returns the name of the object that it is about.
    pub fn name(&self) -> &'a str {
        self.event.involved_object.name.as_deref().unwrap_or_default()
    }

    /// Returns the namespace of the object that it is about.
    pub fn namespace(&self) -> &'a str {
        self.event.involved_object.namespace.as_deref().unwrap_or_default()
    }

    /// Returns the address of the object that it is about.
    pub fn object(&self) -> ObjectRef {
        let about = &self.event.involved_object;
        let api_version = about.api_version.as_deref().unwrap_or_default();
        ObjectRef::parse(api_version, self.kind(), about.namespace.as_deref(), self.name())
    }

    /// Returns the address of the event itself.
    pub fn event_ref(&self) -> ObjectRef {
        ObjectRef::new(Kind::Event, self.event.namespace(), self.event.name())
    }

    /// Returns the container it is about, from a field path such as `spec.containers{main}`.
    pub fn container(&self) -> Option<&'a str> {
        let path = self.event.involved_object.field_path.as_deref()?;
        path.split_once('{')?.1.strip_suffix('}')
    }
}

/// All events, by the object that they are about.
#[derive(Debug)]
pub(super) struct EventIndex<'a> {
    /// Sorted by (namespace, name, last seen), so that an object's events are one slice.
    events: Vec<EventView<'a>>,
    slices: HashMap<(&'a str, &'a str), (usize, usize)>,
}

impl<'a> EventIndex<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        let mut events: Vec<_> = snapshot.objects.events.iter().map(|event| EventView::new(&event.object)).collect();
        events.sort_by_key(|event| (event.namespace(), event.name(), event.last, event.event.name()));
        let mut slices = HashMap::new();
        let mut start = 0;
        for about_one in events.chunk_by(|a, b| (a.namespace(), a.name()) == (b.namespace(), b.name())) {
            let end = start + about_one.len();
            slices.insert((about_one[0].namespace(), about_one[0].name()), (start, end));
            start = end;
        }
        Self { events, slices }
    }

    /// Returns the events about objects of any kind with these names, oldest first.
    pub(super) fn of(&self, namespace: &str, name: &str) -> &[EventView<'a>] {
        &self.events[self.range(namespace, name)]
    }

    /// Returns where these events are among all.
    pub(super) fn range(&self, namespace: &str, name: &str) -> Range<usize> {
        self.slices.get(&(namespace, name)).map_or(0..0, |&(start, end)| start..end)
    }

    pub(super) fn all(&self) -> &[EventView<'a>] {
        &self.events
    }
}
