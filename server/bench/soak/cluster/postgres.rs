//! A PostgreSQL cluster: a primary and, if it is wanted, a synchronous standby.

use crate::process::free_address;
use std::{
    cell::Cell,
    fs,
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    process::Command,
    time::{sleep, timeout},
};

/// The folder in which Debian has the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The user, and its password.
const USER: &str = "hubbub";
const PASSWORD: &str = "secret";

/// The settings that differ from the defaults, none of which is about durability.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
wal_retrieve_retry_interval = '200ms'
wal_keep_size = '256MB'
";

/// The longest time that a step may take: a start, a promotion, or the wait until the standby has caught up.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);

/// The pause between two looks at what takes a while.
const POLL_DELAY: Duration = Duration::from_millis(50);

/// A primary, and a standby if it has one. It stops both when it is dropped.
pub struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    ports: [u16; 2],
    primary: Cell<usize>,
    has_standby: bool,
    /// PostgreSQL refuses to run as root.
    is_root: bool,
}

impl Postgres {
    /// Creates and starts a cluster.
    pub async fn start(programs: Option<&Path>, has_standby: bool) -> io::Result<Self> {
        let programs = programs.map_or_else(newest_programs, |programs| Ok(programs.to_owned()))?;
        let folder = tempfile::Builder::new().prefix("hubbub-soak-postgres.").tempdir()?;
        let ports = [free_address().await?.port(), free_address().await?.port()];
        let is_root = fs::metadata("/proc/self")?.uid() == 0;
        let cluster = Self { programs, folder, ports, primary: Cell::new(0), has_standby, is_root };
        cluster.init().await?;
        cluster.start_member(0).await?;
        if has_standby {
            cluster.rebuild_standby().await?;
        }
        Ok(cluster)
    }

    /// Returns the URL for the nodes: they connect to the member that accepts writes.
    pub fn url(&self) -> String {
        let [one, two] = self.ports;
        let hosts = match self.has_standby {
            true => format!("127.0.0.1:{one},127.0.0.1:{two}"),
            false => format!("127.0.0.1:{one}"),
        };
        format!("postgres://{USER}:{PASSWORD}@{hosts}/postgres?target_session_attrs=read-write")
    }

    /// Kills the primary, and starts it again.
    pub async fn kill_and_start(&self) -> io::Result<()> {
        let primary = self.primary.get();
        self.kill(primary).await?;
        self.start_member(primary).await?;
        self.wait_until_writable().await
    }

    /// Kills the primary, and promotes the standby once that is a synchronous one. Then there is no standby.
    pub async fn promote(&self) -> io::Result<()> {
        let primary = self.primary.get();
        self.kill(primary).await?;
        let standby = self.folder_of(1 - primary);
        self.run("pg_ctl", &["--pgdata", &standby, "--wait", "promote"]).await?;
        self.primary.set(1 - primary);
        self.wait_until_writable().await
    }

    /// Kills the standby, and starts it again after a pause.
    pub async fn kill_standby(&self, pause: Duration) -> io::Result<()> {
        let standby = 1 - self.primary.get();
        self.kill(standby).await?;
        sleep(pause).await;
        self.start_member(standby).await?;
        self.wait_until_synchronous().await
    }

    /// Makes the member that is not the primary a synchronous standby.
    pub async fn rebuild_standby(&self) -> io::Result<()> {
        let standby = 1 - self.primary.get();
        let (data, port) = (self.folder_of(standby), self.ports[self.primary.get()].to_string());
        let _ = fs::remove_dir_all(&data);
        let copy = ["--pgdata", &data, "--host=127.0.0.1", "--port", &port, "--username", USER];
        let options = ["--checkpoint=fast", "--write-recovery-conf", "--no-sync"];
        self.run("pg_basebackup", &[&copy[..], &options[..]].concat()).await?;
        // Once it is promoted, it has no standby to wait for.
        append(&Path::new(&data).join("postgresql.auto.conf"), "synchronous_standby_names = ''\n")?;
        self.start_member(standby).await?;
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'").await?;
        self.sql("SELECT pg_reload_conf()").await?;
        self.wait_until_synchronous().await
    }

    /// Waits until the standby has every commit.
    pub async fn wait_until_synchronous(&self) -> io::Result<()> {
        self.wait_for("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'", "1").await
    }

    /// Runs a statement on the primary, and returns its output.
    pub async fn sql(&self, sql: &str) -> io::Result<String> {
        let port = self.ports[self.primary.get()].to_string();
        let connect = ["--host=127.0.0.1", "--port", &port, "--username", USER, "--dbname=postgres"];
        let options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--command", sql];
        self.run("psql", &[&connect[..], &options[..]].concat()).await
    }

