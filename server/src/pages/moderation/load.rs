//! Loads the pages of moderators from the store.

use super::{ManageQuery, overview::load_overview};
use crate::{
    hexadecimal,
    http::identity::Identity,
    state::AppState,
    store::{
        EntryRequest, LogEntry, MAX_ENTRIES_PER_READ, MAX_ROOMS_PER_READ, Report, RestrictionKind, Role,
        RoomMode, RoomRecord, Scope, Settings, Standing, StoreResult, StoredInvitation, StoredRestriction,
        Subject, moderates,
    },
};
use app::{
    i18n::Lang,
    pages::{
        ErasureState, InvitationRow, KeptMessages, LogRow, ManagePage, ModerationScope, Posting, ReportRow,
        Reported, RestrictionRow, RoleRow, ServerSettings, UserPage,
    },
    wire::{Message, RoomName, Seq, User, UserId},
};
use std::collections::{BTreeSet, HashMap};

/// Reports on one page. Each shows its message.
const MAX_SHOWN_REPORTS: usize = 50;

/// The users whose names a page shows.
struct Names(HashMap<UserId, User>);

impl Names {
    async fn read(state: &AppState, ids: BTreeSet<UserId>) -> StoreResult<Self> {
        let ids: Vec<UserId> = ids.into_iter().collect();
        let users = state.store.users(&ids).await?;
        Ok(Self(users.into_iter().map(|user| (user.id, user)).collect()))
    }

    fn user(&self, id: UserId) -> User {
        let generated = || User::new(id, app::wire::DisplayName::generated(id));
        self.0.get(&id).cloned().unwrap_or_else(generated)
    }

    fn name(&self, id: UserId) -> String {
        self.user(id).disambiguated()
    }
}

/// The titles of the rooms that a page names.
#[derive(Default)]
struct Titles(HashMap<RoomName, String>);

impl Titles {
    async fn read(state: &AppState, rooms: BTreeSet<RoomName>, lang: Lang) -> StoreResult<Self> {
        let (rooms, mut titles) = (Vec::from_iter(rooms), HashMap::new());
        for rooms in rooms.chunks(MAX_ROOMS_PER_READ) {
            for record in state.store.rooms(rooms).await? {
                let title = lang.strings().title_of(&record.room, record.title());
                titles.insert(record.room, title);
            }
        }
        Ok(Self(titles))
    }

    /// Returns a room with its title.
    fn of(&self, room: RoomName) -> (RoomName, String) {
        let title = self.0.get(&room).cloned().unwrap_or_else(|| room.to_string());
        (room, title)
    }
}

/// Returns the user of a subject.
fn user_of(subject: Subject) -> Option<UserId> {
    match subject {
        Subject::User(user) => Some(user),
        Subject::Network(_) => None,
    }
}

/// The records of a room or the server that its page of moderation shows.
#[derive(Default)]
struct Records {
    roles: Vec<(UserId, Role)>,
    restrictions: Vec<StoredRestriction>,
    invitations: Vec<StoredInvitation>,
    reports: Vec<Report>,
    log: Vec<LogEntry>,
    /// The id of the last entry of the log, if older entries may follow.
    older: Option<u64>,
}

impl Records {
    /// Reads the roles, and for a moderator the other records as well. The log is read from before the entry `before`.
    async fn read(
        state: &AppState,
        identity: Identity,
        room: Option<&RoomName>,
        is_moderator: bool,
        before: Option<u64>,
    ) -> StoreResult<Self> {
        let (store, scope) = (&state.store, Scope::of(room));
        // Moderators may be more than one list has: they come first.
        let mut roles = store.roles(&scope, Role::Moderator, UserId(0)).await?;
        if room.is_some() {
            let members = store.roles(&scope, Role::Member, UserId(0)).await?;
            roles.extend(members.into_iter().filter(|(_, role)| *role == Role::Member));
        }
        if !is_moderator {
            return Ok(Self { roles, ..Self::default() });
        }
        // The page of the server has the reports and the log of all rooms.
        let wide = if room.is_some() { scope.clone() } else { Scope::All };
        let mut reports = store.reports(&wide).await?;
        reports.truncate(MAX_SHOWN_REPORTS);
        let log = store.log(&wide, before).await?;
        let older = log.last().filter(|_| log.len() == MAX_ENTRIES_PER_READ as usize).map(|last| last.id);
        let (restrictions, invitations) =
            (store.restrictions(&scope).await?, store.invitations(&scope).await?);
        let mut records = Self { roles, restrictions, invitations, reports, log, older };
        if room.is_none() {
            records.retain_visible(state, identity).await?;
        }
        Ok(records)
    }

