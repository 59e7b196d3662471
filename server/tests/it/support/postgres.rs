//! A database for each test, in the PostgreSQL server that `.ci/test-postgres` starts once for all tests.

use server::store::{DatabaseUrl, PostgresStore};
use std::{
    env, fs,
    io::{Write, stderr},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{process::Command, time::sleep};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// The variable with the URL of the server.
const SERVER: &str = "HUBBUB_TEST_POSTGRES";

/// An empty schema of its own, which counts as a database: its URL makes it the only one.
pub struct TestDatabase {
    pub url: String,
    schema: String,
}

impl TestDatabase {
    /// Creates a database. Returns `None`, and says so, if there is no server.
    pub async fn create() -> Option<Self> {
        let server = server_url()?;
        let schema = format!("test_{}", Uuid::new_v4().simple());
        let url = format!("{server}?application_name={schema}&options=-csearch_path%3D{schema}");
        let database = Self { url, schema };
        database.execute(&format!("CREATE SCHEMA {}", database.schema)).await;
        Some(database)
    }

    /// Opens the store of the database.
    pub async fn open(&self) -> PostgresStore {
        open_postgres(&self.url).await
    }

    /// Ends the connections of all stores on the database whose last statement is like `pattern`.
    pub async fn cut_connections(&self, pattern: &str) {
        let cut = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = '{}' AND pid <> pg_backend_pid() AND query LIKE '{pattern}'",
            self.schema
        );
        self.execute(&cut).await;
    }

    /// Returns a connection of the superuser.
    async fn client(&self) -> Client {
        let (client, connection) =
            tokio_postgres::connect(&self.url, NoTls).await.expect("the server is there");
        tokio::spawn(connection);
        client
    }

    /// Executes statements as the superuser.
    pub async fn execute(&self, sql: &str) {
        self.client().await.batch_execute(sql).await.expect("the statements are good");
    }
}

/// A PostgreSQL server of one test, which the test may kill. It stops when the process of the test ends.
pub struct PrivatePostgres {
    pub url: String,
    folder: PathBuf,
}

impl PrivatePostgres {
    /// Starts a server. Returns `None`, and says so, if there is no PostgreSQL.
    pub async fn start() -> Option<Self> {
        server_url()?;
        let variables = tempfile::NamedTempFile::new().expect("a temporary file can be made");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/test-postgres");
        let started = Command::new(script)
            .env_remove(SERVER)
            .env("NEXTEST_ENV", variables.path())
            .status()
            .await
            .expect("the script runs");
        assert!(started.success(), "the server has started");
        let written = fs::read_to_string(variables.path()).expect("the script writes its variables");
        let value = |name: &str| {
            let line = written.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.expect("the variable is set").to_owned()
        };
        let folder = value("HUBBUB_TEST_POSTGRES_FOLDER").into();
        Some(Self { url: value(SERVER), folder })
    }

    /// Kills the server with SIGKILL.
    pub async fn kill(&self) {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).expect("the server runs");
        let pid = file.lines().next().expect("the first line has its id");
        let killed = Command::new("kill").args(["-KILL", pid]).status().await.expect("kill runs");
        assert!(killed.success(), "the server was there");
    }

    /// Starts the server again. The processes of the killed one may take a moment to end.
    pub async fn start_again(&self) {
        let start = || Command::new("sh").arg(self.folder.join("start")).output();
        while !start().await.expect("sh runs").status.success() {
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Opens the store of a database.
pub async fn open_postgres(url: &str) -> PostgresStore {
    let url: DatabaseUrl = url.parse().expect("the script writes a good URL");
    PostgresStore::open(&url, &[7; 64]).await.expect("the database is there")
}

/// Returns the URL of the server, or says that the test is skipped.
fn server_url() -> Option<String> {
    let url = env::var(SERVER).ok();
    if url.is_none() {
        let _ = writeln!(
            stderr(),
            "skipped: PostgreSQL; {SERVER} is not set (nextest sets it if it is installed)"
        );
    }
    url
}
