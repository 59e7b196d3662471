//! The configurations of proxies in OPERATIONS.md, in front of two servers on one database.

use crate::{
    nginx::{nginx, posts_by_socket, streams_events},
    support::{TestDatabase, TestServer, within_timeout},
};
use std::{
    fs,
    io::{ErrorKind, Write, stderr},
    net::{SocketAddr, TcpListener},
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::sleep,
};

/// Returns the blocks of OPERATIONS.md in a language.
fn documented(language: &str) -> Vec<&'static str> {
    let document = include_str!("../../../OPERATIONS.md");
    let blocks = document.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

/// Two servers on one database, and a proxy.
struct Proxied {
    servers: (TestServer, TestServer),
    proxy: SocketAddr,
    _process: Child,
    _folder: TempDir,
}

impl Proxied {
    /// Starts all three; `config` returns the configuration for the address of the proxy and those of the servers.
    /// Returns `None` if the proxy or PostgreSQL is not installed.
    async fn start(
        program: &str,
        arguments: &[&str],
        config: impl FnOnce(SocketAddr, [SocketAddr; 2]) -> String,
    ) -> Option<Self> {
        let proxy = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let database = TestDatabase::create().await?;
        let servers = (TestServer::on_database(&database).await, TestServer::on_database(&database).await);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config"), config(proxy, [servers.0.address, servers.1.address]))
            .unwrap();
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder.path()).env("HOME", folder.path()).kill_on_drop(true);
        let process = match command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
            Ok(process) => process,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let _ = writeln!(stderr(), "not tested here: there is no {program}");
                return None;
            }
            Err(error) => panic!("{program} does not start: {error}"),
        };
        within_timeout(async {
            while TcpStream::connect(proxy).await.is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        Some(Self { servers, proxy, _process: process, _folder: folder })
    }

    async fn caddy(block: usize) -> Option<Self> {
        Self::start("caddy", &["run", "--config", "config", "--adapter", "caddyfile"], |proxy, [one, two]| {
            let config = documented("caddyfile")[block].replace("chat.example", &format!("http://{proxy}"));
            let config = config.replace("127.0.0.1:8080", &one.to_string());
            let config = config.replace("10.0.0.1:8080", &one.to_string());
            format!("{{\nadmin off\n}}\n{}", config.replace("10.0.0.2:8080", &two.to_string()))
        })
        .await
    }

    async fn nginx() -> Option<Self> {
        Self::start(nginx(), &["-e", "stderr", "-p", ".", "-c", "config"], |proxy, [one, two]| {
            let [location, upstream] = documented("nginx")[..] else { panic!("a location and an upstream") };
            let location = location.replace("http://127.0.0.1:8080/", "http://hubbub/");
            let upstream = upstream.replace("10.0.0.1:8080", &one.to_string());
            let upstream = upstream.replace("10.0.0.2:8080", &two.to_string());
            let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|kind| format!("{kind}_temp_path {kind};"))
                .concat();
            format!(
                "daemon off; master_process off; pid pid; error_log stderr crit; events {{}}
                 http {{ access_log off; {temporary} {upstream} server {{ listen {proxy}; {location} }} }}"
            )
        })
        .await
    }

    /// Checks that clients can post and follow, also while one of the servers is stopped.
    async fn serves_with_one_server_less(self, base: &str) {
        let socket = format!("{base}/ws");
        posts_by_socket(self.proxy, &socket).await;
        streams_events(self.proxy, base).await;
        self.servers.0.stop().await;
        for _ in 0..4 {
            posts_by_socket(self.proxy, &socket).await;
        }
    }
}

#[tokio::test]
async fn documented_nginx_serves_while_one_postgres_server_is_stopped() {
    let Some(proxied) = Proxied::nginx().await else { return };
    proxied.serves_with_one_server_less("/chat").await;
}

#[tokio::test]
async fn documented_caddy_serves_while_one_postgres_server_is_stopped() {
    let Some(proxied) = Proxied::caddy(1).await else { return };
    proxied.serves_with_one_server_less("").await;
}

#[tokio::test]
async fn caddy_forwards_posts_events_and_sockets_to_a_postgres_server() {
    let Some(proxied) = Proxied::caddy(0).await else { return };
    posts_by_socket(proxied.proxy, "/ws").await;
    streams_events(proxied.proxy, "").await;
}