    /// Removes the reports and log entries of rooms that the user may not enter.
    async fn retain_visible(&mut self, state: &AppState, identity: Identity) -> StoreResult<()> {
        let visible = state.enterable(identity, self.rooms()).await?;
        self.reports.retain(|it| visible.contains(&it.room));
        self.log.retain(|it| it.room.as_ref().is_none_or(|room| visible.contains(room)));
        Ok(())
    }

    /// Returns the rooms of the reports and log entries.
    fn rooms(&self) -> BTreeSet<RoomName> {
        let logged = self.log.iter().filter_map(|it| it.room.as_ref());
        self.reports.iter().map(|it| &it.room).chain(logged).cloned().collect()
    }

    /// Returns the users whose names the page shows.
    fn users(&self) -> BTreeSet<UserId> {
        let roles = self.roles.iter().map(|(user, _)| *user);
        let restricted = self.restrictions.iter().flat_map(|it| [Some(it.by), user_of(it.subject)]);
        let authors = self.invitations.iter().map(|it| it.by).chain(self.reports.iter().map(|it| it.by));
        let logged = self.log.iter().flat_map(|it| [Some(it.actor), it.subject.and_then(user_of)]);
        roles.chain(authors).chain(restricted.chain(logged).flatten()).collect()
    }
}

/// Loads the page that manages a room, or the server. For users who are no moderators it leaves out what only moderators may see.
///
/// # Errors
/// [`crate::store::StoreError::Backend`].
pub(super) async fn load_manage_page(
    state: &AppState,
    identity: Identity,
    room: Option<RoomName>,
    query: ManageQuery,
    lang: Lang,
) -> StoreResult<ManagePage> {
    let standing = state.standing(identity, room.as_ref()).await?;
    let (is_moderator, is_admin) = (moderates(room.as_ref(), &standing), standing.role == Some(Role::Admin));
    let record = match &room {
        Some(room) => Some(state.store.room(room).await?),
        None => None,
    };
    let owner = record.as_ref().and_then(|record| record.info.owner);
    let records = Records::read(state, identity, room.as_ref(), is_moderator, query.before).await?;
    let names = Names::read(state, records.users().into_iter().chain(owner).collect()).await?;
    let titles = match room {
        Some(_) => Titles::default(),
        None => Titles::read(state, records.rooms(), lang).await?,
    };
    let (mut settings, mut overview) = (None, None);
    if is_admin && room.is_none() {
        settings = Some(server_settings(state.store.settings().await?));
        overview = Some(load_overview(state, identity.id, &query, lang).await?);
    }
    let title = |record: &RoomRecord| lang.strings().title_of(&record.room, record.title());
    Ok(ManagePage {
        scope: ModerationScope { room: room.clone().zip(record.as_ref().map(title)) },
        owner: owner.map(|owner| names.user(owner)),
        roles: role_rows(records.roles, &names),
        moderates: is_moderator,
        owns: is_admin || standing.room.is_owner,
        is_closed: room.as_ref().is_some_and(|room| standing.room.members_only || room.is_members_only()),
        has_link: room.as_ref().is_some_and(RoomName::is_private),
        may_leave: standing.room.role.is_some() && !standing.room.is_owner,
        posting: record.is_some().then(|| posting(&standing)),
        settings,
        overview,
        restrictions: restriction_rows(records.restrictions, &names),
        invitations: invitation_rows(records.invitations, &names),
        created: None,
        reports: load_reports(state, records.reports, &names, &titles).await?,
        log: log_rows(records.log, &names, room.is_none().then_some(&titles)),
        older: records.older,
        problem: None,
    })
}

fn role_rows(roles: Vec<(UserId, Role)>, names: &Names) -> Vec<RoleRow> {
    let row = |(user, role)| RoleRow {
        user: names.user(user),
        is_moderator: role >= Role::Moderator,
        is_admin: role == Role::Admin,
    };
    roles.into_iter().map(row).collect()
}

fn restriction_rows(restrictions: Vec<StoredRestriction>, names: &Names) -> Vec<RestrictionRow> {
    let row = |it: StoredRestriction| RestrictionRow {
        user: user_of(it.subject).map(|user| names.user(user)),
        subject: it.subject.to_string(),
        is_ban: it.kind == RestrictionKind::Ban,
        until: it.until.0,
        by: names.name(it.by),
        reason: it.reason,
    };
    restrictions.into_iter().map(row).collect()
}

fn invitation_rows(invitations: Vec<StoredInvitation>, names: &Names) -> Vec<InvitationRow> {
    let row = |it: StoredInvitation| InvitationRow {
        hash: hexadecimal::encode(&it.invitation.hash),
        by: names.name(it.by),
        expires_at: it.invitation.expires_at,
        uses: it.uses,
        most_uses: it.invitation.most_uses,
    };
    invitations.into_iter().map(row).collect()
}

