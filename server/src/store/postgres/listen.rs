//! Receiving from the other servers: a connection that listens, and that polls once a second for changed names.

use super::{
    connect::{Connector, PolledConnection},
    error::causes,
    history::HistoryError,
    rows,
    shared::Shared,
    signal::Signal,
};
use crate::store::Notification;
use app::wire::UserId;
use std::{error::Error, future::poll_fn, sync::Arc, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tokio_postgres::{AsyncMessage, Client};

/// Time between two polls. They find changes whose notification was lost, and whether the connection is alive.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The longest time that a poll may take before the connection is given up.
const POLL_TIMEOUT: Duration = Duration::from_secs(5);

/// Time between two attempts to connect.
const RECONNECT_DELAY: Duration = Duration::from_millis(200);

/// Users whose changes one poll reads, at most.
const MAX_CHANGED_USERS: i64 = 1_000;

const SELECT_CHANGED_USERS: &str = "
    SELECT u.id, u.generation FROM user_account u
    WHERE u.generation > $1 AND u.generation <= (SELECT l.names_generation FROM log l)
    ORDER BY u.generation LIMIT $2";

/// A connection that listens.
pub(super) struct Listener {
    client: Client,
    /// Drives the connection, and publishes what comes.
    receiver: JoinHandle<()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.receiver.abort();
    }
}

impl Listener {
    /// Opens a connection that listens.
    ///
    /// # Errors
    /// The reason that the database cannot be reached, or does not answer.
    pub(super) async fn open(connector: &Connector, shared: &Arc<Shared>) -> Result<Self, String> {
        let (client, connection) = connector.connect_polled().await.map_err(|error| causes(&error))?;
        let receiver = tokio::spawn(receive(connection, shared.clone()));
        let listener = Self { client, receiver };
        within(shared.history.check(&listener.client)).await?;
        let listen = format!("LISTEN {}", shared.channel);
        within(listener.client.batch_execute(&listen)).await?;
        Ok(listener)
    }

    /// Polls until the connection is lost. Returns why.
    async fn poll(&self, shared: &Shared) -> String {
        loop {
            let polling = async {
                shared.history.check(&self.client).await?;
                Ok::<_, HistoryError>(find_changed_users(&self.client, shared).await?)
            };
            if let Err(error) = within(polling).await {
                return error;
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}

/// Turns the messages of other servers into notifications of this process, for ever.
pub(super) async fn follow_signals(mut listener: Listener, connector: Connector, shared: Arc<Shared>) {
    loop {
        let error = listener.poll(&shared).await;
        if shared.history.ensure_current().is_err() {
            // The process starts again.
            return;
        }
        shared.listening.note_failure(&error);
        listener = loop {
            if let Ok(listener) = Listener::open(&connector, &shared).await {
                break listener;
            }
            sleep(RECONNECT_DELAY).await;
        };
        shared.listening.note_answer();
        // A crash of the database has emptied the tables about presence.
        shared.lease_due.notify_one();
        // Messages that were sent meanwhile are lost.
        shared.notifier.send(Notification::Missed);
    }
}

async fn within<T, E: Error + 'static>(answer: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    let answered =
        timeout(POLL_TIMEOUT, answer).await.map_err(|_| "the database does not answer".to_owned())?;
    answered.map_err(|error| causes(&error))
}

/// Publishes users whose changes were not notified.
async fn find_changed_users(client: &Client, shared: &Shared) -> Result<(), tokio_postgres::Error> {
    let rows = client.query(SELECT_CHANGED_USERS, &[&shared.announced_names(), &MAX_CHANGED_USERS]).await?;
    let mut users: Vec<UserId> = Vec::new();
    for row in rows {
        shared.note_names_announced_up_to(row.try_get(1)?);
        users.push(rows::user_id(row.try_get(0)?));
    }
    shared.publish_users(users);
    Ok(())
}

async fn receive(mut connection: PolledConnection, shared: Arc<Shared>) {
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        let AsyncMessage::Notification(message) = message else { continue };
        let (node, signal) = Signal::parse(message.payload());
        let Some(signal) = signal else { continue };
        if let Signal::Users(generation, _) = &signal {
            shared.note_names_announced(*generation);
        }
        if node != shared.node {
            if let Signal::Heads(_) = &signal {
                shared.writing_servers.note(node, Instant::now());
            }
            signal
                .into_notifications()
                .into_iter()
                .for_each(|notification| shared.notifier.send(notification));
        }
    }
}
