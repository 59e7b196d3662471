//! Crashes, full disks and damaged files: acknowledged messages are stored, and clients keep the others.

use crate::support::{ConsistencyReport, Pace, Process, TestClient, events, within_timeout};
use app::{client::OutboxOperation, wire::Event};
use futures_util::{StreamExt, stream};
use server::{
    config::Config,
    startup::{Startup, start},
};
use std::{
    collections::HashMap,
    fs,
    io::{Write, stderr},
    ops::Deref,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{process::Command, time::sleep};

const BRISK: Pace =
    Pace { heartbeat_second: Duration::from_millis(100), backoff_second: Duration::from_millis(100) };

fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_hubbub").into()
}

fn skip(why: &str) {
    let _ = writeln!(stderr(), "not tested here: {why}");
}

/// Runs a command. Returns `true` if it succeeded.
async fn run(program: &str, args: &[&str]) -> bool {
    let status = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    status.is_ok_and(|status| status.success())
}

async fn post(server: &Process, text: &str) -> u16 {
    let url = format!("http://{}/api/rooms/tea/messages", server.address);
    let request = reqwest::Client::new().post(url).body(text.to_owned());
    within_timeout(request.send()).await.expect("it answers").status().as_u16()
}

async fn stored_events(server: &Process) -> Vec<Arc<Event>> {
    within_timeout(events(server.address, "tea")).await.expect("it answers")
}

/// Each single commit needs at least one sync: acknowledged messages are on the disk.
#[tokio::test]
async fn a_hundred_single_messages_are_a_hundred_syncs() {
    if !run("strace", &["-f", "-o", "/dev/null", "true"]).await {
        return skip("the syncs of the disk, since strace is missing or not permitted");
    }
    let folder = tempfile::tempdir().unwrap();
    let (wrapper, trace) = (folder.path().join("traced"), folder.path().join("trace"));
    let script = format!(
        "#!/bin/sh\nexec strace -D -f -o {} -e trace=fsync,fdatasync {} \"$@\"\n",
        trace.display(),
        binary().display()
    );
    fs::write(&wrapper, script).unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    let server = Process::start(wrapper).await.unwrap();
    let syncs = || fs::read_to_string(&trace).unwrap().matches("sync(").count();
    let before = syncs();
    for n in 0..100 {
        assert_eq!(post(&server, &n.to_string()).await, 201);
    }
    assert!(syncs() - before >= 100, "{} syncs", syncs() - before);
}

#[tokio::test]
async fn twenty_random_crashes_lose_repeat_and_reorder_nothing() {
    let mut server = Process::start(binary()).await.unwrap();
    let clients: Vec<TestClient> = (0..8).map(|_| TestClient::join(server.address, "tea", BRISK)).collect();
    let talk = async {
        for n in 0.. {
            clients.iter().for_each(|client| client.submit(OutboxOperation::post(format!("message {n}"))));
            sleep(Duration::from_millis(10)).await;
        }
    };
    let crashes = async {
        for _ in 0..20 {
            sleep(Duration::from_millis(fastrand::u64(20..200))).await;
            server.stop("-KILL").await.unwrap();
            server.restart().await.unwrap();
        }
    };
    tokio::select! {
        () = talk => {}
        () = crashes => {}
    }
    for client in &clients {
        within_timeout(client.wait_until(|state| state.session.outbox.is_empty())).await;
    }
    let log = stored_events(&server).await;
    for client in &clients {
        within_timeout(client.wait_until(|state| state.has_settled(log.len() as u64))).await;
    }
    let states: Vec<_> = clients.iter().map(TestClient::state).collect();
    let report = ConsistencyReport::new(&log, states.iter().map(Deref::deref));
    assert!(report.is_clean() && report.posted > 100, "{report:?}");
    assert_eq!(report.acknowledged, report.posted);
}

/// A file system in memory that can grow.
struct Disk(TempDir);

