//! The page that manages a room, or the server: its people, its rules, its reports and its log.

use super::{ActionForm, KeptMessages, PersonLink, Place, moment, privacy::KeptMessagesForm};
use crate::{
    base::link,
    i18n::{Lang, ModerationStrings, Strings},
    ui::share::{ShareLink, ShareLinkField},
    wire::{Millis, RoomName, Seq, User},
};
use leptos::prelude::*;

/// A user with a role.
#[derive(Debug, Clone)]
pub struct RoleRow {
    /// The user.
    pub user: User,
    /// A moderator, and not only a member.
    pub is_moderator: bool,
}

/// A restriction.
#[derive(Debug, Clone)]
pub struct RestrictionRow {
    /// The user; `None` for a network.
    pub user: Option<User>,
    /// The user or the network as text, for the form.
    pub subject: String,
    /// It forbids to enter, and not only to write.
    pub is_ban: bool,
    /// Its end, if it has one.
    pub until: Option<Millis>,
    /// The name of the moderator.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// An open invitation.
#[derive(Debug, Clone)]
pub struct InvitationRow {
    /// Its hash, for the form.
    pub hash: String,
    /// The name of its creator.
    pub by: String,
    /// When it ends.
    pub expires_at: Millis,
    /// How often it was used.
    pub uses: u32,
    /// How often it can be used.
    pub most_uses: Option<u32>,
}

/// An open report.
#[derive(Debug, Clone)]
pub struct ReportRow {
    /// Its number.
    pub id: u64,
    /// When it was made.
    pub at: Millis,
    /// The name of the user who made it.
    pub by: String,
    /// The room of the message.
    pub room: RoomName,
    /// The message.
    pub seq: Seq,
    /// Its author and text, if it was not deleted.
    pub message: Option<(User, String)>,
    /// Why.
    pub reason: String,
}

/// An entry of the log.
#[derive(Debug, Clone)]
pub struct LogRow {
    /// When it was done.
    pub at: Millis,
    /// The name of the actor.
    pub actor: String,
    /// The word for it.
    pub action: String,
    /// The name of the user, or the network.
    pub whom: String,
    /// What else belongs to it.
    pub detail: String,
    /// The room, on the page of the server.
    pub room: Option<RoomName>,
    /// Its end.
    pub until: Option<Millis>,
    /// Why.
    pub reason: String,
}

/// Who posts in a room.
#[derive(Debug, Clone, Copy)]
pub struct Posting {
    /// 0 everyone, 1 moderators, 2 no user.
    pub mode: u8,
    /// Seconds between two posts; 0 for no limit.
    pub slow: u64,
}

/// The settings of the server.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// `open`, `invite` or `password`.
    pub access: String,
    /// Its name.
    pub name: String,
    /// Its hue, as text.
    pub hue: String,
    /// How long messages are kept.
    pub kept: KeptMessages,
    /// The version of the program.
    pub version: &'static str,
}

/// The content of the page.
#[derive(Debug, Clone)]
pub struct ManagePage {
    /// What it is about.
    pub place: Place,
    /// The owner of the room.
    pub owner: Option<User>,
    /// Users with roles.
    pub roles: Vec<RoleRow>,
    /// The current user moderates.
    pub moderates: bool,
    /// The current user owns the room, or runs the server.
    pub owns: bool,
    /// Only members may enter the room.
    pub is_closed: bool,
    /// The room has an address that is its link.
    pub has_link: bool,
    /// The current user may leave the room as a member.
    pub may_leave: bool,
    /// Who posts, in a room.
    pub posting: Option<Posting>,
    /// The settings, for the administrator.
    pub settings: Option<ServerSettings>,
    /// The restrictions, for moderators.
    pub restrictions: Vec<RestrictionRow>,
    /// The invitations, for moderators.
    pub invitations: Vec<InvitationRow>,
    /// The invitation that was just created.
    pub created: Option<ShareLink>,
    /// The reports, for moderators.
    pub reports: Vec<ReportRow>,
    /// The log, for moderators.
    pub log: Vec<LogRow>,
    /// The last entry, if there are older ones.
    pub older: Option<u64>,
    /// A problem with the last form.
    pub problem: Option<String>,
}

