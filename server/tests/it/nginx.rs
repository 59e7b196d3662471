//! The server behind a real nginx, as Debian ships it.

use crate::support::{TestServer, browser, sent, within_timeout};
use app::wire::PROTOCOL;
use futures_util::{SinkExt, StreamExt};
use reqwest::{Client, StatusCode};
use server::config::Config;
use std::{
    fs,
    io::{ErrorKind, Write, stderr},
    net::{SocketAddr, TcpListener as StdListener},
    path::Path,
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::sleep,
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

/// The directives that the documentation recommends for a location, after `proxy_pass`.
const HEADERS: &str = "
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;";

/// A server with an nginx in front of it.
struct Proxied {
    server: TestServer,
    address: SocketAddr,
    _nginx: Child,
    _folder: TempDir,
}

/// Returns the path of nginx. On Debian it is outside of other users' search path.
pub fn nginx() -> &'static str {
    if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" }
}

impl Proxied {
    /// Starts both; `location` returns the body of nginx's `server` block for the server's address. Returns `None` if
    /// nginx is not installed.
    async fn start(
        location: impl FnOnce(SocketAddr) -> String,
        change: impl FnOnce(&mut Config, SocketAddr),
    ) -> Option<Self> {
        let address = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let server = TestServer::with(|config| change(config, address)).await;
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("nginx.conf");
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {}/{kind};\n", folder.path().display()))
            .concat();
        let text = format!(
            "daemon off; master_process off; pid {}/pid; error_log stderr crit; events {{}}
             http {{ access_log off; {temporary} server {{ listen {address}; {} }} }}",
            folder.path().display(),
            location(server.address),
        );
        fs::write(&config, text).unwrap();
        let mut command = Command::new(nginx());
        command.args(["-e", "stderr", "-p"]).arg(folder.path()).arg("-c").arg(&config);
        let nginx = match command.stdin(Stdio::null()).kill_on_drop(true).spawn() {
            Ok(nginx) => nginx,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let _ = writeln!(stderr(), "not tested here: there is no nginx");
                return None;
            }
            Err(error) => panic!("nginx does not start: {error}"),
        };
        within_timeout(async {
            while TcpStream::connect(address).await.is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        Some(Self { server, address, _nginx: nginx, _folder: folder })
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn posts_by_socket(&self, path: &str) {
        posts_by_socket(self.address, path).await;
    }

    async fn streams_events(&self, base: &str) {
        streams_events(self.address, base).await;
    }
}

/// Opens a WebSocket through a proxy as a page of its site does, and posts.
pub async fn posts_by_socket(proxy: SocketAddr, path: &str) {
    let mut request = format!("ws://{proxy}{path}").into_client_request().unwrap();
    let origin = format!("http://{proxy}");
    for (name, value) in [("origin", origin.as_str()), ("sec-websocket-protocol", PROTOCOL)] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let (mut socket, _) = within_timeout(connect_async(request)).await.expect("a socket passes the proxy");
    let id = uuid::Uuid::now_v7();
    for frame in [
        r#"{"type":"join","room":"tea"}"#.to_owned(),
        format!(r#"{{"type":"post","id":"{id}","room":"tea","text":"hello"}}"#),
    ] {
        socket.send(Message::text(frame)).await.unwrap();
    }
    within_timeout(async {
        while let Some(Ok(message)) = socket.next().await {
            if message.to_text().is_ok_and(|frame| frame.contains("\"ack\"")) {
                return;
            }
        }
        panic!("the socket ended before the acknowledgement");
    })
    .await;
}

/// Follows a room's events through a proxy, posts, and reads until the post arrives.
pub async fn streams_events(proxy: SocketAddr, base: &str) {
    let url = |path: &str| format!("http://{proxy}{base}/api/rooms/tea/{path}");
    let events = Client::new().get(url("events")).header("accept", "text/event-stream");
    let answer = within_timeout(events.send()).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut pieces = answer.bytes_stream();
    let mut seen = String::new();
    let hello = within_timeout(pieces.next()).await.unwrap().unwrap();
    seen.push_str(&String::from_utf8_lossy(&hello));
    let post = Client::new().post(url("messages")).body("the kettle");
    assert_eq!(within_timeout(post.send()).await.unwrap().status(), StatusCode::CREATED);
    while !seen.contains("the kettle") {
        let piece = within_timeout(pieces.next()).await.expect("the stream goes on").unwrap();
        seen.push_str(&String::from_utf8_lossy(&piece));
    }
}

#[tokio::test]
async fn default_nginx_forwards_pages_posts_and_events_not_websockets() {
    let location = |server| format!("location / {{ proxy_pass http://{server}; }}");
    let public = |config: &mut Config, address| {
        config.public_url = Some(format!("http://{address}/").parse().unwrap());
    };
    let Some(proxied) = Proxied::start(location, public).await else { return };
    let page = sent(browser().get(proxied.url("/r/tea"))).await.text().await.unwrap();
    assert!(page.contains(&format!("value=\"{}\"", proxied.url("/r/tea"))), "{page}");
    let form =
        browser().post(proxied.url("/r/tea")).header("origin", proxied.url("")).form(&[("text", "hello")]);
    assert_eq!(sent(form).await.status(), StatusCode::SEE_OTHER);
    proxied.streams_events("").await;
    let upgrade =
        Client::new().get(proxied.url("/ws")).header("upgrade", "websocket").header("connection", "upgrade");
    assert_eq!(within_timeout(upgrade.send()).await.unwrap().status(), StatusCode::UPGRADE_REQUIRED);
}

#[tokio::test]
async fn default_nginx_without_a_public_url_gets_a_hint_at_the_flag() {
    let location = |server| format!("location / {{ proxy_pass http://{server}; }}");
    let Some(proxied) = Proxied::start(location, |_, _| {}).await else { return };
    let request = Client::new().post(proxied.url("/api/commands")).header("origin", proxied.url(""));
    let answer = within_timeout(request.send()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let text = answer.text().await.unwrap();
    for part in [proxied.url(""), proxied.server.address.to_string(), "--public-url".into()] {
        assert!(text.contains(&part), "{part} is not in {text}");
    }
}

#[tokio::test]
async fn nginx_with_the_documented_headers_forwards_websockets_too() {
    let location = |server| format!("location / {{ proxy_pass http://{server}; {HEADERS} }}");
    let Some(proxied) = Proxied::start(location, |_, _| {}).await else { return };
    proxied.posts_by_socket("/ws").await;
    proxied.streams_events("").await;
}

#[tokio::test]
async fn nginx_can_serve_a_sub_path_with_or_without_stripping_it() {
    let strips = |server| {
        format!(
            "location /chat/ {{ proxy_pass http://{server}/; {HEADERS} proxy_set_header X-Forwarded-Prefix /chat; }}"
        )
    };
    let passes = |server| format!("location /chat/ {{ proxy_pass http://{server}; {HEADERS} }}");
    let public = |config: &mut Config, address| {
        config.public_url = Some(format!("http://{address}/chat/").parse().unwrap());
    };
    let both = [Proxied::start(strips, |_, _| {}).await, Proxied::start(passes, public).await];
    for proxied in both.into_iter().flatten() {
        let page = sent(browser().get(proxied.url("/chat/r/tea"))).await.text().await.unwrap();
        assert!(page.contains("action=\"/chat/r/tea\"") && !page.contains("action=\"/r/tea\""), "{page}");
        proxied.posts_by_socket("/chat/ws").await;
        proxied.streams_events("/chat").await;
    }
}

#[tokio::test]
async fn cookies_of_other_programs_do_not_hide_the_users_cookie() {
    let location = |server| {
        format!("large_client_header_buffers 8 32k; location / {{ proxy_pass http://{server}; {HEADERS} }}")
    };
    let Some(proxied) = Proxied::start(location, |_, _| {}).await else { return };
    let first = sent(browser().get(proxied.url("/"))).await;
    let person = first.headers()["hubbub-person"].clone();
    let ours = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let mut cookies = Vec::new();
    for n in 0..12 {
        cookies.extend(format!("_sso_{n}={}; ", "x".repeat(1_000)).into_bytes());
    }
    cookies.extend(b"other=\xff\xfe\xc3; hubbub_id_of_another=1; ");
    cookies.extend(ours.into_bytes());
    let cookies = reqwest::header::HeaderValue::from_bytes(&cookies).unwrap();
    let answer = sent(browser().get(proxied.url("/r/tea")).header("cookie", cookies)).await;
    assert_eq!((answer.status(), &answer.headers()["hubbub-person"]), (StatusCode::OK, &person));
}
