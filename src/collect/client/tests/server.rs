//! A server that answers by a script.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// One answer of the script.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    code: u16,
    body: Vec<u8>,
    headers: Vec<String>,
    announced: Option<usize>,
    delay: Duration,
    silent: bool,
    lingers: bool,
}

impl Reply {
    pub(super) fn new(code: u16, body: &str) -> Self {
        Self { code, body: body.as_bytes().to_vec(), ..Self::default() }
    }

    pub(super) fn ok(body: &str) -> Self {
        Self::new(200, body).header("Content-Type: application/json")
    }

    /// A `metav1.Status`.
    pub(super) fn status(code: u16, reason: &str, message: &str, name: Option<&str>) -> Self {
        let details = name.map(|name| serde_json::json!({ "name": name, "kind": "pods" }));
        let status = serde_json::json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "details": details, "code": code });
        Self::new(code, &status.to_string())
    }

    /// Offers a token to go on with, as an API server does when the one in a request has expired.
    pub(super) fn with_continue(mut self, token: &str) -> Self {
        let text = String::from_utf8(self.body).unwrap();
        self.body = text.replace(r#""metadata":{}"#, &format!(r#""metadata":{{"continue":"{token}"}}"#)).into_bytes();
        self
    }

    /// Closes the connection without a word.
    pub(super) fn hang_up() -> Self {
        Self { silent: true, ..Self::default() }
    }

    /// Keeps the connection open without a word.
    pub(super) fn hang() -> Self {
        Self { silent: true, lingers: true, ..Self::default() }
    }

    pub(super) fn then_hang(self) -> Self {
        Self { lingers: true, ..self }
    }

    pub(super) fn header(mut self, header: &str) -> Self {
        self.headers.push(header.to_owned());
        self
    }

    /// Announces another length than the body has.
    pub(super) fn announcing(self, length: usize) -> Self {
        Self { announced: Some(length), ..self }
    }

    pub(super) fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    pub(super) fn gzip(mut self) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&self.body).unwrap();
        self.body = encoder.finish().unwrap();
        self.header("Content-Encoding: gzip")
    }

    fn send(&self, mut stream: impl Write) -> std::io::Result<()> {
        if !self.silent {
            let length = self.announced.unwrap_or(self.body.len());
            write!(stream, "HTTP/1.1 {} X\r\nConnection: close\r\nContent-Length: {length}\r\n", self.code)?;
            for header in &self.headers {
                write!(stream, "{header}\r\n")?;
            }
            stream.write_all(b"\r\n")?;
            stream.write_all(&self.body)?;
            stream.flush()?;
        }
        if self.lingers {
            thread::sleep(Duration::from_secs(5));
        }
        Ok(())
    }
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<String>>,
    under_way: AtomicUsize,
    busiest: AtomicUsize,
}

/// Listens on a port of its own; answers the n-th request with the n-th reply, and all later ones with the last.
pub(super) struct FakeServer {
    address: SocketAddr,
    seen: Arc<Seen>,
}

impl FakeServer {
    pub(super) fn start(script: impl IntoIterator<Item = Reply>) -> Self {
        Self::listen(script, serve)
    }

    /// Speaks TLS with the given configuration.
    pub(super) fn start_tls(script: impl IntoIterator<Item = Reply>, config: Arc<ServerConfig>) -> Self {
        Self::listen(script, move |stream, script, seen| {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            serve(StreamOwned::new(session, stream), script, seen);
        })
    }

    fn listen<F>(script: impl IntoIterator<Item = Reply>, serve: F) -> Self
    where
        F: Fn(TcpStream, &[Reply], &Seen) + Clone + Send + 'static,
    {
        let script: Arc<Vec<Reply>> = Arc::new(script.into_iter().collect());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, seen, serve) = (Arc::clone(&script), Arc::clone(&shared), serve.clone());
                thread::spawn(move || serve(stream, &script, &seen));
            }
        });
        Self { address, seen }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of the requests so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// How many requests were under way at once at most.
    pub(super) fn busiest(&self) -> usize {
        self.seen.busiest.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: impl Read + Write, script: &[Reply], seen: &Seen) {
    let Some(head) = read_head(&mut stream) else { return };
    let busy = seen.under_way.fetch_add(1, Ordering::SeqCst) + 1;
    seen.busiest.fetch_max(busy, Ordering::SeqCst);
    let index = {
        let mut requests = seen.requests.lock().unwrap();
        requests.push(head);
        requests.len() - 1
    };
    let reply = script.get(index).or(script.last()).unwrap();
    thread::sleep(reply.delay);
    // Counted off before the answer: who has it may ask again at once.
    seen.under_way.fetch_sub(1, Ordering::SeqCst);
    // The client may be gone already, which is what some tests are about.
    let _ = reply.send(&mut stream);
}

fn read_head(stream: &mut (impl Read + Write)) -> Option<String> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let read = stream.read(&mut buffer).ok()?;
        if read == 0 || buffer[0] == 0x16 {
            // A TLS handshake gets what an HTTP server says to it.
            let _ = stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n");
            return None;
        }
        head.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8(head).ok()
}