/// The page that manages a room, or the server.
#[component]
pub fn Manage(page: ManagePage, lang: Lang) -> impl IntoView {
    let (strings, common) = (lang.moderation(), lang.strings());
    let (title, back) = match &page.place.room {
        Some((room, title)) => (title.clone(), room.path()),
        None => (strings.administration.into(), "/".into()),
    };
    let back_label = if page.place.room.is_some() { strings.back_to_room } else { common.server.go_to_lobby };
    let created = page.created.clone().map(|shared| view! { <Created shared strings common /> });
    let problem =
        page.problem.clone().map(|problem| view! { <p role="alert" class="field-error">{problem}</p> });
    let moderates = page.moderates;
    view! {
        <main class="plain-page moderation">
            <p><a class="back-link" href=link(&back)>{back_label}</a></p>
            <h1>{title}</h1>
            {problem}
            {created}
            <People page=page.clone() strings />
            {page.posting.filter(|_| moderates).map(|posting| view! { <PostingForm posting path=page.place.path() strings /> })}
            {page.settings.clone().map(|settings| view! { <SettingsForms settings lang /> })}
            {moderates.then(|| view! { <Invitations page=page.clone() strings /> })}
            {moderates.then(|| view! { <Reports page=page.clone() strings /> })}
            {moderates.then(|| view! { <Restrictions page=page.clone() strings /> })}
            {moderates.then(|| view! { <Log page=page.clone() strings /> })}
        </main>
    }
}

/// The invitation that was just created.
#[component]
fn Created(
    shared: ShareLink,
    strings: &'static ModerationStrings,
    common: &'static Strings,
) -> impl IntoView {
    view! {
        <section role="status">
            <p>{strings.invitation_created}</p>
            <div class="stack"><ShareLinkField id="share" label=common.server.link_label shared strings=common /></div>
            <p class="hint">{strings.invitation_warning}</p>
        </section>
    }
}

/// The people with a role, and the form that adds one.
#[component]
fn People(page: ManagePage, strings: &'static ModerationStrings) -> impl IntoView {
    let place = page.place.clone();
    let list = |is_moderator: bool| {
        let rows = page.roles.iter().filter(|row| row.is_moderator == is_moderator);
        let place = place.clone();
        rows.map(move |row| view! { <li><PersonLink place=place.clone() user=row.user.clone() /></li> })
            .collect::<Vec<_>>()
    };
    let (moderators, members) = (list(true), list(false));
    let no_moderators = moderators.is_empty().then(|| view! { <p class="hint">{strings.no_moderators}</p> });
    let owner = page.owner.clone().map(|user| {
        view! { <h2>{strings.owner}</h2><ul class="directory"><li><PersonLink place=place.clone() user /></li></ul> }
    });
    let members = (page.is_closed || !members.is_empty())
        .then(|| view! { <h2>{strings.members}</h2><ul class="directory">{members}</ul> });
    let (path, label) = (
        page.place.path(),
        if page.place.room.is_some() { strings.add_member } else { strings.appoint_moderator },
    );
    let may_add = if page.place.room.is_some() { page.moderates } else { page.owns };
    let action = if page.place.room.is_some() { "let-in" } else { "appoint" };
    let add = may_add.then(|| {
        view! {
            <ActionForm path=path.clone() action label>
                <label for="person">{strings.person_by_id}</label>
                <input id="person" name="person" required maxlength="200" autocomplete="off" />
                <p class="hint">{strings.person_hint}</p>
            </ActionForm>
        }
    });
    let leave = page
        .may_leave
        .then(|| view! { <ActionForm path action="leave" label=strings.leave_members is_danger=true /> });
    view! {
        <section>
            {owner}
            <h2>{strings.moderators}</h2>
            <ul class="directory">{moderators}</ul>
            {no_moderators}
            {members}
            {add}
            {leave}
        </section>
    }
}

