//! Who may do what now: the limits of a person and of their network, at every door.

use crate::{
    http::{forwarded::Forwarded, identity::Identity, problem::Problem},
    limits::network::{Network, NetworkUsage, Use},
    pages,
    state::AppState,
};
use app::wire::{RoomName, UserId};
use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use std::time::Duration;

/// Paths whose POST is limited as a page: nothing else of what it does is counted.
const CHEAP_FORMS: [&str; 2] = ["/settings", "/device/{link}"];

impl AppState {
    /// Counts a write of `identity` against the limits of the person and of the network. Clients without a
    /// cookie are a new person at each request: those of one network share one person's limit.
    ///
    /// # Errors
    /// How long to wait before the next try.
    pub fn admit_write(&self, identity: Identity, what: Use) -> Result<(), Duration> {
        let usage = self.networks.usage(identity.network);
        if identity.known {
            self.admit_user(identity.id, what)?;
        } else {
            usage.take(Use::AnonymousPost)?;
        }
        usage.take(what)
    }

    /// Counts a write against the limits of the person alone.
    ///
    /// # Errors
    /// How long to wait before the next try.
    pub fn admit_user(&self, user: UserId, what: Use) -> Result<(), Duration> {
        self.posts.check(user)?;
        if what == Use::Rename { self.renames.check(user) } else { Ok(()) }
    }

    /// Counts a post of `identity` into `room`, which may bring the room into being.
    ///
    /// # Errors
    /// How long to wait before the next try.
    pub fn admit_post(&self, identity: Identity, room: &RoomName) -> Result<(), Duration> {
        self.admit_write(identity, Use::Post)?;
        self.admit_room(identity, room)
    }

    /// Counts `room` if a post brings it into being.
    ///
    /// # Errors
    /// How long to wait before the next try.
    pub fn admit_room(&self, identity: Identity, room: &RoomName) -> Result<(), Duration> {
        let usage = self.networks.usage(identity.network);
        if !usage.is_limited(Use::Room) || self.store.heads(std::slice::from_ref(room))[0] > 0 {
            return Ok(());
        }
        usage.take(Use::Room)
    }
}

/// The network that a request comes from.
pub fn network(request: &Request) -> Network {
    request.extensions().get::<Forwarded>().and_then(|forwarded| forwarded.client).into()
}

/// Limits pages and reads of the API by network, as a layer: the ones past the limit wait their turn, and if
/// too many wait they are refused. What forms do is limited where they do it.
pub async fn limit_reads(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let Some(what) = read(&request) else { return next.run(request).await };
    match state.networks.usage(network(&request)).admit(what).await {
        Ok(()) => next.run(request).await,
        Err(wait) => pages::refuse(&state, request, Problem::too_fast(wait)).await,
    }
}

/// Limits how fast clients without a cookie become new people, by reading; posts have limits of their own.
///
/// # Errors
/// How long to wait before the next try.
pub async fn admit_identity(usage: &NetworkUsage, method: &Method) -> Result<(), Duration> {
    if is_read(method) { usage.admit(Use::Identity).await } else { Ok(()) }
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn read(request: &Request) -> Option<Use> {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if is_read(request.method()) {
        Some(if path.contains("/api/") || path.ends_with("/ws") { Use::Read } else { Use::Page })
    } else {
        CHEAP_FORMS.iter().any(|form| path.ends_with(form)).then_some(Use::Page)
    }
}