    async fn init(&self) -> io::Result<()> {
        let password = self.folder.path().join("password");
        fs::write(&password, PASSWORD)?;
        if self.is_root {
            let owned =
                Command::new("chown").args(["-R", "postgres"]).arg(self.folder.path()).status().await?;
            if !owned.success() {
                return Err(io::Error::other("cannot give the folder to the user postgres"));
            }
        }
        let (data, password) = (self.folder_of(0), format!("--pwfile={}", password.display()));
        let options = ["--no-sync", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", &password];
        self.run("initdb", &[&options[..], &["--username", USER, "--pgdata", &data]].concat()).await?;
        append(&Path::new(&data).join("postgresql.conf"), SETTINGS)
    }

    async fn start_member(&self, member: usize) -> io::Result<()> {
        let (data, log) = (self.folder_of(member), self.folder.path().join(format!("log{member}")));
        let (log, port) = (log.display().to_string(), format!("-p {}", self.ports[member]));
        let arguments = ["--pgdata", &data, "--log", &log, "--wait", "-o", &port, "start"];
        self.run("pg_ctl", &arguments).await.map(drop)
    }

    /// Kills a member with all of its processes, and waits until they are gone.
    async fn kill(&self, member: usize) -> io::Result<()> {
        let file = Path::new(&self.folder_of(member)).join("postmaster.pid");
        let text = fs::read_to_string(&file)?;
        let parent = text.lines().next().unwrap_or_default().trim().to_owned();
        let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))?;
        let mut processes = vec![parent];
        processes.extend(children.split_whitespace().map(str::to_owned));
        Command::new("kill").arg("-KILL").args(&processes).stderr(Stdio::null()).status().await?;
        while processes.iter().any(|process| is_alive(process)) {
            sleep(POLL_DELAY).await;
        }
        // Without it, a process that reuses the number could prevent the start.
        fs::remove_file(file)
    }

    async fn wait_until_writable(&self) -> io::Result<()> {
        self.wait_for("SELECT pg_current_xact_id() IS NOT NULL", "t").await
    }

    /// Waits until a statement returns `expected`.
    async fn wait_for(&self, sql: &str, expected: &str) -> io::Result<()> {
        let waiting = async {
            while self.sql(sql).await.ok().as_deref() != Some(expected) {
                sleep(POLL_DELAY).await;
            }
        };
        timeout(STEP_TIMEOUT, waiting).await.map_err(|_| io::Error::other(format!("no answer: {sql}")))
    }

    fn folder_of(&self, member: usize) -> String {
        self.folder.path().join(format!("data{member}")).display().to_string()
    }

    /// Returns the command that runs one of the programs, which root does as the user postgres.
    fn program(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = if self.is_root { Command::new("runuser") } else { Command::new(&path) };
        if self.is_root {
            command.args(["-u", "postgres", "--"]).arg(&path);
        }
        command.current_dir("/");
        command
    }

    async fn run(&self, program: &str, arguments: &[&str]) -> io::Result<String> {
        let mut command = self.program(program);
        command.args(arguments).env("PGPASSWORD", PASSWORD).env("PGCONNECT_TIMEOUT", "5");
        let output = timeout(STEP_TIMEOUT, command.stdin(Stdio::null()).kill_on_drop(true).output())
            .await
            .map_err(|_| io::Error::other(format!("{program} does not end")))??;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(io::Error::other(format!("{program}: {why}")))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        for member in 0..2 {
            // One that does not run, or was never created, cannot be stopped.
            let data = self.folder_of(member);
            let stop = ["--pgdata", &data, "--mode=immediate", "--silent", "--wait", "stop"];
            let stopping = self.program("pg_ctl").into_std().args(stop).stderr(Stdio::null()).status();
            drop(stopping);
        }
    }
}

fn newest_programs() -> io::Result<PathBuf> {
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let programs = versions.map(|version| version.path().join("bin"));
    let newest = programs.filter(|programs| programs.join("initdb").exists()).max();
    newest.ok_or_else(|| io::Error::other("PostgreSQL is not installed; name its programs with --postgres"))
}

/// Returns `true` unless a process is gone, or dead and not yet reaped.
fn is_alive(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

fn append(file: &Path, text: &str) -> io::Result<()> {
    fs::OpenOptions::new().append(true).open(file)?.write_all(text.as_bytes())
}
