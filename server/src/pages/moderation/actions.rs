//! The actions of the forms of moderators and users.

use crate::{
    hexadecimal,
    http::problem::Problem,
    pages::{PageRequest, user_data::begin_erasure},
    password, secret,
    state::AppState,
    store::{
        Action, Invitation, Moderation, NewEvent, RestrictionKind, Role, RoomMode, ServerRetention, Setting,
        StoreError, Subject, Until, now,
    },
};
use app::{
    i18n::Lang,
    wire::{Millis, Operation, Retention, RoomName, Seq, UserId, limits::MAX_PAGE_SIZE},
};
use serde::Deserialize;
use std::sync::Arc;
use uuid::Uuid;

const HOUR_MS: Millis = 3_600_000;

/// Messages of a user that one form deletes, at most.
const MAX_DELETED: usize = 500;

/// Rooms of a user in which one form deletes messages, those used last, at most.
const MAX_DELETED_ROOMS: u32 = 50;

/// Pages of a room that are read for them, at most.
const MAX_PAGES: usize = 20;

/// Hours that an invitation works, at most: 30 days.
const MAX_INVITATION_HOURS: u64 = 30 * 24;

/// Characters of the server's name.
const MAX_SERVER_NAME_CHARS: usize = 48;

/// The fields of every form. Each action takes its own.
#[derive(Deserialize)]
pub struct ActionFields {
    action: String,
    #[serde(default)]
    reason: String,
    person: Option<String>,
    hours: Option<u64>,
    network: Option<String>,
    mode: Option<u8>,
    slow: Option<u32>,
    hash: Option<String>,
    uses: Option<u32>,
    report: Option<u64>,
    subject: Option<String>,
    kind: Option<String>,
    access: Option<String>,
    password: Option<String>,
    name: Option<String>,
    hue: Option<String>,
    seq: Option<Seq>,
    keep: Option<u32>,
    keep_limit: Option<String>,
    confirm: Option<String>,
}

/// The result of an action.
pub(super) enum Done {
    /// A change that the page shows by itself.
    Plain,
    /// The user has left the room.
    Left,
    /// An invitation with this secret was created.
    Invitation(String),
    /// A message was reported.
    Reported,
    /// This number of messages was deleted.
    Deleted(u32),
    /// The user was removed, but not their network.
    WithoutNetwork,
}

impl Done {
    /// Returns the query that makes the next page say so.
    pub(super) fn query(&self) -> String {
        match self {
            Self::Reported => "?done=reported".into(),
            Self::Deleted(count) => format!("?done=deleted-{count}"),
            Self::WithoutNetwork => "?done=without-network".into(),
            Self::Plain | Self::Left | Self::Invitation(_) => String::new(),
        }
    }
}

/// Returns the sentence for a value of [`Done::query`].
pub(super) fn notice(done: &str, lang: Lang) -> Option<String> {
    let strings = lang.moderation();
    match done.split_once('-') {
        _ if done == "reported" => Some(strings.report_sent.into()),
        _ if done == "without-network" => Some(strings.network_unknown.into()),
        Some(("deleted", count)) => count.parse().ok().map(strings.deleted),
        _ => None,
    }
}

/// Does what a form says, in a room or on the server, about a user if it is about one.
///
/// # Errors
/// [`Problem`] if a field is missing or invalid, if the user may not do this, or if the store fails.
pub(super) async fn carry_out(
    request: &PageRequest,
    room: Option<&RoomName>,
    target: Option<UserId>,
    fields: ActionFields,
) -> Result<Done, Problem> {
    let PageRequest { state, identity, .. } = request;
    let actor = identity.id;
    match (fields.action.as_str(), room) {
        ("report", Some(room)) => {
            let seq = fields.seq.ok_or_else(missing)?;
            state.store.report(actor, room.clone(), seq, one_line(&fields.reason)).await?;
            return Ok(Done::Reported);
        }
        ("block" | "unblock", _) => {
            let other = target.filter(|target| *target != actor).ok_or_else(missing)?;
            state.store.set_blocked(actor, other, fields.action == "block").await?;
            return Ok(Done::Plain);
        }
        ("delete-hour", _) => {
            return delete_hour(state, actor, room, target.ok_or_else(missing)?, &fields.reason).await;
        }
        ("set-access", None) => return set_access(state, actor, fields).await,
        ("set-retention", None) => return set_retention(state, actor, fields).await,
        ("erase", None) if fields.confirm.as_deref() == Some("yes") => {
            return erase(state, actor, target.ok_or_else(missing)?, &fields.reason).await;
        }
        ("set-name", None) => return set_name(state, actor, fields).await,
        _ => {}
    }
    let (action, done) = parse_action(state, actor, room, target, &fields).await?;
    moderate(state, actor, room, action, &fields.reason).await?;
    Ok(done)
}

async fn moderate(
    state: &AppState,
    actor: UserId,
    room: Option<&RoomName>,
    action: Action,
    reason: &str,
) -> Result<(), StoreError> {
    state.store.moderate(Moderation { actor, room: room.cloned(), action, reason: one_line(reason) }).await
}

