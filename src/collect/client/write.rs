//! Requests that change something, and answers that go on: each is sent once, as only the caller knows what it would repeat.

use bytes::{Bytes, BytesMut};
use http::{Method, Request, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::Value;
use tokio::time::timeout;

use super::{ApiClient, JSON, RequestError, SILENCE, answer, transport, uri};

impl ApiClient {
    /// Sends a body (or none, if it is null) and returns the answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        content_type: &str,
        body: &Value,
    ) -> Result<Value, RequestError> {
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request::builder().method(method).uri(uri(path, query)).header(header::ACCEPT, JSON);
        let request = request.header(header::CONTENT_TYPE, content_type).body(Body::from(bytes));
        let request = request.map_err(|error| RequestError::Invalid { message: error.to_string() })?;
        let sent = self.inner.ask(request);
        let limit = self.request_timeout().unwrap_or(SILENCE);
        let bytes = timeout(limit, sent).await.map_err(|_| RequestError::Timeout)?.map_err(|failed| failed.error)?;
        serde_json::from_slice(&bytes).map_err(|error| RequestError::Invalid { message: error.to_string() })
    }

    /// Creates an object; with `dry_run` the server only checks it.
    pub async fn create(&self, path: &str, object: &Value, dry_run: bool) -> Result<Value, RequestError> {
        let query: &[(&str, &str)] = if dry_run { &[("dryRun", "All")] } else { &[] };
        self.send(Method::POST, path, query, JSON, object).await
    }

    /// Deletes an object with all that it owns; that it is gone already is success.
    pub async fn delete(&self, path: &str) -> Result<(), RequestError> {
        // Without this word the API leaves the pods of a Job behind.
        let options =
            serde_json::json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"});
        match self.send(Method::DELETE, path, &[], JSON, &options).await {
            Ok(_) | Err(RequestError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Starts to read an answer line by line: a watch, or a log that goes on.
    pub async fn lines(&self, path: &str, query: &[(&str, &str)]) -> Result<Lines, RequestError> {
        let request = Request::get(uri(path, query)).header(header::ACCEPT, "*/*").body(Body::empty());
        let request = request.map_err(|error| RequestError::Invalid { message: error.to_string() })?;
        let sent = timeout(SILENCE, self.inner.kube.send(request)).await.map_err(|_| RequestError::Timeout)?;
        let response = sent.map_err(|error| transport::failed(&error, &self.inner.peer).error)?;
        let (head, body) = response.into_parts();
        if head.status.is_success() {
            return Ok(Lines { body, buffer: BytesMut::new(), is_ended: false });
        }
        let body = self.inner.read(body).await.unwrap_or_else(|(read, _)| read);
        Err(answer::refused(head.status.as_u16(), &head.headers, &body).error)
    }
}

/// An answer that is read line by line.
#[derive(Debug)]
pub struct Lines {
    body: Body,
    buffer: BytesMut,
    is_ended: bool,
}

impl Lines {
    /// Returns the next line without its break; `None` at the end, also at that of a connection that broke.
    ///
    /// Nothing is lost if the future is dropped before it is ready.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end + 1).freeze();
                return Some(line.slice(..end));
            }
            if self.is_ended {
                let rest = self.buffer.split().freeze();
                return (!rest.is_empty()).then_some(rest);
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.buffer.extend_from_slice(&frame.into_data().unwrap_or_default()),
                Some(Err(_)) | None => self.is_ended = true,
            }
        }
    }
}
