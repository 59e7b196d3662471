//! `hubbub rotate-key`, while servers run: nobody is signed out.

use crate::{
    heartbeat::advance_time,
    support::{Device, TestDatabase, TestServer, within_timeout},
};
use axum::extract::FromRef;
use axum_extra::extract::cookie::Key;
use server::{
    config::{Config, SecretUrl},
    startup,
};
use std::{fs, path::Path, process::Output};
use tokio::process::Command;

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

async fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hubbub"));
    command.arg("rotate-key").args(args).env_clear();
    within_timeout(command.output()).await.unwrap()
}

async fn rotate(args: &[&str]) -> String {
    let output = run(args).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

async fn refused(args: &[&str]) -> String {
    let output = run(args).await;
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{error}");
    error
}

/// Waits until a running server has taken over the keys.
async fn knows_former_keys(server: &TestServer, count: usize) {
    within_timeout(async {
        while server.state.keys.current().former() != count {
            advance_time(1).await;
        }
    })
    .await;
}

fn signing(server: &TestServer) -> Vec<u8> {
    Key::from_ref(&server.state).master().to_vec()
}

async fn user_of(device: &Device, server: &TestServer) -> String {
    device.get(server, "/").await.headers()["hubbub-person"].to_str().unwrap().to_owned()
}

/// Checks that a browser with a cookie of the former key stays the same user, and gets a cookie of the new one, which every
/// server accepts.
async fn moves_to_the_new_key(device: &Device, servers: &[&TestServer]) {
    let (user, before) = (user_of(&device.copy(), servers[0]).await, device.cookie());
    let answer = device.get(servers[0], "/").await;
    assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 2, "both cookies are renewed");
    assert_ne!(device.cookie(), before);
    let again = device.get(servers[0], "/").await;
    assert!(again.headers().get("set-cookie").is_none(), "and not again");
    for server in servers {
        assert_eq!(user_of(device, server).await, user);
    }
}

#[tokio::test]
async fn a_running_server_takes_over_the_key_of_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let error = refused(&["--data", data]).await;
    assert!(error.contains("cookie.key"), "no server has ever started: {error}");
    let server = TestServer::on_disk(folder.path()).await;
    let ann = Device::named(&server, "Ann", AGENT).await;
    let first = signing(&server);
    let printed = rotate(&["--data", data]).await;
    assert!(
        printed.contains("in 1 minute. 1 former key") && printed.contains("Nobody is signed out"),
        "{printed}"
    );
    knows_former_keys(&server, 1).await;
    assert_eq!(signing(&server), first, "the new key does not sign yet");
    let error = refused(&["--data", data]).await;
    assert!(error.contains("does not sign yet"), "{error}");

    rotate(&["--data", data, "--force", "--delay", "0"]).await;
    knows_former_keys(&server, 2).await;
    let third = signing(&server);
    assert_ne!(third, first);
    moves_to_the_new_key(&ann, &[&server]).await;
    server.stop().await;
    let server = TestServer::on_disk(folder.path()).await;
    assert_eq!((signing(&server), server.state.keys.current().former()), (third.clone(), 2));
    let user = user_of(&ann, &server).await;
    server.stop().await;

    // A backup has all keys.
    let backup = folder.path().join("backup");
    let restored = tempfile::tempdir().unwrap();
    for (command, data) in [("backup", folder.path()), ("restore", restored.path())] {
        let mut command_line = Command::new(env!("CARGO_BIN_EXE_hubbub"));
        command_line.arg(command).arg(&backup).arg("--data").arg(data).env_clear();
        assert!(within_timeout(command_line.output()).await.unwrap().status.success());
    }
    let server = TestServer::on_disk(restored.path()).await;
    assert_eq!((signing(&server), server.state.keys.current().former()), (third, 2));
    assert_eq!(user_of(&ann, &server).await, user);
}

#[tokio::test]
async fn folder_keeps_eight_former_keys_and_says_what_more_costs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    TestServer::on_disk(folder.path()).await.stop().await;
    for n in 1..=8 {
        let printed = rotate(&["--data", data, "--delay", "0"]).await;
        assert!(printed.contains(&format!("{n} former key")), "{printed}");
    }
    let error = refused(&["--data", data, "--delay", "0"]).await;
    assert!(error.contains("8 former keys") && error.contains("--force"), "{error}");
    let printed = rotate(&["--data", data, "--delay", "0", "--force"]).await;
    assert!(printed.contains("The oldest key was dropped"), "{printed}");
    let file = folder.path().join("cookie.key");
    fs::write(&file, &fs::read(&file).unwrap()[..70 + 8]).unwrap();
    let error = refused(&["--data", data]).await;
    assert!(error.contains("truncated"), "{error}");
}

#[tokio::test]
async fn postgres_servers_take_over_the_key_of_their_database() {
    let Some(database) = TestDatabase::create().await else { return };
    let error = refused(&["--database", &database.url]).await;
    assert!(error.contains("there are no messages"), "{error}");
    let (one, two) = (TestServer::on_database(&database).await, TestServer::on_database(&database).await);
    let ann = Device::named(&one, "Ann", AGENT).await;
    let printed = rotate(&["--database", &database.url, "--delay", "0"]).await;
    assert!(printed.contains("Nobody is signed out") && !printed.contains("password"), "{printed}");
    for server in [&one, &two] {
        knows_former_keys(server, 1).await;
    }
    assert_eq!(signing(&one), signing(&two));
    moves_to_the_new_key(&ann, &[&one, &two]).await;
}

#[tokio::test]
async fn postgres_servers_take_over_the_key_of_a_file() {
    let Some(database) = TestDatabase::create().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    fs::write(&file, [7; 64]).unwrap();
    let config = || Config {
        database: Some(SecretUrl(database.url.clone())),
        cookie_key_file: Some(file.clone()),
        ephemeral: false,
        ..Config::plain()
    };
    let state = startup::open(config()).await.unwrap().state;
    let error = refused(&["--database", &database.url]).await;
    assert!(error.contains("--cookie-key-file"), "{error}");
    let path = file.to_str().unwrap();
    let printed = rotate(&["--cookie-key-file", path, "--database", &database.url]).await;
    assert!(printed.contains("in 60 minutes") && printed.contains("Copy "), "{printed}");
    within_timeout(async {
        while state.keys.current().former() != 1 {
            advance_time(1).await;
        }
    })
    .await;
    assert_eq!(Key::from_ref(&state).master(), [7; 64], "the other servers have an hour");

    // A file that cannot be read changes nothing.
    fs::write(&file, [8; 10]).unwrap();
    for _ in 0..6 {
        advance_time(1).await;
    }
    assert_eq!((state.keys.current().former(), Key::from_ref(&state).master()), (1, &[7; 64][..]));
    assert!(startup::open(config()).await.is_err());
    assert!(is_private(&folder.path().join("key")) || cfg!(not(unix)));
}

fn is_private(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o077 == 0
}
