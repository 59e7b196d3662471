//! A database for each test, in the PostgreSQL server that `.ci/test-postgres` starts once for all tests.

use server::store::{DatabaseUrl, PostgresStore};
use std::{
    env,
    io::{Write, stderr},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process,
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
    pub async fn client(&self) -> Client {
        connect(&self.url).await
    }

    /// Executes statements as the superuser.
    pub async fn execute(&self, sql: &str) {
        self.client().await.batch_execute(sql).await.expect("the statements are good");
    }
}

/// A PostgreSQL server of one test, which the test may kill. It stops when the process of the test ends.
pub struct PrivatePostgres {
    pub url: String,
    data: PathBuf,
    programs: PathBuf,
}

impl PrivatePostgres {
    /// Starts a server. Returns `None`, and says so, if there is no PostgreSQL.
    pub async fn start() -> Option<Self> {
        server_url()?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/postgres");
        let started =
            Command::new(script).arg(process::id().to_string()).output().await.expect("the script runs");
        assert!(started.status.success(), "the server has started");
        let url = String::from_utf8(started.stdout).expect("a URL is text").trim_end().to_owned();
        let paths = "SELECT current_setting('data_directory'), setting FROM pg_config WHERE name = 'BINDIR'";
        let row = connect(&url).await.query_one(paths, &[]).await.expect("the superuser may ask");
        let path = |column| PathBuf::from(row.get::<_, String>(column));
        Some(Self { url, data: path(0), programs: path(1) })
    }

    /// Kills the server with SIGKILL.
    pub async fn kill(&self) {
        let file = std::fs::read_to_string(self.data.join("postmaster.pid")).expect("the server runs");
        let pid = file.lines().next().expect("the first line has its id");
        let killed = Command::new("kill").args(["-KILL", pid]).status().await.expect("kill runs");
        assert!(killed.success(), "the server was there");
    }

    /// Starts the server again, with the options that it had. The processes of the killed one may take a moment to end.
    pub async fn start_again(&self) {
        let user = self.data.metadata().expect("the folder is there").uid();
        let start = || {
            let mut command = Command::new(self.programs.join("pg_ctl"));
            command.arg("--pgdata").arg(&self.data).args(["--wait", "--log", "/dev/null", "restart"]);
            command.uid(user).current_dir("/").stdout(process::Stdio::null()).stderr(process::Stdio::null());
            command.status()
        };
        while !start().await.expect("pg_ctl runs").success() {
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Opens the store of a database.
pub async fn open_postgres(url: &str) -> PostgresStore {
    let url: DatabaseUrl = url.parse().expect("the script writes a good URL");
    PostgresStore::open(&url, &[7; 64]).await.expect("the database is there")
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server is there");
    tokio::spawn(connection);
    client
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