impl Disk {
    async fn of(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().to_str().unwrap();
        run("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs", at])
            .await
            .then_some(Self(folder))
    }

    async fn remount(&self, how: &str) -> bool {
        run("mount", &["-o", &format!("remount,{how}"), self.0.path().to_str().unwrap()]).await
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_rejects_posts_until_there_is_room_again() {
    let Some(disk) = Disk::of("1m").await else {
        return skip("a full disk, since only root may mount a small one");
    };
    let folder = tempfile::tempdir_in(disk.0.path()).unwrap();
    let server = Process::start_in(folder, binary()).await.unwrap();
    let long = "x".repeat(4_000);
    let mut stored = 0;
    while post(&server, &format!("{stored} {long}")).await == 201 {
        stored += 1;
        assert!(stored < 1_000, "the disk must be full some time");
    }
    assert_eq!(post(&server, &long).await, 503, "still full");
    assert_eq!(stored_events(&server).await.len(), stored, "exactly the acknowledged messages can be read");
    let ann = TestClient::join(server.address, "tea", BRISK);
    within_timeout(ann.wait_until(|state| state.is_live)).await;
    ann.submit(OutboxOperation::post(long.clone()));
    sleep(Duration::from_millis(200)).await;
    assert!(!ann.state().session.outbox.is_empty(), "it waits with its author");
    assert!(disk.remount("size=64m").await);
    within_timeout(ann.wait_until(|state| state.has_settled(stored as u64 + 1))).await;
    assert_eq!(post(&server, "room again").await, 201);
    let log = stored_events(&server).await;
    assert!((1..=stored as u64 + 2).eq(log.iter().map(|event| event.seq)), "no hole, nothing twice");
}

#[tokio::test]
async fn a_server_that_cannot_write_rejects_posts_and_recovers() {
    let server = Process::start(binary()).await.unwrap();
    assert_eq!(post(&server, "one").await, 201);
    let other = rusqlite::Connection::open(server.folder.path().join("hubbub.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(post(&server, "refused").await, 503);
    assert_eq!(stored_events(&server).await.len(), 1, "the store can still be read");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(post(&server, "two").await, 201);
    assert_eq!(stored_events(&server).await.len(), 2);
}

#[tokio::test]
async fn read_only_database_rejects_posts_until_it_is_writable_again() {
    let server = Process::start(binary()).await.unwrap();
    assert_eq!(post(&server, "one").await, 201);
    let files = ["hubbub.db", "hubbub.db-wal"].map(|name| server.folder.path().join(name));
    let files: Vec<&str> = files.iter().filter_map(|file| file.to_str()).collect();
    let read_only = async |flag| run("chattr", &[&[flag], &files[..]].concat()).await;
    if !read_only("+i").await {
        return skip("a database that turns read-only, since chattr is missing or not permitted");
    }
    let status = post(&server, "refused").await;
    let still_read = stored_events(&server).await.len();
    assert!(read_only("-i").await);
    assert_eq!((status, still_read), (503, 1), "nothing is stored, and the store can be read");
    assert_eq!(post(&server, "two").await, 201);
    assert_eq!(stored_events(&server).await.len(), 2);
}

/// Starts a server that fails. Returns its one line on stderr.
async fn failed_start(data: &Path) -> String {
    let mut command = Command::new(binary());
    command.args(["--addr", "127.0.0.1:0", "--data"]).arg(data).env_clear();
    let output = within_timeout(command.output()).await.unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
    stderr
}

#[tokio::test]
async fn a_read_only_disk_is_one_line_and_exit_1() {
    let Some(disk) = Disk::of("4m").await else {
        return skip("a disk for reading only, since only root may mount one");
    };
    assert!(disk.remount("ro").await);
    let stderr = failed_start(disk.0.path()).await;
    assert!(stderr.contains("Read-only"), "{stderr}");
}

/// Returns the files of a store with some messages, as a server leaves them after a signal.
async fn files_after(signal: &str) -> (TempDir, PathBuf) {
    let mut server = Process::start(binary()).await.unwrap();
    for n in 0..200 {
        assert_eq!(post(&server, &format!("{n} {}", "x".repeat(200))).await, 201);
    }
    server.stop(signal).await.unwrap();
    let copies = tempfile::tempdir().unwrap();
    let entries = fs::read_dir(server.folder.path()).unwrap().flatten();
    for entry in entries.filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), copies.path().join(entry.file_name())).unwrap();
    }
    let file = copies.path().join("hubbub.db");
    (copies, file)
}

#[tokio::test]
async fn a_damaged_file_is_rejected_with_one_line_and_unchanged() {
    let (folder, file) = files_after("-TERM").await;
    assert!(!folder.path().join("hubbub.db-wal").exists(), "a clean end leaves one file");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8_000].fill(0x5a);
    fs::write(&file, &bytes).unwrap();
    let stderr = failed_start(folder.path()).await;
    assert!(stderr.contains("hubbub.db") && stderr.contains("damaged"), "{stderr}");
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

/// A power failure may tear the end of the write-ahead log: what was not synced is lost, and the rest is complete.
#[tokio::test]
async fn a_torn_write_ahead_log_is_read_up_to_the_tear() {
    let (folder, file) = files_after("-KILL").await;
    let wal = folder.path().join("hubbub.db-wal");
    let whole = fs::read(&wal).unwrap();
    let mut before = HashMap::new();
    for cut in [whole.len(), whole.len() - 1, whole.len() - 5_000, whole.len() / 2, whole.len() / 3] {
        let copy = tempfile::tempdir().unwrap();
        fs::copy(&file, copy.path().join("hubbub.db")).unwrap();
        fs::copy(folder.path().join("cookie.key"), copy.path().join("cookie.key")).unwrap();
        fs::write(copy.path().join("hubbub.db-wal"), &whole[..cut]).unwrap();
        let server = Process::start_in(copy, binary()).await.unwrap();
        let log = stored_events(&server).await;
        assert!((1..=log.len() as u64).eq(log.iter().map(|event| event.seq)), "no hole after a cut at {cut}");
        assert_eq!(post(&server, "and on").await, 201);
        before.insert(cut, log.len());
    }
    assert_eq!(before[&whole.len()], 200, "a killed server has synced everything");
    assert!(before[&(whole.len() - 1)] >= 199);
}

