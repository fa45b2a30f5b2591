use super::line::{self, Level};
use super::reach::{self, Why};
use super::*;

fn decisive(text: &str) -> (String, Weight) {
    let digest = LogDigest::new(text);
    let decisive = digest.decisive.unwrap_or_else(|| panic!("nothing decisive in {text:?}"));
    assert_eq!(text.lines().nth(decisive.number - 1).map(str::trim), Some(decisive.line));
    (decisive.shown(), decisive.weight)
}

#[test]
fn an_uncaught_exception_beats_what_follows() {
    let text = "starting\nTraceback (most recent call last):\n  File \"/app/main.py\", line 3, in <module>\n    os.environ['DB_HOST']\nKeyError: 'DB_HOST'\n2026-01-01 10:00:00 FATAL shutting down\nexiting";
    assert_eq!(decisive(text), ("KeyError: 'DB_HOST'".to_owned(), Weight::Uncaught));
}

#[test]
fn the_last_caused_by_wins_and_the_first_head_is_no_frame() {
    let text = "Exception in thread \"main\" java.lang.IllegalStateException: no context\n\tat com.shop.Main.run(Main.java:3)\nCaused by: java.sql.SQLException: Access denied for user 'cart'@'10.0.0.1'\n\tat x.y(Z.java:1)\n\t... 12 more\n";
    assert_eq!(decisive(text).0, "Caused by: java.sql.SQLException: Access denied for user 'cart'@'10.0.0.1'");
}

#[test]
fn chained_python_exceptions_keep_their_root() {
    let text = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nConnectionRefusedError: [Errno 111] Connection refused\n\nThe above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n  File \"a.py\", line 2, in g\nsqlalchemy.exc.OperationalError: could not connect\n";
    let digest = LogDigest::new(text);
    assert_eq!(
        digest.decisive.map(|line| line.shown()).as_deref(),
        Some("sqlalchemy.exc.OperationalError: could not connect")
    );
    assert_eq!(digest.cause.map(|line| line.number), Some(3));
}

#[test]
fn panics_of_several_languages_are_uncaught() {
    for (text, expected) in [
        (
            "thread 'main' panicked at src/main.rs:4:5:\nno config at /etc/x\nnote: run with `RUST_BACKTRACE=1`\n",
            "no config at /etc/x",
        ),
        (
            "panic: runtime error: index out of range [3]\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:7 +0x1d\nexit status 2\n",
            "panic: runtime error: index out of range [3]",
        ),
        ("fatal error: all goroutines are asleep - deadlock!\n", "fatal error: all goroutines are asleep - deadlock!"),
        (
            "node:internal/modules/cjs/loader:1080\n  throw err;\n  ^\n\nError: Cannot find module '/app/server.js'\n    at Module._load (node:internal/x:1:1)\n\nNode.js v18.1.0\n",
            "Error: Cannot find module '/app/server.js'",
        ),
        (
            "Unhandled exception. System.IO.FileNotFoundException: no file\n   at Shop.Main() in /src/Program.cs:line 3\n",
            "Unhandled exception. System.IO.FileNotFoundException: no file",
        ),
        (
            "/app/app.rb:3:in 'Integer': invalid value (ArgumentError)\n\tfrom /app/app.rb:3:in '<main>'\n",
            "/app/app.rb:3:in 'Integer': invalid value (ArgumentError)",
        ),
    ] {
        assert_eq!(decisive(text), (expected.to_owned(), Weight::Uncaught));
    }
}

#[test]
fn lines_that_only_hold_the_word_do_not_win() {
    for text in [
        "2026-01-01 INFO processed 10, errors=0\n",
        "error_count: 0\nno errors found\n",
        "ErrorHandler registered\n",
        "{\"level\":\"info\",\"msg\":\"error rate is low\",\"error\":null}\n",
        "10.0.0.1 - - [01/Jan/2026] \"GET /errors HTTP/1.1\" 200 12\n",
        "exiting\n",
        "[INFO] exception translation ready\n",
    ] {
        assert_eq!(LogDigest::new(text).decisive, None, "{text}");
    }
}

#[test]
fn fatal_chatter_does_not_hide_the_error() {
    let text = "Sat Nov 21 10:57:37 UTC 2026 ERROR: cannot reach the ledger: connection refused\nSat Nov 21 10:57:38 UTC 2026 ERROR: cannot start without the ledger\nSat Nov 21 10:57:39 UTC 2026 FATAL: Shutting down\n";
    assert_eq!(decisive(text).0, "ERROR: cannot reach the ledger: connection refused");
}

#[test]
fn levels_and_times_of_many_loggers_are_read() {
    for (text, level, message) in [
        ("2026-01-02T15:04:05Z ERROR no ledger", Level::Error, "ERROR no ledger"),
        ("2026/01/02 15:04:05 [error] no ledger", Level::Error, "[error] no ledger"),
        ("2026-01-02 15:04:05,123 WARNING no ledger", Level::Warning, "WARNING no ledger"),
        (
            "{\"ts\":1767366245.5,\"level\":\"error\",\"msg\":\"no ledger\",\"error\":\"EOF\"}",
            Level::Error,
            "no ledger: EOF",
        ),
        (
            "{\"time\":1767366245123,\"level\":50,\"msg\":\"no ledger\",\"err\":{\"type\":\"E\",\"message\":\"gone\"}}",
            Level::Error,
            "no ledger: gone",
        ),
        (
            "2026-01-02T15:04:05.1Z 2026-01-02 15:04:05.1  FATAL 1 --- [main] no ledger",
            Level::Fatal,
            " FATAL 1 --- [main] no ledger",
        ),
        ("[2026-01-02 15:04:05 +0000] [7] [CRITICAL] no ledger", Level::Fatal, "[7] [CRITICAL] no ledger"),
        ("2026-01-02T15:04:05+08:00\twarn\tno ledger", Level::Warning, "\twarn\tno ledger"),
    ] {
        let line = line::parse(text);
        assert_eq!((line.level, line.message.as_ref(), line.time.is_some()), (Some(level), message, true), "{text}");
    }
    let klog = line::parse("E0102 15:04:05.000000       7 reflector.go:12] no ledger");
    assert_eq!((klog.level, klog.message.as_ref()), (Some(Level::Error), "no ledger"));
    let part = line::parse("2026/01/02 15:04:05 http: Accept error: no ledger");
    assert_eq!((part.level, part.message.as_ref()), (None, "http: Accept error: no ledger"));
    let coloured = line::parse("\x1b[31mERROR\x1b[0m no ledger");
    assert_eq!((coloured.level, coloured.message.as_ref()), (Some(Level::Error), "ERROR no ledger"));
}