/// The form that says who posts, and how often.
#[component]
fn PostingForm(posting: Posting, path: String, strings: &'static ModerationStrings) -> impl IntoView {
    let Posting { mode: present_mode, slow: present_slow } = posting;
    let mode = move |value: u8, label: &'static str| {
        view! { <option value=value.to_string() selected=present_mode == value>{label}</option> }
    };
    let slow = move |value: u64, label: &'static str| {
        view! { <option value=value.to_string() selected=present_slow == value>{label}</option> }
    };
    view! {
        <section>
            <h2>{strings.posting}</h2>
            <ActionForm path action="set-mode" label=strings.apply>
                <label for="mode">{strings.posting}</label>
                <select id="mode" name="mode">
                    {mode(0, strings.mode_open)}{mode(1, strings.mode_announcements)}{mode(2, strings.mode_read_only)}
                </select>
                <label for="slow">{strings.slow_label}</label>
                <select id="slow" name="slow">
                    {slow(0, strings.slow_off)}{slow(10, strings.slow_10)}{slow(60, strings.slow_60)}
                    {slow(300, strings.slow_300)}{slow(3_600, strings.slow_3600)}
                </select>
            </ActionForm>
        </section>
    }
}

/// The settings of the server.
#[component]
fn SettingsForms(settings: ServerSettings, lang: Lang) -> impl IntoView {
    let strings = lang.moderation();
    let ServerSettings { access: present, name, hue, kept, version } = settings;
    let access = move |value: &'static str, label: &'static str| {
        let is_present = present == value;
        view! { <option value=value selected=is_present>{label}</option> }
    };
    view! {
        <section>
            <h2>{strings.access}</h2>
            <ActionForm path="/admin".into() action="set-access" label=strings.change>
                <label for="access">{strings.access}</label>
                <select id="access" name="access">
                    {access("open", strings.access_open)}{access("invite", strings.access_invite)}{access("password", strings.access_password)}
                </select>
                <label for="new-password">{strings.new_password}</label>
                <input id="new-password" name="password" type="password" autocomplete="new-password" minlength="8" maxlength="200" />
                <p class="hint">{strings.password_hint}</p>
            </ActionForm>
            <h2>{strings.server_name}</h2>
            <ActionForm path="/admin".into() action="set-name" label=strings.change>
                <label for="server-name">{strings.server_name}</label>
                <input id="server-name" name="name" value=name maxlength="48" autocomplete="off" />
                <label for="server-hue">{strings.server_hue}</label>
                <input id="server-hue" name="hue" type="number" min="0" max="359" value=hue />
            </ActionForm>
            <KeptMessagesForm kept strings=lang.privacy() />
            <p class="hint">{strings.version}" "{version}</p>
        </section>
    }
}

/// The invitations, and the form that creates one.
#[component]
fn Invitations(page: ManagePage, strings: &'static ModerationStrings) -> impl IntoView {
    let path = page.place.path();
    let none = page.invitations.is_empty().then(|| view! { <p class="hint">{strings.no_invitations}</p> });
    let rows = page.invitations.into_iter().map(|row| {
        let text = (strings.expires)(&moment(row.expires_at), row.uses, row.most_uses);
        view! {
            <li>
                <p>{(strings.by)(&row.by)}", "{text}</p>
                <ActionForm path=path.clone() action="revoke" fields=vec![("hash", row.hash)] label=strings.revoke />
            </li>
        }
    });
    let rows = rows.collect::<Vec<_>>();
    let rotate = (page.owns && page.has_link).then(|| {
        view! {
            <ActionForm path=path.clone() action="new-link" label=strings.new_link is_danger=true>
                <p class="hint">{strings.new_link_hint}</p>
            </ActionForm>
        }
    });
    view! {
        <section>
            <h2>{strings.invitations}</h2>
            <ul class="entries">{rows}</ul>
            {none}
            <ActionForm path=path.clone() action="invite" label=strings.create_invitation>
                <label for="invite-hours">{strings.duration}</label>
                <select id="invite-hours" name="hours">
                    <option value="24">{strings.day}</option>
                    <option value="168">{strings.week}</option>
                    <option value="720">{strings.month}</option>
                </select>
                <label for="uses">{strings.uses_label}</label>
                <select id="uses" name="uses">
                    <option value="1">{strings.once}</option>
                    <option value="10">"10"</option>
                    <option value="100">"100"</option>
                    <option value="0">{strings.unlimited}</option>
                </select>
            </ActionForm>
            {rotate}
        </section>
    }
}

