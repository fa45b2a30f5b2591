//! Reads lists page by page, ahead of whoever parses them.

use std::fmt;

use bytes::Bytes;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::{ApiClient, RequestError, encode, uri};

/// How many pages are kept ready: enough to keep the network busy, few enough to keep memory flat.
const AHEAD: usize = 2;

/// One page of a list, as it came.
#[derive(Clone, Debug)]
pub struct Page {
    bytes: Bytes,
    /// The version of the list.
    pub resource_version: String,
    /// How many objects are in the pages after this one, if the server knows.
    pub remaining: Option<u64>,
    next: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ListMeta {
    r#continue: Option<String>,
    resource_version: Option<String>,
    remaining_item_count: Option<u64>,
}

#[derive(Deserialize)]
struct Items<'a> {
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

impl Page {
    /// Reads the head of a page. In Kubernetes' JSON it stands before the objects, which are left for later.
    fn new(bytes: Bytes) -> Result<Self, RequestError> {
        let meta = head(&bytes)?;
        Ok(Self {
            bytes,
            resource_version: meta.resource_version.unwrap_or_default(),
            remaining: meta.remaining_item_count,
            next: meta.r#continue.filter(|token| !token.is_empty()),
        })
    }

    /// Returns the page's JSON.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Splits the page into its objects, each still JSON, so that one that cannot be parsed does not take the others with it.
    ///
    /// Fails if the page as a whole is no JSON.
    pub fn items(&self) -> Result<Vec<&RawValue>, RequestError> {
        let list: Items<'_> = serde_json::from_slice(&self.bytes).map_err(|error| invalid(&error))?;
        Ok(list.items.unwrap_or_default())
    }
}

/// The pages of a list, fetched by a task of its own: while one is parsed, the next are on their way.
///
/// An error is the last thing it yields. One after the first page is [`RequestError::Truncated`]: the pages before it are good.
/// Dropping it ends the task.
#[derive(Debug)]
pub struct Pages {
    ready: mpsc::Receiver<Result<Page, RequestError>>,
    /// Whether another page is due.
    more: bool,
    task: AbortHandle,
}

impl Pages {
    /// Waits for the next page.
    pub async fn next(&mut self) -> Option<Result<Page, RequestError>> {
        let received = self.ready.recv().await;
        self.checked(received)
    }

    /// Waits for the next page on a thread that may block, not on one of the runtime's workers.
    pub fn blocking_next(&mut self) -> Option<Result<Page, RequestError>> {
        let received = self.ready.blocking_recv();
        self.checked(received)
    }