#[test]
fn repeated_errors_are_one_template() {
    let text: String = (0..50)
        .map(|n| format!("2026-01-02T15:04:{n:02}Z ERROR request {n} of user '{n}x' failed after {n}ms\n"))
        .collect();
    let digest = LogDigest::new(&text);
    assert_eq!(digest.templates.len(), 1);
    assert_eq!(
        (digest.templates[0].count, digest.templates[0].number, digest.templates[0].last_number, digest.count),
        (50, 1, 50, 50)
    );
    assert_eq!(template::masked("user 'a b' of 10.0.0.1:80 id 3f9c00ba1b"), "user <*> of <*>.<*>.<*>.<*>:<*> id <*>");
}

#[test]
fn peers_are_read_from_the_words_of_many_clients() {
    for (text, why, host, port) in [
        ("dial tcp db:5432: connect: connection refused", Why::Refused, Some("db"), Some(5432)),
        ("dial tcp: lookup db on 10.96.0.10:53: no such host", Why::Unresolved, Some("db"), None),
        ("getaddrinfo ENOTFOUND db.shop.svc", Why::Unresolved, Some("db.shop.svc"), None),
        ("connect ECONNREFUSED 10.0.0.7:6379", Why::Refused, Some("10.0.0.7"), Some(6379)),
        (
            "connection to server at \"db\" (10.0.0.7), port 5432 failed: Connection refused",
            Why::Refused,
            Some("db"),
            Some(5432),
        ),
        ("curl: (6) Could not resolve host: api.example.org", Why::Unresolved, Some("api.example.org"), None),
        ("db:5432 - no response", Why::Unavailable, Some("db"), Some(5432)),
        ("Get \"http://cart:8080/x\": dial tcp 10.0.0.1:8080: i/o timeout", Why::TimedOut, Some("cart"), Some(8080)),
        (
            "DNS resolution failed for cart:80: C-ares status is not ARES_SUCCESS name=cart",
            Why::Unresolved,
            Some("cart"),
            Some(80),
        ),
        (
            "could not translate host name \"db\" to address: Name or service not known",
            Why::Unresolved,
            Some("db"),
            None,
        ),
        (
            "HTTPConnectionPool(host='cart', port=80): Max retries exceeded: Connection refused",
            Why::Refused,
            Some("cart"),
            Some(80),
        ),
        ("java.net.UnknownHostException: db", Why::Unresolved, Some("db"), None),
        ("Database connection failed: ETIMEDOUT", Why::TimedOut, None, None),
        (
            "failed to connect to `host=pg user=cart`: dial error (dial tcp 10.0.0.7:5433: connect: connection refused)",
            Why::Refused,
            Some("pg"),
            Some(5433),
        ),
    ] {
        let failure = reach::failure(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((failure.why, failure.host, failure.port), (why, host, port), "{text}");
    }
}

#[test]
fn a_long_place_before_rubys_words_is_not_shown() {
    let text = "/usr/local/bundle/gems/activerecord/connection_adapters/postgresql.rb:894:in 'exec_params': PG::UndefinedTable: ERROR: no ledger (ActiveRecord::StatementInvalid)";
    assert_eq!(line::shown(text), "PG::UndefinedTable: ERROR: no ledger (ActiveRecord::StatementInvalid)");
}

#[test]
fn a_file_that_is_not_found_is_no_peer() {
    let text = "FileNotFoundError: [Errno 2] No such file or directory: '/etc/cart/token'";
    assert_eq!(reach::failure(text), None);
}

#[test]
fn ten_megabytes_are_read_in_linear_time() {
    let line = "2026-01-02T15:04:05Z INFO request 17 served in 3 ms, 200 OK, cache hit, 12 rows\n";
    let text =
        line.repeat(20_000) + &"2026-01-02T15:04:05Z ERROR request 17 failed: connection refused\n".repeat(5_000);
    let digest = LogDigest::new(&text);
    assert_eq!((digest.count, digest.templates.len()), (25_000, 1));
}

#[test]
fn the_kubelets_time_counts_where_the_program_hides_its_zone() {
    let hidden = line::parse("2026-03-12T13:55:18.204+08:00 2026-03-12 13:55:18.203 ERROR no");
    assert_eq!(hidden.time.map(|time| time.to_string()).as_deref(), Some("2026-03-12T05:55:18.204Z"));
    let told = line::parse("2026-03-12T13:55:18.204+08:00 2026-03-12T01:00:00Z ERROR no");
    assert_eq!(told.time.map(|time| time.to_string()).as_deref(), Some("2026-03-12T01:00:00Z"));
}