/// Returns the action of a form, and what the next page says.
async fn parse_action(
    state: &AppState,
    actor: UserId,
    room: Option<&RoomName>,
    target: Option<UserId>,
    fields: &ActionFields,
) -> Result<(Action, Done), Problem> {
    let user = || target.ok_or_else(missing);
    let until = Until(fields.hours.filter(|hours| *hours > 0).map(after_hours));
    let action = match fields.action.as_str() {
        "let-in" | "appoint" => {
            let user = match target {
                Some(target) => target,
                None => find_user(state, room, fields.person.as_deref().unwrap_or_default()).await?,
            };
            let role = if fields.action == "appoint" { Role::Moderator } else { Role::Member };
            Action::Appoint { user, role: Some(role) }
        }
        "dismiss" => Action::Appoint { user: user()?, role: None },
        "leave" => return Ok((Action::Appoint { user: actor, role: None }, Done::Left)),
        "hand-over" => Action::Transfer { user: user()? },
        "mute" => Action::Mute { user: user()?, until },
        "unmute" => Action::Lift { subject: Subject::User(user()?), kind: RestrictionKind::Mute },
        "readmit" => Action::Lift { subject: Subject::User(user()?), kind: RestrictionKind::Ban },
        "remove" => {
            let user = user()?;
            let asked = fields.network.is_some();
            let network = if asked { state.recent_networks.find(user).await? } else { None };
            let done = if asked && network.is_none() { Done::WithoutNetwork } else { Done::Plain };
            return Ok((Action::Remove { user, until, network }, done));
        }
        "lift" => {
            let subject = fields.subject.as_deref().and_then(|subject| subject.parse().ok());
            let kind = match fields.kind.as_deref() {
                Some("mute") => RestrictionKind::Mute,
                _ => RestrictionKind::Ban,
            };
            Action::Lift { subject: subject.ok_or_else(missing)?, kind }
        }
        "set-mode" => {
            let mode = match fields.mode {
                Some(0) => RoomMode::Open,
                Some(1) => RoomMode::Announcements,
                Some(2) => RoomMode::ReadOnly,
                _ => return Err(missing()),
            };
            Action::SetMode { mode, slow: fields.slow.unwrap_or(0) }
        }
        "invite" | "new-link" => {
            let (token, hash) = secret::new_secret();
            let hours = fields.hours.unwrap_or(MAX_INVITATION_HOURS).clamp(1, MAX_INVITATION_HOURS);
            let most_uses = fields.uses.filter(|uses| *uses > 0);
            let invitation = Invitation { hash, expires_at: after_hours(hours), most_uses };
            let action = match fields.action.as_str() {
                "invite" => Action::Invite(invitation),
                _ => Action::RotateLink(invitation),
            };
            return Ok((action, Done::Invitation(token)));
        }
        "revoke" => {
            let hash = fields.hash.as_deref().and_then(hexadecimal::decode);
            Action::Revoke { hash: hash.ok_or_else(missing)? }
        }
        "resolve" => Action::Resolve { report: fields.report.ok_or_else(missing)? },
        _ => return Err(missing()),
    };
    Ok((action, Done::Plain))
}

/// Returns the user whom a text means: the end of the address of their page, or the name of exactly one user who is or was in
/// the room, or in the lobby.
async fn find_user(state: &AppState, room: Option<&RoomName>, text: &str) -> Result<UserId, Problem> {
    let last = text.trim().rsplit('/').next().unwrap_or_default();
    let id = last.split('?').next().unwrap_or_default();
    if id.len() == 16
        && let Ok(user) = id.parse()
    {
        return Ok(user);
    }
    let names = [text.trim().to_owned()];
    for room in room.cloned().into_iter().chain([RoomName::lobby()]) {
        let present = state.hub.members(&room, UserId(0)).await;
        let present: Vec<UserId> = present.list.iter().map(|user| user.id).collect();
        if let Some(Some(user)) = state.store.users_named(&room, &present, &names).await?.first() {
            return Ok(*user);
        }
    }
    Err(Problem::bad_request("No user, or more than one, has this name."))
}

