//! Lists and single objects, fed to the intake in a stable order while later ones are still under way.

use std::sync::mpsc;

use bytes::Bytes;

use crate::collect::client::{ApiClient, JSON, Page, Pages, RequestError};
use crate::collect::intake::Intake;
use crate::failure::Failure;
use crate::model::{Gap, GapReason, Kind};

/// Secrets are read without their values. There is no second choice: a server that cannot do it says so (406).
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// The page size of kubectl.
const PAGE: usize = 500;

/// A list to read.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) kind: Kind,
    pub(super) namespace: Option<String>,
    pub(super) query: Vec<(&'static str, String)>,
}

impl List {
    pub(super) fn of(kind: Kind, namespace: Option<&str>) -> Self {
        Self { kind, namespace: namespace.filter(|_| kind.namespaced()).map(str::to_owned), query: Vec::new() }
    }

    /// Narrows the list; it then proves the absence of nothing.
    pub(super) fn narrowed(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }
}

impl List {
    /// Starts to download it.
    pub(super) fn download(&self, client: &ApiClient) -> Pages {
        let accept = if self.kind == Kind::Secret { METADATA_LIST } else { JSON };
        let query: Vec<(&str, &str)> = self.query.iter().map(|(key, value)| (*key, value.as_str())).collect();
        client.list_pages(&self.kind.path(self.namespace.as_deref()), &query, accept, PAGE)
    }
}

/// A list under way.
pub(super) struct Download {
    list: List,
    pages: mpsc::Receiver<Result<Page, RequestError>>,
}

/// Starts to read a list. Pages are buffered without a bound, so that a list that is decoded late is not downloaded late.
pub(super) fn start(client: &ApiClient, list: List) -> Download {
    let (sender, pages) = mpsc::channel();
    let mut download = list.download(client);
    tokio::spawn(async move {
        while let Some(page) = download.next().await {
            if sender.send(page).is_err() {
                return;
            }
        }
    });
    Download { list, pages }
}

/// Decodes lists in the given order, each page as soon as it is there. Events, of which there are most, are decoded beside
/// the others; a page of them that holds secrets, which are numbered in the order of the lists, waits until the others are
/// done.
///
/// # Errors
/// When decoding panicked, which is a bug.
pub(super) async fn decode(intake: Intake, downloads: Vec<Download>) -> Result<Intake, Failure> {
    let (events, others): (Vec<_>, Vec<_>) = downloads.into_iter().partition(|one| one.list.kind == Kind::Event);
    let beside = intake.beside();
    let events = tokio::task::spawn_blocking(move || decode_beside(beside, events));
    let others = tokio::task::spawn_blocking(move || {
        others.into_iter().fold(intake, |mut intake, download| {
            decode_one(&mut intake, download, |intake, kind, page| {
                intake.objects(kind, page.items()?);
                Ok(())
            });
            intake
        })
    });
    let panicked = |error| Failure::bug(format!("decoding lists: {error}"));
    let ((beside, later), mut intake) = tokio::try_join!(events, others).map_err(panicked)?;
    let finished = tokio::task::spawn_blocking(move || {
        intake.join(beside);
        for (kind, page) in later {
            // It was read as a list before.
            intake.objects(kind, page.items().unwrap_or_default());
        }
        // What is looked up before all is read, such as owners, is looked up by name.
        intake.snapshot_mut().objects.sort();
        intake
    });
    finished.await.map_err(panicked)
}

/// Decodes all pages without secrets, and returns the others.
fn decode_beside(mut intake: Intake, downloads: Vec<Download>) -> (Intake, Vec<(Kind, Page)>) {
    let mut later = Vec::new();
    for download in downloads {
        decode_one(&mut intake, download, |intake, kind, page| {
            let mut one = intake.beside();
            one.objects(kind, page.items()?);
            if !intake.join(one) {
                later.push((kind, page));
            }
            Ok(())
        });
    }
    (intake, later)
}

fn decode_one(
    intake: &mut Intake,
    Download { list, pages }: Download,
    mut take: impl FnMut(&mut Intake, Kind, Page) -> Result<(), RequestError>,
) {
    for page in pages {
        if let Err(error) = page.and_then(|page| take(intake, list.kind, page)) {
            return intake.gap(Gap::kind(list.kind, list.namespace.as_deref(), reason(&error), error.to_string()));
        }
    }
    if list.query.is_empty() {
        intake.snapshot_mut().objects.coverage_mut(list.kind).add_list(list.namespace.as_deref());
    }
}

/// The address of one object to read.
pub(super) type Name = (Kind, String, String);

/// Single objects, or why they could not be read.
pub(super) type Answers = Vec<(Name, Result<Bytes, RequestError>)>;

/// Reads single objects, all at once.
pub(super) async fn named(client: &ApiClient, names: impl IntoIterator<Item = Name>) -> Answers {
    let answers = names.into_iter().map(|name| async {
        let answer = get(client, &name).await;
        (name, answer)
    });
    futures::future::join_all(answers).await
}

/// Adds single objects to the snapshot; one that is not there is known not to be.
pub(super) fn take_in(intake: &mut Intake, answers: Answers) {
    for ((kind, namespace, name), answer) in answers {
        match answer {
            Ok(bytes) => intake.object(kind, &String::from_utf8_lossy(&bytes)),
            Err(RequestError::NotFound { .. }) => {}
            Err(error) => {
                let gap =
                    Gap { name: Some(name), ..Gap::kind(kind, Some(&namespace), reason(&error), error.to_string()) };
                intake.gap(gap);
                continue;
            }
        }
        let namespace = if kind.namespaced() { &namespace } else { "" };
        intake.snapshot_mut().objects.coverage_mut(kind).add_name(namespace, &name);
    }
}

pub(super) async fn get(client: &ApiClient, (kind, namespace, name): &Name) -> Result<Bytes, RequestError> {
    let accept = if *kind == Kind::Secret { METADATA } else { JSON };
    client.get_bytes(&format!("{}/{name}", kind.path(Some(namespace))), &[], accept).await
}

/// Says why in the words of a gap.
pub(super) fn reason(error: &RequestError) -> GapReason {
    match error {
        RequestError::Forbidden { .. } | RequestError::Unauthorized | RequestError::Credentials { .. } => {
            GapReason::Forbidden
        }
        RequestError::NotServed | RequestError::NotFound { .. } => GapReason::NotServed,
        RequestError::TooManyRequests => GapReason::Throttled,
        RequestError::ServerError { .. } => GapReason::ServerError,
        RequestError::Timeout => GapReason::Timeout,
        RequestError::Unreachable { .. } | RequestError::Tls { .. } => GapReason::Unreachable,
        RequestError::Truncated { .. } | RequestError::Expired { .. } => GapReason::Truncated,
        RequestError::Rejected { .. } | RequestError::Invalid { .. } => GapReason::Invalid,
    }
}