/// The open reports.
#[component]
fn Reports(page: ManagePage, strings: &'static ModerationStrings) -> impl IntoView {
    let place = page.place.clone();
    let none = page.reports.is_empty().then(|| view! { <p class="hint">{strings.no_reports}</p> });
    let rows = page.reports.into_iter().map(|row| {
        let message = row.message.map(|(author, text)| {
            let place = Place { room: Some((row.room.clone(), String::new())) };
            view! { <PersonLink place user=author /><blockquote dir="auto">{text}</blockquote> }
        });
        let show = format!("{}?around={1}#m{1}", row.room.path(), row.seq);
        view! {
            <li>
                <p class="hint">{moment(row.at)}", "{(strings.reported)(&row.by)}</p>
                {message}
                <p dir="auto">{row.reason}</p>
                <p><a href=link(&show)>{strings.show_message}</a></p>
                <ActionForm path=place.path() action="resolve" fields=vec![("report", row.id.to_string())] label=strings.close_report />
            </li>
        }
    });
    let rows = rows.collect::<Vec<_>>();
    view! { <section><h2>{strings.reports}</h2><ul class="entries">{rows}</ul>{none}</section> }
}

/// Who is muted or removed.
#[component]
fn Restrictions(page: ManagePage, strings: &'static ModerationStrings) -> impl IntoView {
    let place = page.place.clone();
    let none = page.restrictions.is_empty().then(|| view! { <p class="hint">{strings.no_restrictions}</p> });
    let rows = page.restrictions.into_iter().map(|row| {
        let whom = match row.user {
            Some(user) => view! { <PersonLink place=place.clone() user /> }.into_any(),
            None => view! { <b>{row.subject.clone()}</b> }.into_any(),
        };
        let word = if row.is_ban { strings.banned } else { strings.muted };
        let until = row.until.map_or(strings.for_ever.to_owned(), |until| (strings.until)(&moment(until)));
        let kind = if row.is_ban { "ban" } else { "mute" };
        let fields = vec![("subject", row.subject), ("kind", kind.to_owned())];
        view! {
            <li>
                {whom}
                <p class="hint">{word}", "{until}", "{(strings.by)(&row.by)}</p>
                <p dir="auto">{row.reason}</p>
                <ActionForm path=place.path() action="lift" fields label=strings.lift />
            </li>
        }
    });
    let rows = rows.collect::<Vec<_>>();
    view! { <section><h2>{strings.restrictions}</h2><ul class="entries">{rows}</ul>{none}</section> }
}

/// What moderators have done, the newest first.
#[component]
fn Log(page: ManagePage, strings: &'static ModerationStrings) -> impl IntoView {
    let none = page.log.is_empty().then(|| view! { <p class="hint">{strings.no_log}</p> });
    let rows = page.log.into_iter().map(|row| {
        let line = (strings.log_line)(&row.actor, &row.action, &row.whom, &row.detail);
        let until = row.until.map(|until| (strings.until)(&moment(until)));
        let room = row.room.map(|room| room.path());
        view! {
            <li>
                <p><bdi>{line}</bdi></p>
                <p class="hint">{moment(row.at)}" "{until}" "{room}</p>
                <p class="hint" dir="auto">{row.reason}</p>
            </li>
        }
    });
    let rows = rows.collect::<Vec<_>>();
    let older = page.older.map(|before| {
        let path = format!("{}?before={before}#log", page.place.path());
        view! { <p><a href=link(&path) rel="next">{strings.older_entries}</a></p> }
    });
    view! { <section id="log"><h2>{strings.log}</h2><ul class="entries">{rows}</ul>{none}{older}</section> }
}