/// Returns the entries of the log, with their rooms if there are titles.
fn log_rows(log: Vec<LogEntry>, names: &Names, titles: Option<&Titles>) -> Vec<LogRow> {
    let row = |it: LogEntry| LogRow {
        at: it.at,
        actor: names.name(it.actor),
        action: it.action,
        whom: match it.subject {
            Some(Subject::User(user)) => names.name(user),
            Some(network) => network.to_string(),
            None => String::new(),
        },
        detail: it.detail,
        room: titles.and_then(|titles| it.room.map(|room| titles.of(room))),
        until: it.until,
        reason: it.reason,
    };
    log.into_iter().map(row).collect()
}

fn posting(standing: &Standing) -> Posting {
    let mode = match standing.room.mode {
        RoomMode::Open => 0,
        RoomMode::Announcements => 1,
        RoomMode::ReadOnly => 2,
    };
    Posting { mode, slow: standing.room.slow.map_or(0, |slow| slow.as_secs()) }
}

fn server_settings(settings: Settings) -> ServerSettings {
    ServerSettings {
        access: settings.access.to_string(),
        name: settings.name.as_deref().unwrap_or_default().to_owned(),
        hue: settings.hue,
        kept: KeptMessages { default: settings.retention.default, is_limit: settings.retention.is_limit },
        version: env!("CARGO_PKG_VERSION"),
    }
}

async fn load_reports(
    state: &AppState,
    reports: Vec<Report>,
    names: &Names,
    titles: &Titles,
) -> StoreResult<Vec<ReportRow>> {
    let mut rows = Vec::with_capacity(reports.len());
    for Report { id, at, by, room, seq, reason } in reports {
        let message = read_message(state, &room, seq).await?;
        let message = message.map(|message| (message.author, message.text.to_string()));
        let room_title = titles.0.get(&room).cloned();
        rows.push(ReportRow { id, at, by: names.name(by), room, room_title, seq, message, reason });
    }
    Ok(rows)
}

/// Reads a message that was not deleted.
async fn read_message(state: &AppState, room: &RoomName, seq: Seq) -> StoreResult<Option<Message>> {
    let page = state.store.messages_before(room, seq.saturating_add(1), 1).await?;
    Ok(page.messages.into_iter().find(|message| message.seq == seq && !message.deleted))
}

/// Loads the page of a user in a room, or on the server.
///
/// # Errors
/// [`crate::store::StoreError::Backend`].
pub(super) async fn load_user_page(
    state: &AppState,
    identity: Identity,
    room: Option<RoomName>,
    user: UserId,
    seq: Option<Seq>,
    lang: Lang,
) -> StoreResult<UserPage> {
    let own = state.standing(identity, room.as_ref()).await?;
    let entry_request = EntryRequest { user, network: None, room: room.clone() };
    let theirs = state.store.standing(entry_request).await?;
    let is_self = user == identity.id;
    let is_moderator = match &room {
        Some(_) => theirs.room.role >= Some(Role::Moderator),
        None => theirs.role >= Some(Role::Moderator),
    };
    let may_moderate = !is_self && moderates(room.as_ref(), &own);
    let owns = own.role == Some(Role::Admin) || (room.is_some() && own.room.is_owner);
    let reported = match (&room, seq) {
        (Some(room), Some(seq)) => {
            let message = read_message(state, room, seq).await?.filter(|message| message.author.id == user);
            message.map(|message| Reported { seq, text: message.text.to_string() })
        }
        _ => None,
    };
    let (mute, ban) = match &room {
        Some(_) => (theirs.room.mute, theirs.room.ban),
        None => (theirs.mute, theirs.ban),
    };
    let scope = match room {
        Some(room) => {
            let title = lang.strings().title_of(&room, state.store.room(&room).await?.title());
            ModerationScope { room: Some((room, title)) }
        }
        None => ModerationScope { room: None },
    };
    let erasure = match &scope.room {
        None if !is_self && own.role == Some(Role::Admin) => Some(erasure_of(state, user).await?),
        _ => None,
    };
    Ok(UserPage {
        erasure,
        may_restrict: may_moderate,
        may_appoint: !is_self && owns,
        may_hand_over: !is_self && scope.room.is_some() && owns,
        scope,
        user: state.author_of(user).await,
        is_self,
        is_blocked: state.store.blocked(identity.id).await?.contains(&user),
        is_moderator,
        // Only moderators see what restricts others.
        mute: mute.filter(|_| may_moderate).map(|until| until.0),
        ban: ban.filter(|_| may_moderate).map(|until| until.0),
        reported,
        notice: None,
    })
}

async fn erasure_of(state: &AppState, user: UserId) -> StoreResult<ErasureState> {
    Ok(match state.store.erasure(user).await? {
        None => ErasureState::None,
        Some(erasure) if erasure.finished_at.is_none() => ErasureState::UnderWay(erasure.erased),
        Some(erasure) => ErasureState::Done(erasure.erased),
    })
}
