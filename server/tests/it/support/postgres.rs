//! A database for each test, in the PostgreSQL server that `.ci/test-postgres` starts once for all tests.

use server::store::{DatabaseUrl, PostgresStore};
use std::{
    env,
    io::{Write, stderr},
};
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
        let url: DatabaseUrl = self.url.parse().expect("the script writes a good URL");
        PostgresStore::open(&url, &[7; 64]).await.expect("the database is there")
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
