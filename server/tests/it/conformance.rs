//! The Autobahn test suite of RFC 6455 against the server's handshake and socket, on an echo endpoint.
//!
//! `make test` installs the suite and sets `HUBBUB_KOSOKU` to its path.

use axum::{Router, extract::Request, response::Response};
use serde_json::{Map, Value};
use server::{
    connection::{Incoming, Socket, complete_handshake},
    net::{Activity, UnsentBudget, http::serve_connection},
    websocket::frame,
};
use std::{
    env, fs,
    io::{Write, stderr, stdout},
    time::Duration,
};
use tokio::{net::TcpListener, process::Command, time::timeout};
use tokio_util::sync::CancellationToken;

/// The longest time that the suite may take. It usually takes about 15 seconds.
const SUITE_TIMEOUT: Duration = Duration::from_secs(180);

/// Bytes of one message; the largest of the suite has 16 MiB.
const MAX_MESSAGE_BYTES: usize = 64 << 20;

async fn echo(request: Request) -> Response {
    complete_handshake(request, None, MAX_MESSAGE_BYTES, |socket| drop(tokio::spawn(serve(socket))))
}

async fn serve(mut socket: Socket) {
    loop {
        let echo = match socket.receive().await {
            Incoming::Text(text) => frame::text(&text),
            Incoming::Binary(bytes) => frame::binary(&bytes),
            Incoming::Heartbeat => continue,
            Incoming::Closed => return,
            Incoming::ProtocolError(error) => return socket.close(error.into()).await,
        };
        socket.send([echo]);
        if socket.flush().await.is_err() {
            return;
        }
    }
}

/// Serves connections as the server does, on other routes.
async fn accept(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve_connection(
            stream.into(),
            None,
            Activity::new(UnsentBudget::new(1 << 30).open()),
            Router::new().fallback(echo),
            CancellationToken::new(),
        ));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_of_the_autobahn_suite_passes() {
    let Ok(kosoku) = env::var("HUBBUB_KOSOKU") else {
        let _ = writeln!(stderr(), "skipped: conformance; HUBBUB_KOSOKU is not set (make test sets it)");
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(accept(listener));
    let reports = tempfile::tempdir().unwrap();
    let mut suite = Command::new(kosoku);
    suite
        .args([&address, "-x", "12.*", "-x", "13.*", "-p", "2", "-o"])
        .arg(reports.path())
        .kill_on_drop(true);
    let output = timeout(SUITE_TIMEOUT, suite.output()).await.expect("it ends").expect("it starts");
    let index = fs::read_to_string(reports.path().join("index.json"))
        .unwrap_or_else(|_| panic!("no report: {}", String::from_utf8_lossy(&output.stderr)));
    let index: Map<String, Value> = serde_json::from_str(&index).unwrap();
    let cases = index.values().next().and_then(Value::as_object).expect("one agent");
    assert!(cases.len() >= 300, "only {} cases", cases.len());
    let _ = writeln!(stdout(), "{} cases of RFC 6455", cases.len());
    for (case, outcome) in cases {
        let (behavior, close) = (outcome["behavior"].as_str(), outcome["behaviorClose"].as_str());
        let met = |how: Option<&str>| matches!(how, Some("OK" | "INFORMATIONAL"));
        assert!(met(behavior) && met(close), "case {case}: {outcome}");
    }
}
