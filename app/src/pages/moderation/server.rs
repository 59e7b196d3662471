//! The administrator's view of the whole server: its rooms, its users, its limits.

use super::{ModerationScope, UserLink, moment};
use crate::{
    base::link,
    i18n::ModerationStrings,
    wire::{Millis, RoomName, User},
};
use leptos::prelude::*;

/// The whole server, for its administrator.
#[derive(Debug, Clone)]
pub struct ServerOverview {
    /// A page of the public rooms, the most recently active first.
    pub rooms: Vec<RoomRow>,
    /// The room after which the next page begins, if there is one.
    pub next_room: Option<RoomName>,
    /// The beginning of the names of `users`, as it was typed.
    pub search: String,
    /// A page of the users with a name, sorted by name.
    pub users: Vec<User>,
    /// The user after whom the next page begins, if there is one.
    pub next_user: Option<String>,
    /// The limits.
    pub limits: ServerLimits,
}

/// A room in the list.
#[derive(Debug, Clone)]
pub struct RoomRow {
    /// The room.
    pub room: RoomName,
    /// Its title.
    pub title: String,
    /// 0 everyone posts, 1 moderators do, 2 no user does.
    pub mode: u8,
    /// When the newest message was posted, if there is one.
    pub active_at: Option<Millis>,
}

/// The limits of the server, which its operator sets when it starts.
#[derive(Debug, Clone, Copy)]
pub struct ServerLimits {
    /// Posts of a user in a second.
    pub post_rate: u32,
    /// The share of the limits that one network may have, in percent.
    pub per_network: u32,
    /// Connections at most.
    pub max_connections: usize,
    /// Bytes of the database.
    pub used_bytes: u64,
    /// Bytes at most; 0 without a limit.
    pub max_bytes: u64,
}

/// The rooms of the server.
#[component]
pub(super) fn ServerRooms(overview: ServerOverview, strings: &'static ModerationStrings) -> impl IntoView {
    let none = overview.rooms.is_empty().then(|| view! { <p class="hint">{strings.no_rooms}</p> });
    let rows = overview.rooms.into_iter().map(|RoomRow { room, title, mode, active_at }| {
        let kind = match mode {
            0 => strings.kind_open,
            1 => strings.kind_announcements,
            _ => strings.kind_read_only,
        };
        let active = active_at.map_or(strings.never_active.to_owned(), |at| (strings.active)(&moment(at)));
        // The path of the lobby is not the one before those of its other pages.
        let manage = ModerationScope { room: Some((room.clone(), String::new())) }.path();
        view! {
            <li class="split">
                <p>
                    <a class="person-link" href=link(&room.path())><bdi>{title}</bdi></a>
                    <br />
                    <span class="hint">{room.path()}", "{kind}", "{active}</span>
                </p>
                <p><a href=link(&manage)>{strings.manage_room}</a></p>
            </li>
        }
    });
    let rows = rows.collect::<Vec<_>>();
    let more = overview.next_room.map(|room| {
        view! { <p><a href=link(&format!("/admin?rooms={room}#all-rooms")) rel="next">{strings.more_rooms}</a></p> }
    });
    view! {
        <section id="all-rooms">
            <h2>{strings.rooms}</h2>
            <ul class="entries">{rows}</ul>
            {none}
            {more}
            <p class="hint">{strings.rooms_hint}</p>
        </section>
    }
}

/// The users of the server, and the form that searches them.
#[component]
pub(super) fn ServerUsers(overview: ServerOverview, strings: &'static ModerationStrings) -> impl IntoView {
    let ServerOverview { users, search, next_user, .. } = overview;
    let none = users.is_empty().then(|| view! { <p class="hint">{strings.no_users}</p> });
    let scope = ModerationScope { room: None };
    let rows = users.into_iter().map(|user| view! { <li><UserLink scope=scope.clone() user /></li> });
    let rows = rows.collect::<Vec<_>>();
    let more = next_user.map(|user| {
        let path = link(&format!("/admin?name={}&users={user}#all-users", query_value(&search)));
        view! { <p><a href=path rel="next">{strings.more_users}</a></p> }
    });
    view! {
        <section id="all-users">
            <h2>{strings.users}</h2>
            <form method="get" action=link("/admin#all-users") class="stack" role="search">
                <label for="user-name">{strings.search_users}</label>
                <div class="row">
                    <input id="user-name" name="name" type="search" value=search maxlength="64" autocomplete="off" />
                    <button type="submit" class="outlined">{strings.search}</button>
                </div>
            </form>
            <ul class="people">{rows}</ul>
            {none}
            {more}
            <p class="hint">{strings.users_hint}</p>
        </section>
    }
}

/// The limits and the version of the server.
#[component]
pub(super) fn Limits(
    limits: ServerLimits,
    version: &'static str,
    strings: &'static ModerationStrings,
) -> impl IntoView {
    let ServerLimits { post_rate, per_network, max_connections, used_bytes, max_bytes } = limits;
    let size = match max_bytes {
        0 => (strings.used)(&mebibytes(used_bytes)),
        max => (strings.used_of)(&mebibytes(used_bytes), &mebibytes(max)),
    };
    let row = |term: &'static str, value: String| view! { <div><dt>{term}</dt><dd>{value}</dd></div> };
    view! {
        <section>
            <h2>{strings.limits}</h2>
            <dl class="facts">
                {row(strings.size, size)}
                {row(strings.post_rate, (strings.per_second)(post_rate))}
                {row(strings.per_network, (strings.percent)(per_network))}
                {row(strings.max_connections, max_connections.to_string())}
                {row(strings.version, version.to_owned())}
            </dl>
            <p class="hint">{strings.limits_hint}</p>
        </section>
    }
}

/// Returns a number of bytes in MiB, with one digit after the point.
fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) / (1_024 * 1_024);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

/// Returns a text as the value of a query: every byte but letters and digits is escaped.
fn query_value(text: &str) -> String {
    let escaped = |byte: u8| match byte {
        b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    text.bytes().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_queries_are_written() {
        assert_eq!(mebibytes(1_024 * 1_024 * 3 / 2), "1.5 MiB");
        assert_eq!(mebibytes(0), "0.0 MiB");
        assert_eq!(query_value("a&b= 小\""), "a%26b%3D%20%E5%B0%8F%22");
    }
}