#[tokio::test]
async fn damaged_file_and_its_wal_are_rejected_and_left_unchanged() {
    let (folder, file) = files_after("-TERM").await;
    let server = Process::start_in(folder, binary()).await.unwrap();
    assert_eq!(post(&server, "in the write-ahead log").await, 201);
    let copy = tempfile::tempdir().unwrap();
    for name in ["hubbub.db", "hubbub.db-wal", "cookie.key"] {
        fs::copy(file.with_file_name(name), copy.path().join(name)).unwrap();
    }
    let files = ["hubbub.db", "hubbub.db-wal"].map(|name| copy.path().join(name));
    let mut bytes = fs::read(&files[0]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8_000].fill(0x5a);
    fs::write(&files[0], &bytes).unwrap();
    let before = files.each_ref().map(|file| fs::read(file).unwrap());
    let stderr = failed_start(copy.path()).await;
    assert!(stderr.contains("damaged") && !stderr.contains("***"), "{stderr}");
    assert_eq!(files.each_ref().map(|file| fs::read(file).unwrap()), before);
}

#[tokio::test]
async fn a_write_ahead_log_without_its_file_is_rejected_and_kept() {
    let (folder, file) = files_after("-KILL").await;
    let wal = folder.path().join("hubbub.db-wal");
    let whole = fs::read(&wal).unwrap();
    for emptied in [true, false] {
        if emptied {
            fs::write(&file, "").unwrap();
        } else {
            fs::remove_file(&file).unwrap();
        }
        let stderr = failed_start(folder.path()).await;
        assert!(stderr.contains("write-ahead log"), "{stderr}");
        assert_eq!(fs::read(&wal).unwrap(), whole);
    }
}

/// System calls by which a start or a clean stop changes the folder. The process is killed at each of them.
const CHANGES: &str = "fsync,fdatasync,unlink,rename,mkdir,ftruncate";

/// More changes than a first start and a clean stop make in one thread.
const FIRST_CHANGES: usize = 72;

/// Starts a server on `data` and stops it after a while, killed at the `n`th change of the folder. Returns `false` if
/// there are fewer.
async fn start_killed_at(n: usize, data: &Path) -> bool {
    let inject = format!("inject={CHANGES}:signal=SIGKILL:when={n}");
    let mut command = Command::new("strace");
    command.args(["-f", "-o", "/dev/null", "-e", &format!("trace={CHANGES}"), "-e", &inject]);
    // The server stops cleanly after a second, because a stop is a series of changes too.
    command
        .args(["timeout", "-k", "9", "1"])
        .arg(binary())
        .args(["--addr", "127.0.0.1:0", "--data"])
        .arg(data);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().await.unwrap();
    // `timeout` exits with 124 if it stopped the command.
    status.code() != Some(124)
}

/// Asserts that a server starts on `data` twice, each time with a complete key.
async fn assert_starts(data: &Path, after: &str) {
    for again in ["first", "second"] {
        let config = Config { ephemeral: false, data: data.into(), ..Config::plain() };
        let deadline = Instant::now() + Duration::from_secs(10);
        // A child that another task spawns has a copy of every open file, the lock too, until it runs its program.
        let started = loop {
            match start(config.clone()) {
                Err(error) if error.contains("another hubbub") && Instant::now() < deadline => {
                    sleep(Duration::from_millis(5)).await;
                }
                started => break started,
            }
        };
        let Startup { state, lock } =
            started.unwrap_or_else(|error| panic!("{after}, the {again} start after it: {error}"));
        let log = state.store.clone();
        drop(state);
        log.close().await;
        drop(lock);
        assert_eq!(fs::read(data.join("cookie.key")).unwrap().len(), 64, "{after}");
    }
}

#[tokio::test]
async fn first_start_killed_at_any_change_leaves_the_folder_usable() {
    if !run("strace", &["-f", "-o", "/dev/null", "true"]).await {
        return skip("a first start that is killed, since strace is missing or not permitted");
    }
    let killed = stream::iter(1..=FIRST_CHANGES).map(async |n| {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("data");
        let was_killed = start_killed_at(n, &data).await;
        assert_starts(&data, &format!("killed at {n}")).await;
        usize::from(was_killed)
    });
    let killed = killed.buffer_unordered(8).fold(0, async |sum, killed| sum + killed).await;
    assert!((20..FIRST_CHANGES).contains(&killed), "{killed} changes");
}
