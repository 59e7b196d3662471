//! Sending to the other servers: one task sends what waits with `NOTIFY`, on a connection of its own and after the commits,
//! because a commit with a `NOTIFY` holds a lock of the whole database during its disk sync.

use super::{
    connect::{Connector, ReadPool},
    shared::Shared,
};
use crate::store::StoreResult;
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

const NOTIFY: &str = "SELECT count(pg_notify($1, p)) FROM unnest($2::text[]) AS p";

/// The longest time that one statement may take before the connection is dropped.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// Time between two attempts to connect.
const RECONNECT_DELAY: Duration = Duration::from_millis(500);

/// Sends what waits for the other servers, for ever. While one statement is under way, what follows is merged. After a
/// failure the other servers are sent [`Signal::Missed`](super::signal::Signal::Missed).
pub(super) async fn send_signals(connector: Connector, shared: Arc<Shared>) {
    loop {
        if send_until_lost(&connector, &shared).await.is_err() {
            shared.send(super::signal::Outgoing::note_missed);
        }
        sleep(RECONNECT_DELAY).await;
    }
}

/// Sends what waits for the other servers, once.
///
/// # Errors
/// [`StoreError::Backend`](crate::store::StoreError::Backend); then it is lost.
pub(super) async fn send_rest(readers: &ReadPool, shared: &Shared) -> StoreResult<()> {
    let payloads = shared.take_payloads();
    readers
        .read(async |client| Ok(client.execute(NOTIFY, &[&shared.channel, &payloads]).await.map(drop)?))
        .await
}

async fn send_until_lost(connector: &Connector, shared: &Shared) -> Result<(), tokio_postgres::Error> {
    let client = connector.connect().await?;
    let statement = client.prepare_cached(NOTIFY).await?;
    loop {
        shared.has_outgoing.notified().await;
        let payloads = shared.take_payloads();
        if payloads.is_empty() {
            continue;
        }
        match timeout(SEND_TIMEOUT, client.execute(&statement, &[&shared.channel, &payloads])).await {
            Ok(sent) => drop(sent?),
            Err(_) => {
                shared.send(super::signal::Outgoing::note_missed);
                return Ok(());
            }
        }
    }
}
