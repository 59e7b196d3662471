//! The command line: flags, output, exit codes and the files that are left.

use futures_util::{SinkExt, StreamExt};
use reqwest::StatusCode;
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    net::TcpListener,
    process::{Child, ChildStdout, Command},
    time::timeout,
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

const TEST_TIMEOUT: Duration = Duration::from_secs(20);

pub fn hubbub(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hubbub"));
    command.args(args).current_dir(folder).kill_on_drop(true).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub async fn ends(mut command: Command) -> Output {
    timeout(TEST_TIMEOUT, command.output()).await.expect("it ends").expect("it starts")
}

/// Expects one line on stderr, exit code 1 and nothing on stdout. Returns the line.
async fn fails(command: Command) -> String {
    let output = ends(command).await;
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
    assert!(stderr.starts_with("hubbub: ") && output.stdout.is_empty(), "{stderr}");
    stderr
}

/// Returns what the command has printed, and the line on stderr if it failed.
pub async fn run(folder: &Path, args: &[&str]) -> Result<String, String> {
    let output = ends(hubbub(folder, args)).await;
    let errors = String::from_utf8(output.stderr).unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap());
    }
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{errors}");
    Err(errors.lines().last().unwrap_or_default().to_owned())
}

/// A running hubbub and its address.
pub struct Running {
    child: Child,
    pub url: String,
    /// Held open; a closed pipe is the subject of another test.
    _stdout: Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub async fn start(folder: &Path, args: &[&str]) -> Self {
        Self::start_at(folder, "127.0.0.1:0", args).await
    }

    pub async fn start_at(folder: &Path, address: &str, args: &[&str]) -> Self {
        let mut child = hubbub(folder, &[&["--addr", address], args].concat()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let line =
            timeout(TEST_TIMEOUT, stdout.next_line()).await.unwrap().unwrap().expect("it says where it is");
        let url = line.split("Hubbub is open at ").nth(1).expect("a link").to_owned();
        Self { child, url, _stdout: stdout }
    }

    async fn post(&self, text: &str) -> StatusCode {
        let request = reqwest::Client::new().post(format!("{}/api/rooms/tea/messages", self.url));
        request.body(text.to_owned()).send().await.unwrap().status()
    }

    async fn messages(&self) -> Vec<String> {
        let messages: app::wire::Messages =
            reqwest::get(format!("{}/api/rooms/tea/messages", self.url)).await.unwrap().json().await.unwrap();
        messages.messages.iter().map(|message| message.text.to_string()).collect()
    }

    pub async fn send(&self, signal: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().await.unwrap().success());
    }

    /// Sends a signal and returns the exit code.
    pub async fn signal(&mut self, signal: &str) -> Option<i32> {
        self.send(signal).await;
        timeout(TEST_TIMEOUT, self.child.wait()).await.expect("it goes").unwrap().code()
    }
}

pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The server works in any working directory.
#[tokio::test]
async fn stop_is_clean_and_a_kill_loses_no_acknowledged_message() {
    let folder = folder();
    for (signal, code) in [("-TERM", Some(0)), ("-INT", Some(0)), ("-KILL", None)] {
        let mut running = Running::start(folder.path(), &[]).await;
        assert_eq!(running.post(signal).await, StatusCode::CREATED);
        assert_eq!(running.signal(signal).await, code, "{signal}");
    }
    let running = Running::start(folder.path(), &[]).await;
    assert_eq!(running.messages().await, ["-TERM", "-INT", "-KILL"]);
}

