//! Revocation: subscriptions of users whose access has ended.
//!
//! A change of access has a generation, which is newer when the change is acknowledged. So before the hub sends events that
//! were committed later, it has ended these subscriptions:
//!
//! - The store notifies of a change before it notifies of events that this process commits afterwards.
//! - The generation is compared after each read of events, which may be of other processes.

use super::{
    Hub,
    outbound::Delivery,
    room::Room,
    subscriber::{End, Subscriber},
    sync::atomic::{AtomicU64, Ordering},
};
use crate::limits::network::Network;
use crate::store::{
    AccessChange, AccessChanges, EntryRequest, MAX_ROOMS_PER_READ, Standing, StoreResult, Subject,
    may_enter_room, may_enter_server, now, posting_rules,
};
use crate::websocket::frame;
use app::wire::{RoomName, ServerFrame, UserId};
use std::sync::Arc;

/// The hub's knowledge of changes of access.
#[derive(Debug)]
pub(super) struct AccessWatch {
    /// The generation up to which subscriptions were ended.
    known: AtomicU64,
    /// The changes that were notified, or may have been missed.
    noted: AtomicU64,
    /// The value of `noted` before the last check of subscriptions that succeeded.
    confirmed: AtomicU64,
    /// Held while subscriptions are checked.
    turn: tokio::sync::Mutex<()>,
}

impl Default for AccessWatch {
    fn default() -> Self {
        Self {
            known: AtomicU64::new(0),
            noted: AtomicU64::new(0),
            confirmed: AtomicU64::new(0),
            turn: tokio::sync::Mutex::const_new(()),
        }
    }
}

impl AccessWatch {
    /// Notes that access has changed.
    pub(super) fn note_change(&self) {
        self.noted.fetch_add(1, Ordering::AcqRel);
    }

    /// Returns `true` if a change was notified, and the subscriptions were not checked since then.
    fn is_pending(&self) -> bool {
        self.confirmed.load(Ordering::Acquire) != self.noted.load(Ordering::Acquire)
    }
}

/// A subscription to check.
struct Checked {
    subscriber: Arc<Subscriber>,
    /// A room of theirs, or the server alone.
    room: Option<RoomName>,
    /// Their permission to post there may have changed.
    posting_changed: bool,
}

impl Hub {
    /// Ends the subscriptions of users whose access has ended by now. What was read from the store before this is called may
    /// be sent to the remaining ones when it resolves.
    ///
    /// # Errors
    /// [`StoreError::Backend`](crate::store::StoreError::Backend); then nothing may be sent.
    pub async fn confirm_access(&self) -> StoreResult<()> {
        // Before the read: a change that comes meanwhile is pending afterwards.
        let noted = self.access.noted.load(Ordering::Acquire);
        self.end_revoked().await?;
        self.access.confirmed.fetch_max(noted, Ordering::AcqRel);
        Ok(())
    }

    async fn end_revoked(&self) -> StoreResult<()> {
        let known = self.access.known.load(Ordering::Acquire);
        if self.store.access_changes(known).await?.generation == known {
            return Ok(());
        }
        let _turn = self.access.turn.lock().await;
        // Another task may have been first.
        let known = self.access.known.load(Ordering::Acquire);
        let AccessChanges { generation, changes } = self.store.access_changes(known).await?;
        if generation == known {
            return Ok(());
        }
        let checked = match changes {
            Some(changes) => changes.iter().flat_map(|change| self.affected(change)).collect(),
            None => self.everything(),
        };
        for checked in checked.chunks(MAX_ROOMS_PER_READ) {
            self.check(checked).await?;
        }
        self.access.known.store(generation, Ordering::Release);
        Ok(())
    }

    /// Returns the network of one of the connections of a user to this process. Programs behind a Unix socket have none.
    pub fn network_of(&self, user: UserId) -> Option<Network> {
        let users = self.users();
        let mut networks = users.get(&user)?.iter().filter_map(|subscriber| subscriber.network);
        networks.rfind(|network| *network != Network::Local)
    }