    /// Makes an error of an end that comes too early, which only a task that was killed leaves behind.
    fn checked(&mut self, received: Option<Result<Page, RequestError>>) -> Option<Result<Page, RequestError>> {
        let due = std::mem::replace(&mut self.more, matches!(&received, Some(Ok(page)) if page.next.is_some()));
        if received.is_none() && due {
            return Some(Err(RequestError::Truncated { read: 0, message: "the reading was broken off".to_owned() }));
        }
        received
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct ListRequest {
    uri: String,
    accept: String,
}

pub(super) fn start(client: ApiClient, path: &str, query: &[(&str, &str)], accept: &str, page_size: usize) -> Pages {
    let size = page_size.to_string();
    let mut query = query.to_vec();
    query.extend((page_size > 0).then_some(("limit", size.as_str())));
    let request = ListRequest { uri: uri(path, &query), accept: accept.to_owned() };
    let (out, ready) = mpsc::channel(AHEAD);
    let task = tokio::spawn(fetch(client, request, out)).abort_handle();
    Pages { ready, more: true, task }
}

async fn fetch(client: ApiClient, request: ListRequest, out: mpsc::Sender<Result<Page, RequestError>>) {
    let mut token = None;
    let mut read = 0;
    let mut resumed = false;
    loop {
        match request.page(&client, token.as_deref()).await {
            Ok(page) => {
                read += page.bytes.len() as u64;
                token.clone_from(&page.next);
                if out.send(Ok(page)).await.is_err() || token.is_none() {
                    return;
                }
            }
            // The server offers to go on with what there is now: the objects of the later pages may be newer.
            Err(RequestError::Expired { token: Some(fresh), .. }) if read > 0 && !resumed => {
                resumed = true;
                token = Some(fresh);
            }
            Err(error) => {
                let error = if read > 0 { truncated(read, &error) } else { error };
                let _ = out.send(Err(error)).await;
                return;
            }
        }
    }
}

fn truncated(read: u64, error: &RequestError) -> RequestError {
    RequestError::Truncated { read, message: error.to_string() }
}

impl ListRequest {
    async fn page(&self, client: &ApiClient, token: Option<&str>) -> Result<Page, RequestError> {
        let limit = client.inner.limits.request_timeout;
        let uri = match token {
            Some(token) => {
                let separator = if self.uri.contains('?') { '&' } else { '?' };
                &format!("{}{separator}continue={}", self.uri, encode(token))
            }
            None => &self.uri,
        };
        Page::new(client.get_within(uri, &self.accept, limit).await?)
    }
}

/// Reads `metadata` of a list and stops there.
fn head(bytes: &[u8]) -> Result<ListMeta, RequestError> {
    let mut found = None;
    let outcome = Head(&mut found).deserialize(&mut serde_json::Deserializer::from_slice(bytes));
    match (found, outcome) {
        (Some(meta), _) => Ok(meta),
        (None, Err(error)) => Err(invalid(&error)),
        (None, Ok(())) => Err(RequestError::Invalid { message: "it is no list".to_owned() }),
    }
}

fn invalid(error: &serde_json::Error) -> RequestError {
    RequestError::Invalid { message: error.to_string() }
}

/// Puts `metadata` aside and then breaks off with an error, for serde knows no other way to leave the rest unread.
struct Head<'a>(&'a mut Option<ListMeta>);

impl<'de> DeserializeSeed<'de> for Head<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Head<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "metadata" {
                *self.0 = Some(map.next_value()?);
                return Err(A::Error::custom("read enough"));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(json: &'static str) -> Result<Page, RequestError> {
        Page::new(Bytes::from_static(json.as_bytes()))
    }

    #[test]
    fn the_head_is_read_without_the_items() {
        let page = page(
            r#"{"kind":"PodList","metadata":{"resourceVersion":"7","continue":"c","remainingItemCount":3},"items":[{"#,
        )
        .unwrap();
        assert_eq!(page.next.as_deref(), Some("c"));
        assert_eq!((page.resource_version.as_str(), page.remaining), ("7", Some(3)));
        assert_eq!(page.items().unwrap_err().reason(), "invalid");
    }

    #[test]
    fn metadata_may_follow_the_items() {
        let page = page(r#"{"items":[{"a":1},{"b":2}],"metadata":{"resourceVersion":""}}"#).unwrap();
        assert_eq!(page.next, None);
        let items: Vec<_> = page.items().unwrap().iter().map(|item| item.get()).collect();
        assert_eq!(items, [r#"{"a":1}"#, r#"{"b":2}"#]);
    }

    #[tokio::test]
    async fn pages_that_stop_coming_are_not_taken_for_the_end() {
        let (out, ready) = mpsc::channel(1);
        let task = tokio::spawn(std::future::ready(())).abort_handle();
        let mut pages = Pages { ready, more: true, task };
        out.send(page(r#"{"metadata":{"continue":"c"}}"#)).await.unwrap();
        drop(out);
        assert!(pages.next().await.unwrap().is_ok());
        assert_eq!(pages.next().await.unwrap().unwrap_err().reason(), "truncated");
        assert!(pages.next().await.is_none());
    }

    #[test]
    fn an_empty_list_may_be_null() {
        assert!(page(r#"{"metadata":{},"items":null}"#).unwrap().items().unwrap().is_empty());
    }

    #[test]
    fn what_is_no_list_is_invalid() {
        for json in ["", "[]", "<html>", r#"{"kind":"x"}"#, r#"{"metadata":7}"#] {
            assert_eq!(page(json).unwrap_err().reason(), "invalid", "{json}");
        }
    }
}
