//! HTTP/1.1 as far as an API server needs it, with connections that are kept alive.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// A request without its body, which is read and thrown away.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) accept: String,
    pub(crate) authorization: String,
    length: u64,
}

impl Request {
    /// Returns a parameter of the query.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn parse(head: &str) -> Self {
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let header = |name: &str| {
            let found = head.lines().find_map(|line| {
                let (key, value) = line.split_once(": ")?;
                key.eq_ignore_ascii_case(name).then(|| value.to_owned())
            });
            found.unwrap_or_default()
        };
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: pairs.map(|(key, value)| (decode(key), decode(value))).collect(),
            accept: header("accept"),
            authorization: header("authorization"),
            length: header("content-length").parse().unwrap_or_default(),
        }
    }
}

fn decode(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digits = [bytes.next().unwrap_or(b'0'), bytes.next().unwrap_or(b'0')];
        decoded.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
    }
    String::from_utf8(decoded).unwrap()
}

/// An answer, and how well it is given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) headers: Vec<String>,
    pub(crate) delay: Duration,
    /// Sends so many bytes of the body and hangs up.
    pub(crate) cut_after: Option<usize>,
}

impl Answer {
    pub(crate) fn new(code: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { code, body: body.into(), ..Self::default() }
    }

    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body)
    }

    /// Never comes.
    pub(crate) fn never() -> Self {
        Self::ok("").after(Duration::from_hours(1))
    }

    /// A `metav1.Status`.
    pub(crate) fn status(code: u16, reason: &str, message: &str, name: Option<&str>) -> Self {
        let details = name.map(|name| serde_json::json!({"name": name}));
        let status = serde_json::json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "details": details, "code": code});
        Self::new(code, status.to_string())
    }

    pub(crate) fn forbidden(what: &str) -> Self {
        Self::status(403, "Forbidden", &format!("{what} is forbidden: User \"ann\" cannot list resource"), None)
    }

    pub(crate) fn header(mut self, header: &str) -> Self {
        self.headers.push(header.to_owned());
        self
    }

    pub(crate) fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    pub(crate) fn cut_after(self, bytes: usize) -> Self {
        Self { cut_after: Some(bytes), ..self }
    }

    fn send(&self, stream: &mut impl Write) -> std::io::Result<bool> {
        let mut head = format!("HTTP/1.1 {} X\r\nContent-Length: {}\r\n", self.code, self.body.len());
        for header in &self.headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        head.push_str("Content-Type: application/json\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        let whole = self.cut_after.is_none();
        stream.write_all(&self.body[..self.cut_after.unwrap_or(self.body.len()).min(self.body.len())])?;
        stream.flush()?;
        Ok(whole)
    }
}

/// Answers requests.
pub(crate) trait Handler: Send + Sync + 'static {
    fn answer(&self, request: &Request) -> Answer;

    /// Is told when an answer is about to be sent.
    fn sending(&self, _request: &Request) {}
}

/// Listens on a port of its own until the tests end.
pub(crate) fn listen(handler: Arc<dyn Handler>) -> SocketAddr {
    serve(move |stream| speak(stream, handler.as_ref()))
}

/// Hands each connection to a thread.
pub(crate) fn serve(speak: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let speak = speak.clone();
            thread::spawn(move || speak(stream));
        }
    });
    address
}

/// Answers the requests of one connection, one after the other.
pub(crate) fn speak(stream: impl Read + Write, handler: &dyn Handler) {
    let mut stream = BufReader::new(stream);
    while let Some(head) = read_head(&mut stream) {
        let request = Request::parse(&head);
        if std::io::copy(&mut stream.by_ref().take(request.length), &mut std::io::sink()).is_err() {
            return;
        }
        let answer = handler.answer(&request);
        thread::sleep(answer.delay);
        handler.sending(&request);
        // The client may be gone, which is what some tests are about.
        if !answer.send(stream.get_mut()).unwrap_or(false) {
            return;
        }
    }
}

fn read_head(stream: &mut BufReader<impl Read>) -> Option<String> {
    let mut head = String::new();
    loop {
        let before = head.len();
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
        if head[before..].trim_end().is_empty() {
            return Some(head);
        }
    }
}