/// Deletes the messages of a user that are at most an hour old, in a room or in all rooms that both may enter, and records that.
async fn delete_hour(
    state: &AppState,
    actor: UserId,
    room: Option<&RoomName>,
    author: UserId,
    reason: &str,
) -> Result<Done, Problem> {
    let _writer = state.writers.token();
    let mut deleted = 0;
    match room {
        Some(room) => deleted += delete_recent(state, actor, room, author, MAX_DELETED).await?,
        None => {
            // A user who posts in a room has a read marker there.
            for (room, _) in state.store.read_markers(author, 0, MAX_DELETED_ROOMS).await? {
                match delete_recent(state, actor, &room, author, MAX_DELETED - deleted).await {
                    Ok(more) => deleted += more,
                    // The moderator may not enter the room, or has no rights in it.
                    Err(StoreError::Forbidden | StoreError::RoomNotFound) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    let messages = deleted as u32;
    let action = Action::Deleted { user: author, messages, seq: None };
    moderate(state, actor, room, action, reason).await?;
    Ok(Done::Deleted(messages))
}

/// Deletes the messages of a user in a room that are at most an hour old: the newest, at most `most`. Returns their number.
async fn delete_recent(
    state: &AppState,
    actor: UserId,
    room: &RoomName,
    author: UserId,
    most: usize,
) -> Result<usize, StoreError> {
    let since = now().saturating_sub(HOUR_MS);
    let (mut before, mut found) = (Seq::MAX, Vec::new());
    for _ in 0..MAX_PAGES {
        let page = state.store.messages_before(room, before, MAX_PAGE_SIZE).await?;
        let recent = page.messages.iter().filter(|message| message.at >= since);
        let own = recent.filter(|message| message.author.id == author && !message.deleted);
        found.extend(own.map(|message| message.seq));
        match page.messages.first() {
            Some(first) if page.more && first.at >= since => before = first.seq,
            _ => break,
        }
    }
    found.sort_unstable();
    let newest = &found[found.len().saturating_sub(most)..];
    let mut deleted = 0;
    for target in newest {
        let operation = Operation::Delete { target: *target };
        let delete = NewEvent::new(Uuid::now_v7(), room.clone(), actor, operation);
        match state.store.append(delete).await {
            Ok(_) => deleted += 1,
            // Another moderator has deleted it meanwhile.
            Err(StoreError::MessageNotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(deleted)
}

async fn change_setting(
    state: &AppState,
    actor: UserId,
    setting: Setting,
    value: Option<Arc<str>>,
) -> Result<(), StoreError> {
    moderate(state, actor, None, Action::Change(setting, value), "").await
}

/// Changes who may enter the server, and the password if there is a new one.
async fn set_access(state: &AppState, actor: UserId, fields: ActionFields) -> Result<Done, Problem> {
    let access = fields.access.ok_or_else(missing)?;
    if access.parse::<crate::store::ServerAccess>().is_err() {
        return Err(missing());
    }
    if let Some(password) = fields.password.filter(|password| !password.is_empty()) {
        // Before it is hashed, which costs more.
        let may_change = state
            .store
            .standing(crate::store::EntryRequest { user: actor, network: None, room: None })
            .await?;
        if may_change.role != Some(Role::Admin) {
            return Err(StoreError::Forbidden.into());
        }
        let hash = password::hash(password).await;
        let hash = hash.ok_or_else(|| Problem::bad_request("A password has at least 8 characters."))?;
        change_setting(state, actor, Setting::Password, Some(hash)).await?;
    } else if access == "password" && state.store.settings().await?.password.is_none() {
        return Err(Problem::bad_request("A password is required first."));
    }
    change_setting(state, actor, Setting::Access, Some(access.into())).await?;
    Ok(Done::Plain)
}

/// Changes the name and the color of the server.
async fn set_name(state: &AppState, actor: UserId, fields: ActionFields) -> Result<Done, Problem> {
    let name = one_line(fields.name.as_deref().unwrap_or_default());
    if name.chars().count() > MAX_SERVER_NAME_CHARS {
        return Err(StoreError::OutOfRange.into());
    }
    let hue = fields.hue.as_deref().map(str::trim).filter(|hue| !hue.is_empty());
    if hue.is_some_and(|hue| hue.parse::<u16>().map_or(true, |hue| hue >= 360)) {
        return Err(StoreError::OutOfRange.into());
    }
    let name: Option<Arc<str>> = Some(name).filter(|name| !name.is_empty()).map(Into::into);
    change_setting(state, actor, Setting::Name, name).await?;
    change_setting(state, actor, Setting::Hue, hue.map(Into::into)).await?;
    Ok(Done::Plain)
}

/// Changes how long messages are kept.
async fn set_retention(state: &AppState, actor: UserId, fields: ActionFields) -> Result<Done, Problem> {
    let hours = fields.keep.ok_or_else(missing)?;
    let default = Retention::try_from(hours).map_err(|_| StoreError::OutOfRange)?;
    let retention = ServerRetention { default, is_limit: fields.keep_limit.is_some() };
    change_setting(state, actor, Setting::Retention, Some(retention.to_string().into())).await?;
    state.settings.refresh().await?;
    Ok(Done::Plain)
}

/// Begins to erase everything of a user, and records that.
async fn erase(state: &AppState, actor: UserId, user: UserId, reason: &str) -> Result<Done, Problem> {
    moderate(state, actor, None, Action::Erase { user }, reason).await?;
    begin_erasure(state, user).await?;
    Ok(Done::Plain)
}

/// Records that everything of a user is exported.
///
/// # Errors
/// [`Problem`] if the user may not do this, or if the store fails.
pub(super) async fn record_export(state: &AppState, actor: UserId, user: UserId) -> Result<(), Problem> {
    moderate(state, actor, None, Action::Export { user }, "").await.map_err(Problem::from)
}

/// Returns a text in one line, without control characters.
fn one_line(text: &str) -> String {
    app::wire::sanitize_for_display(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn missing() -> Problem {
    Problem::bad_request("A field of the form is missing or invalid.")
}

fn after_hours(hours: u64) -> Millis {
    now().saturating_add(hours.saturating_mul(HOUR_MS)).min(i64::MAX as u64)
}