#[tokio::test]
async fn the_data_folder_is_created_and_its_key_is_private() {
    let folder = folder();
    let mut running = Running::start(folder.path(), &["--data", "deep/inside"]).await;
    let data = folder.path().join("deep/inside");
    assert_eq!(fs::metadata(data.join("cookie.key")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(data.join("hubbub.db").exists());
    running.signal("-TERM").await;
}

#[tokio::test]
async fn ephemeral_leaves_no_files() {
    let folder = folder();
    let mut running = Running::start(folder.path(), &["--ephemeral"]).await;
    assert_eq!(running.post("hello").await, StatusCode::CREATED);
    running.signal("-TERM").await;
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let running = Running::start(folder.path(), &["--ephemeral"]).await;
    assert!(running.messages().await.is_empty());
}

#[tokio::test]
async fn a_killed_ephemeral_server_leaves_no_temporary_files() {
    let (folder, temporary) = (folder(), folder());
    let mut command = hubbub(folder.path(), &["--ephemeral", "--addr", "127.0.0.1:0"]);
    let mut child = command.env("TMPDIR", temporary.path()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    timeout(TEST_TIMEOUT, stdout.next_line()).await.unwrap().unwrap().expect("it has started");
    let open = fs::read_dir(format!("/proc/{}/fd", child.id().unwrap())).unwrap();
    let files = open.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    assert!(files.into_iter().any(|file| file.starts_with(temporary.path())), "its files are there");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0, "and unlinked while it runs");
    child.kill().await.unwrap();
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn an_address_in_use_is_one_line_and_exit_1() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let stderr = fails(hubbub(folder().path(), &["--ephemeral", "--addr", &address])).await;
    assert!(stderr.contains(&address) && stderr.contains("in use"), "{stderr}");
}

#[tokio::test]
async fn flags_override_the_environment() {
    let folder = folder();
    let mut command = hubbub(folder.path(), &["--ephemeral"]);
    command.env("HUBBUB_ADDR", "nonsense");
    let stderr = fails(command).await;
    assert!(stderr.contains("nonsense"), "{stderr}");
    let mut command = hubbub(folder.path(), &["--addr", "also nonsense"]);
    command.env("HUBBUB_ADDR", "127.0.0.1:0").env("HUBBUB_EPHEMERAL", "true");
    assert!(fails(command).await.contains("also nonsense"));
}

/// Starts a server with these variables. Returns `true` if it stores its messages on disk.
async fn starts_on_disk(folder: &Path, variables: &[(&str, &str)]) -> bool {
    let mut command = hubbub(folder, &["--addr", "127.0.0.1:0"]);
    command.envs(variables.iter().copied());
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    timeout(TEST_TIMEOUT, stdout.next_line())
        .await
        .unwrap()
        .unwrap()
        .unwrap_or_else(|| panic!("{variables:?}"));
    child.kill().await.unwrap();
    folder.join("hubbub-data/hubbub.db").exists()
}

#[tokio::test]
async fn empty_variable_is_unset_and_a_switch_takes_the_usual_words() {
    for (name, value, on_disk) in [
        ("HUBBUB_EPHEMERAL", "", true),
        ("HUBBUB_EPHEMERAL", " ", true),
        ("HUBBUB_EPHEMERAL", "0", true),
        ("HUBBUB_EPHEMERAL", "No", true),
        ("HUBBUB_EPHEMERAL", "off", true),
        ("HUBBUB_EPHEMERAL", "FALSE", true),
        ("HUBBUB_EPHEMERAL", "1", false),
        ("HUBBUB_EPHEMERAL", "yes", false),
        ("HUBBUB_EPHEMERAL", "On", false),
        ("HUBBUB_EPHEMERAL", "True", false),
        ("HUBBUB_ALLOW_ORIGIN", "", true),
        ("HUBBUB_PUBLIC_URL", "", true),
        ("HUBBUB_TRUSTED_PROXY", "", true),
        ("HUBBUB_POST_RATE", "", true),
        ("HUBBUB_DATA", "", true),
        // The variable that Kubernetes adds for a service named hubbub.
        ("HUBBUB_PORT", "tcp://10.0.0.9:80", true),
        ("HUBBUB_SERVICE_HOST", "10.0.0.9", true),
        ("HUBBUB_PORT_80_TCP_ADDR", "10.0.0.9", true),
    ] {
        let folder = folder();
        assert_eq!(starts_on_disk(folder.path(), &[(name, value)]).await, on_disk, "{name}={value:?}");
    }
    let folder = folder();
    let mut command = hubbub(folder.path(), &[]);
    command.env("HUBBUB_EPHEMERAL", "perhaps");
    let error = fails(command).await;
    assert!(error.contains("perhaps") && error.contains("yes or no"), "{error}");
}

#[tokio::test]
async fn an_empty_log_filter_is_the_default_one() {
    let folder = folder();
    let mut command = hubbub(folder.path(), &["--ephemeral", "--addr", "127.0.0.1:0"]);
    let mut child = command.env("RUST_LOG", "").spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    timeout(TEST_TIMEOUT, stdout.next_line()).await.unwrap().unwrap().expect("it starts");
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    let mut log = String::new();
    let mut stderr = child.stderr.take().unwrap();
    timeout(TEST_TIMEOUT, stderr.read_to_string(&mut log)).await.unwrap().unwrap();
    assert!(log.contains("\"stopping\""), "{log}");
}

#[tokio::test]
async fn an_invalid_value_or_an_unknown_flag_is_one_line_and_exit_1() {
    let folder = folder();
    for args in [["--addr", "8080"], ["--drain-seconds", "soon"], ["--post-rate", "-1"], ["--colour", "blue"]]
    {
        let stderr = fails(hubbub(folder.path(), &args)).await;
        assert!(stderr.contains(args[0]) && stderr.contains("--help"), "{stderr}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "no file was created");
}

#[tokio::test]
async fn version_and_help_are_printed() {
    let folder = folder();
    let output = ends(hubbub(folder.path(), &["--version"])).await;
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("hubbub {}\n", env!("CARGO_PKG_VERSION")));
    let output = ends(hubbub(folder.path(), &["--help"])).await;
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for flag in [
        "--addr",
        "--data",
        "--ephemeral",
        "HUBBUB_ADDR",
        "HUBBUB_DATA",
        "HUBBUB_EPHEMERAL",
        "127.0.0.1:8080",
    ] {
        assert!(help.contains(flag), "{flag} is not in the help:\n{help}");
    }
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_created_is_one_line_and_exit_1() {
    let folder = folder();
    fs::write(folder.path().join("file"), "in the way").unwrap();
    let stderr = fails(hubbub(folder.path(), &["--data", "file/inside"])).await;
    assert!(stderr.contains("file/inside"), "{stderr}");
    // A path where even root cannot write.
    let stderr = fails(hubbub(folder.path(), &["--data", "/proc/hubbub"])).await;
    assert!(stderr.contains("/proc/hubbub"), "{stderr}");
}

#[tokio::test]
async fn foreign_or_newer_database_fails_in_one_line_and_is_unchanged() {
    let folder = folder();
    let file = folder.path().join("hubbub.db");
    for (application, version, says) in [(1, 1, "not a Hubbub database"), (0x4875_6262, 99, "newer version")]
    {
        let theirs = rusqlite::Connection::open(&file).unwrap();
        theirs.pragma_update(None, "application_id", application).unwrap();
        theirs.pragma_update(None, "user_version", version).unwrap();
        drop(theirs);
        let before = fs::read(&file).unwrap();
        let stderr = fails(hubbub(folder.path(), &["--data", "."])).await;
        assert!(stderr.contains(says) && stderr.contains("hubbub.db"), "{stderr}");
        assert_eq!(fs::read(&file).unwrap(), before);
        assert!(!folder.path().join("hubbub.db-wal").exists());
    }
}

#[tokio::test]
async fn an_invalid_key_is_one_line_and_exit_1() {
    let folder = folder();
    fs::write(folder.path().join("cookie.key"), "short").unwrap();
    let stderr = fails(hubbub(folder.path(), &["--data", "."])).await;
    assert!(stderr.contains("cookie.key"), "{stderr}");
}

/// Failures, rejected pages and broken connections are a line of JSON each. Served requests and normal closes are counted
/// in one line.
#[tokio::test]
async fn rejected_requests_and_broken_connections_are_logged() {
    let folder = folder();
    let mut running = Running::start(folder.path(), &["--ephemeral"]).await;
    reqwest::get(format!("{}/r/tea", running.url)).await.unwrap();
    reqwest::get(format!("{}/ws", running.url)).await.unwrap();
    for secret in ["device/sesame", "r/p-sesame", "api/rooms/p-sesame/messages"] {
        reqwest::get(format!("{}/{secret}", running.url)).await.unwrap();
    }
    let mut foreign = format!("{}/ws", running.url.replace("http", "ws")).into_client_request().unwrap();
    foreign
        .headers_mut()
        .insert("origin", HeaderValue::from_bytes("http://evil.example/\u{9b}".as_bytes()).unwrap());
    assert!(connect_async(foreign).await.is_err());
    for closing in [Message::Close(None), Message::binary("?")] {
        let (mut socket, _) = connect_async(running.url.replace("http", "ws") + "/ws").await.unwrap();
        socket.send(closing).await.unwrap();
        timeout(TEST_TIMEOUT, async { while let Some(Ok(_)) = socket.next().await {} })
            .await
            .expect("it closes");
    }
    assert_eq!(running.signal("-TERM").await, Some(0));
    let mut log = String::new();
    running.child.stderr.take().unwrap().read_to_string(&mut log).await.unwrap();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let of =
        |message: &str| lines.iter().filter(|line| line["fields"]["message"] == message).collect::<Vec<_>>();
    assert!(!log.contains("/r/tea"), "a page that is served is no line of its own: {log}");
    let sum = of("requests");
    assert_eq!((sum.len(), &sum[0]["fields"]["failed"]), (1, &Value::from(0)), "{log}");
    assert!(sum[0]["fields"]["succeeded"].as_u64() >= Some(1), "{log}");
    let rejected = of("cross-origin request refused");
    assert_eq!(
        (rejected.len(), &rejected[0]["fields"]["origin"]),
        (1, &Value::from("http://evil.example/\\xc2\\x9b"))
    );
    assert!(running.url.ends_with(rejected[0]["fields"]["host"].as_str().unwrap()), "{log}");
    assert!(lines.iter().all(|line| line.get("spans").is_none()), "a span is written once: {log}");
    assert!(!log.contains("sesame"), "what only its owner may know is not logged: {log}");
    let closed: Vec<&Value> = lines.iter().filter(|line| line["fields"]["code"].is_u64()).collect();
    assert_eq!((closed.len(), &closed[0]["fields"]["code"]), (1, &Value::from(1003)), "{closed:?}");
}

#[tokio::test]
async fn health_asks_the_server_at_the_address_of_the_options() {
    let folder = folder();
    let mut running = Running::start(folder.path(), &["--ephemeral"]).await;
    let address = running.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let health = |address: &str| hubbub(folder.path(), &["--addr", address, "health"]);
    let healthy = ends(health(&address)).await;
    let line = String::from_utf8(healthy.stdout).unwrap();
    assert_eq!((healthy.status.code(), line), (Some(0), format!("The server at {address} is alive.\n")));
    assert_eq!(running.signal("-TERM").await, Some(0));
    assert!(fails(health(&address)).await.contains("does not answer"));
    assert!(fails(health("unix:nowhere")).await.contains("does not answer"));
}

#[tokio::test]
async fn the_server_runs_on_with_a_closed_terminal() {
    let folder = folder();
    let mut running = Running::start(folder.path(), &["--ephemeral"]).await;
    drop(running.child.stderr.take());
    assert_eq!(running.post("hello").await, StatusCode::CREATED);
    assert_eq!(running.signal("-TERM").await, Some(0));
}
