//! Loads the pages of moderators from the store.

use super::{ManageQuery, overview::load_overview};
use crate::{
    http::identity::Identity,
    state::AppState,
    store::{
        Entrance, MAX_ENTRIES_PER_READ, MAX_ROOMS_PER_READ, Report, RestrictionKind, Role, RoomMode, Scope,
        Settings, Standing, StoreResult, Subject, hexadecimal, moderates,
    },
};
use app::{
    i18n::Lang,
    pages::{
        InvitationRow, KeptMessages, LogRow, ManagePage, PersonErasure, PersonPage, Place, Posting,
        ReportRow, Reported, RestrictionRow, RoleRow, ServerSettings,
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

/// Loads the page that manages a room, or the server. What only moderators may see is left out for others.
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
    let (store, scope) = (&state.store, Scope::of(room.as_ref()));
    let standing = state.standing(identity, room.as_ref()).await?;
    let (is_moderator, is_admin) = (moderates(room.as_ref(), &standing), standing.role == Some(Role::Admin));
    let record = match &room {
        Some(room) => Some(store.room(room).await?),
        None => None,
    };
    let owner = record.as_ref().and_then(|record| record.info.owner);
    // Moderators may be more than one list has: they come first.
    let least = if room.is_some() { Role::Member } else { Role::Moderator };
    let mut roles = store.roles(&scope, Role::Moderator, UserId(0)).await?;
    if least == Role::Member {
        let members = store.roles(&scope, least, UserId(0)).await?;
        roles.extend(members.into_iter().filter(|(_, role)| *role == Role::Member));
    }
    let (mut restrictions, mut invitations, mut reports, mut log) = (vec![], vec![], vec![], vec![]);
    if is_moderator {
        restrictions = store.restrictions(&scope).await?;
        invitations = store.invitations(&scope).await?;
        let reported = if room.is_some() { scope.clone() } else { Scope::All };
        reports = store.reports(&reported).await?;
        reports.truncate(MAX_SHOWN_REPORTS);
        log = store.log(if room.is_some() { &scope } else { &Scope::All }, query.before).await?;
    }
    let older = log.last().filter(|_| log.len() == MAX_ENTRIES_PER_READ as usize).map(|last| last.id);
    if room.is_none() {
        let rooms = reports.iter().map(|it| &it.room).chain(log.iter().filter_map(|it| it.room.as_ref()));
        let visible = state.enterable(identity, rooms.cloned().collect()).await?;
        reports.retain(|it| visible.contains(&it.room));
        log.retain(|it| it.room.as_ref().is_none_or(|room| visible.contains(room)));
    }
    let ids = roles.iter().map(|(user, _)| *user).chain(owner);
    let ids = ids.chain(restrictions.iter().flat_map(|it| [Some(it.by), user_of(it.subject)]).flatten());
    let ids = ids.chain(invitations.iter().map(|it| it.by)).chain(reports.iter().map(|it| it.by));
    let ids = ids.chain(log.iter().flat_map(|it| [Some(it.actor), it.subject.and_then(user_of)]).flatten());
    let names = Names::read(state, ids.collect()).await?;
    let mut titles = Titles::default();
    if room.is_none() {
        let rooms = reports.iter().map(|it| &it.room).chain(log.iter().filter_map(|it| it.room.as_ref()));
        titles = Titles::read(state, rooms.cloned().collect(), lang).await?;
    }
    let reports = load_reports(state, reports, &names, &titles).await?;
    let has_role = standing.room.role.is_some();
    let settings =
        if is_admin && room.is_none() { Some(server_settings(store.settings().await?)) } else { None };
    let overview = match settings {
        Some(_) => Some(load_overview(state, identity.id, &query, lang).await?),
        None => None,
    };
    let title = |record: &crate::store::RoomRecord| lang.strings().title_of(&record.room, record.title());
    Ok(ManagePage {
        place: Place { room: room.clone().zip(record.as_ref().map(title)) },
        owner: owner.map(|owner| names.user(owner)),
        roles: roles
            .into_iter()
            .map(|(user, role)| RoleRow {
                user: names.user(user),
                is_moderator: role >= Role::Moderator,
                is_admin: role == Role::Admin,
            })
            .collect(),
        moderates: is_moderator,
        owns: is_admin || standing.room.is_owner,
        is_closed: room.as_ref().is_some_and(|room| standing.room.members_only || room.is_members_only()),
        has_link: room.as_ref().is_some_and(RoomName::is_private),
        may_leave: has_role && !standing.room.is_owner,
        posting: record.is_some().then(|| posting(&standing)),
        settings,
        overview,
        restrictions: restrictions
            .into_iter()
            .map(|it| RestrictionRow {
                user: user_of(it.subject).map(|user| names.user(user)),
                subject: it.subject.to_string(),
                is_ban: it.kind == RestrictionKind::Ban,
                until: it.until.0,
                by: names.name(it.by),
                reason: it.reason,
            })
            .collect(),
        invitations: invitations
            .into_iter()
            .map(|it| InvitationRow {
                hash: hexadecimal(&it.invitation.hash).to_string(),
                by: names.name(it.by),
                expires_at: it.invitation.expires_at,
                uses: it.uses,
                most_uses: it.invitation.most_uses,
            })
            .collect(),
        created: None,
        reports,
        log: log
            .into_iter()
            .map(|it| LogRow {
                at: it.at,
                actor: names.name(it.actor),
                action: it.action,
                whom: match it.subject {
                    Some(Subject::User(user)) => names.name(user),
                    Some(network) => network.to_string(),
                    None => String::new(),
                },
                detail: it.detail,
                room: it.room.filter(|_| room.is_none()).map(|room| titles.of(room)),
                until: it.until,
                reason: it.reason,
            })
            .collect(),
        older,
        problem: None,
    })
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

/// Loads the page of a person in a room, or on the server.
///
/// # Errors
/// [`crate::store::StoreError::Backend`].
pub(super) async fn load_person_page(
    state: &AppState,
    identity: Identity,
    room: Option<RoomName>,
    user: UserId,
    seq: Option<Seq>,
    lang: Lang,
) -> StoreResult<PersonPage> {
    let own = state.standing(identity, room.as_ref()).await?;
    let entrance = Entrance { user, network: None, room: room.clone() };
    let theirs = state.store.standing(entrance).await?;
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
    let place = match room {
        Some(room) => {
            let title = lang.strings().title_of(&room, state.store.room(&room).await?.title());
            Place { room: Some((room, title)) }
        }
        None => Place { room: None },
    };
    let erasure = match &place.room {
        None if !is_self && own.role == Some(Role::Admin) => Some(erasure_of(state, user).await?),
        _ => None,
    };
    Ok(PersonPage {
        erasure,
        may_restrict: may_moderate,
        may_appoint: !is_self && owns,
        may_hand_over: !is_self && place.room.is_some() && owns,
        place,
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

async fn erasure_of(state: &AppState, user: UserId) -> StoreResult<PersonErasure> {
    Ok(match state.store.erasure(user).await? {
        None => PersonErasure::None,
        Some(erasure) if erasure.finished_at.is_none() => PersonErasure::UnderWay(erasure.erased),
        Some(erasure) => PersonErasure::Done(erasure.erased),
    })
}