    /// Returns all subscriptions, if it is not known what has changed.
    fn everything(&self) -> Vec<Checked> {
        let mut all = self.affected(&AccessChange { subject: None, room: None });
        for checked in &mut all {
            checked.posting_changed = true;
        }
        all
    }

    /// Returns the subscriptions that a change is about.
    fn affected(&self, change: &AccessChange) -> Vec<Checked> {
        let subscribers: Vec<Arc<Subscriber>> = match (&change.subject, &change.room) {
            (Some(Subject::User(user)), _) => {
                self.users().get(user).map(|own| own.to_vec()).unwrap_or_default()
            }
            (None, Some(room)) => self.room(room).map(|room| room.subscribers().to_vec()).unwrap_or_default(),
            (subject, _) => {
                let network = match subject {
                    Some(Subject::Network(network)) => Some(*network),
                    _ => None,
                };
                let users = self.users();
                let all = users.values().flatten();
                all.filter(|it| network.is_none() || it.network == network).cloned().collect()
            }
        };
        // What changes for all rooms and users is who may enter the server.
        let posting_changed = change.room.is_some() || matches!(change.subject, Some(Subject::User(_)));
        let checked = move |subscriber, room| Checked { subscriber, room, posting_changed };
        let rooms = |subscriber: Arc<Subscriber>| match &change.room {
            Some(room) => vec![checked(subscriber, Some(room.clone()))],
            None => {
                let rooms = subscriber.rooms().into_iter().map(Some);
                let server = [None].into_iter();
                server.chain(rooms).map(|room| checked(subscriber.clone(), room)).collect()
            }
        };
        subscribers.into_iter().flat_map(rooms).collect()
    }

    /// Ends the subscriptions whose users may not enter the room any more, and sends the other ones the present posting rules.
    async fn check(&self, checked: &[Checked]) -> StoreResult<()> {
        let entry_request = |Checked { subscriber, room, .. }: &Checked| EntryRequest {
            user: subscriber.user_id,
            network: subscriber.network,
            room: room.clone(),
        };
        let entry_requests: Vec<EntryRequest> = checked.iter().map(entry_request).collect();
        let standings = self.store.standings(&entry_requests).await?;
        for (Checked { subscriber, room, posting_changed }, standing) in checked.iter().zip(standings) {
            match room {
                None => {
                    if let Err(refused) = may_enter_server(&standing) {
                        subscriber.end(End::NoAccess(refused));
                    }
                }
                Some(room) => match may_enter_room(room, &standing) {
                    Err(refused) => {
                        if subscriber.revoke(room, &refused) {
                            self.leave(room, subscriber);
                        }
                    }
                    Ok(()) if *posting_changed => send_posting_rules(subscriber, room, &standing),
                    Ok(()) => {}
                },
            }
        }
        Ok(())
    }

    /// Returns `true` if events may be broadcast now: the subscriptions of users whose access has ended are ended.
    pub(super) async fn may_broadcast(&self, room: &Room) -> bool {
        if !self.access.is_pending() {
            return true;
        }
        match self.confirm_access().await {
            Ok(()) => true,
            Err(error) => {
                if !error.is_logged() {
                    let room = crate::redact::RedactedRoom(&room.name);
                    tracing::error!(%error, %room, "reading changes of access failed; retrying");
                }
                false
            }
        }
    }
}

/// Sends a subscriber the posting rules of a room: whether the user may post, and how often.
fn send_posting_rules(subscriber: &Subscriber, room: &RoomName, standing: &Standing) {
    let posting = posting_rules(room, standing, now());
    let changed = ServerFrame::PostingChanged { room: room.clone(), posting };
    subscriber.deliver(Delivery::Control(frame::text(&changed.to_json())));
}
