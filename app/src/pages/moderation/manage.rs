//! The page that manages a room, or the server: its people, its rules, its reports and its log.

use super::{
    ActionForm, InvitationRow, KeptMessages, LogRow, ModerationScope, Posting, ReportRow, RestrictionRow,
    RoleRow, UserLink,
    lists::{Invitations, Log, Reports, Restrictions},
    privacy::KeptMessagesForm,
    server::{Limits, ServerOverview, ServerRooms, ServerUsers},
};
use crate::{
    base::link,
    brand::Brand,
    i18n::{Lang, ModerationStrings, Strings},
    ui::{
        Icon,
        share::{ShareLink, ShareLinkField},
    },
    wire::User,
};
use leptos::prelude::*;

/// The settings of the server.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// `open`, `invite` or `password`.
    pub access: String,
    /// Its name.
    pub name: String,
    /// The hue of its color.
    pub hue: Option<u16>,
    /// The retention of messages.
    pub kept: KeptMessages,
    /// The version of the program.
    pub version: &'static str,
}

/// The content of the page.
#[derive(Debug, Clone)]
pub struct ManagePage {
    /// The room, or the server.
    pub scope: ModerationScope,
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
    /// The rules for posts, in a room.
    pub posting: Option<Posting>,
    /// The settings, for the administrator.
    pub settings: Option<ServerSettings>,
    /// The whole server, for the administrator.
    pub overview: Option<ServerOverview>,
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
    let created = page.created.clone().map(|shared| view! { <Created shared strings common /> });
    let problem =
        page.problem.clone().map(|problem| view! { <p role="alert" class="notice danger">{problem}</p> });
    let moderates = page.moderates;
    // Reports that wait for the moderators come first.
    let (urgent, calm) = match page.reports.is_empty() {
        true => (None, Some(view! { <Reports page=page.clone() strings /> })),
        false => (Some(view! { <Reports page=page.clone() strings /> }), None),
    };
    view! {
        <main class="plain-page moderation">
            <Heading scope=page.scope.clone() strings common />
            {problem}
            {created}
            {urgent.filter(|_| moderates)}
            <People page=page.clone() strings />
            {moderates.then(|| view! { <Restrictions page=page.clone() strings /> })}
            {page.posting.filter(|_| moderates).map(|posting| view! { <PostingForm posting path=page.scope.path() strings /> })}
            {moderates.then(|| view! { <Invitations page=page.clone() strings /> })}
            {page.overview.clone().map(|overview| view! { <ServerUsers overview=overview.clone() strings /><ServerRooms overview strings /> })}
            {page.settings.clone().map(|settings| view! { <SettingsForms settings lang /> })}
            {page.overview.clone().zip(page.settings.clone()).map(|(overview, settings)| {
                view! { <Limits limits=overview.limits version=settings.version strings /> }
            })}
            {calm.filter(|_| moderates)}
            {moderates.then(|| view! { <Log page=page.clone() strings /> })}
        </main>
    }
}

/// The way back, and what the page is about.
#[component]
fn Heading(
    scope: ModerationScope,
    strings: &'static ModerationStrings,
    common: &'static Strings,
) -> impl IntoView {
    let (title, of, back, label) = match scope.room {
        Some((room, title)) => {
            (strings.people_and_moderation, Some(title), room.path(), strings.back_to_room)
        }
        None => (strings.administration, None, "/".into(), common.server.go_to_lobby),
    };
    let of = of.map(|of| view! { <p class="subject"><bdi>{of}</bdi></p> });
    view! {
        <nav class="row">
            <span><a class="back-link" href=link(&back)><Icon path="M14 6l-6 6 6 6" />{label}</a></span>
        </nav>
        <h1>{title}</h1>
        {of}
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
            <h2>{strings.invitation_ready}</h2>
            <p>{strings.invitation_created}</p>
            <div class="stack"><ShareLinkField id="share" label=common.server.link_label shared strings=common /></div>
            <p class="hint">{strings.invitation_warning}</p>
        </section>
    }
}

/// The people with a role, and the form that adds one.
#[component]
fn People(page: ManagePage, strings: &'static ModerationStrings) -> impl IntoView {
    let list = |is_moderator: bool| {
        let rows = page.roles.iter().filter(|row| row.is_moderator == is_moderator);
        let entry = |row: &RoleRow| {
            let note = row.is_admin.then(|| view! { <span class="hint">{strings.admin}</span> });
            view! { <li><UserLink scope=page.scope.clone() user=row.user.clone() />{note}</li> }
        };
        rows.map(entry).collect::<Vec<_>>()
    };
    let (moderators, members) = (list(true), list(false));
    let no_moderators = moderators.is_empty().then(|| view! { <p class="hint">{strings.no_moderators}</p> });
    let no_members = members.is_empty().then(|| view! { <p class="hint">{strings.no_members}</p> });
    let owner = page.owner.clone().map(|user| {
        view! { <h3>{strings.owner}</h3><ul class="people"><li><UserLink scope=page.scope.clone() user /></li></ul> }
    });
    let members = (page.is_closed || no_members.is_none())
        .then(|| view! { <h3>{strings.members}</h3><ul class="people">{members}</ul>{no_members} });
    let leave = page
        .may_leave
        .then(|| view! { <ActionForm path=page.scope.path() action="leave" label=strings.leave_members is_danger=true /> });
    view! {
        <section>
            <h2>{strings.people}</h2>
            {owner}
            <h3>{strings.moderators}</h3>
            <ul class="people">{moderators}</ul>
            {no_moderators}
            {members}
            <AddUser page=page.clone() strings />
            {leave}
        </section>
    }
}

/// The form that gives a user a role.
#[component]
fn AddUser(page: ManagePage, strings: &'static ModerationStrings) -> impl IntoView {
    let is_room = page.scope.room.is_some();
    let button = |action, label| {
        view! { <button type="submit" name="action" value=action class="outlined">{label}</button> }
    };
    let let_in = (is_room && page.is_closed && page.moderates).then(|| button("let-in", strings.add_member));
    let appoint = page.owns.then(|| button("appoint", strings.appoint_moderator));
    let hint = if is_room { strings.user_hint } else { strings.user_on_server_hint };
    (let_in.is_some() || appoint.is_some()).then(|| {
        view! {
            <form method="post" action=link(&page.scope.path()) class="stack">
                <label for="person">{strings.person_by_id}</label>
                <input id="person" name="person" required maxlength="200" autocomplete="off" aria-describedby="person-hint" />
                <p id="person-hint" class="hint">{hint}</p>
                <div class="buttons">{let_in}{appoint}</div>
            </form>
        }
    })
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
                <label for="mode">{strings.mode_label}</label>
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
    let ServerSettings { access: present, name, hue, kept, version: _ } = settings;
    let access = move |value: &'static str, label: &'static str| {
        let is_present = present == value;
        view! { <option value=value selected=is_present>{label}</option> }
    };
    view! {
        <section>
            <h2>{strings.access}</h2>
            <ActionForm path="/admin".into() action="set-access" label=strings.change>
                <label for="access">{strings.access_label}</label>
                <select id="access" name="access">
                    {access("open", strings.access_open)}{access("invite", strings.access_invite)}{access("password", strings.access_password)}
                </select>
                <label for="new-password">{strings.new_password}</label>
                <input id="new-password" name="password" type="password" autocomplete="new-password" minlength="8" maxlength="200" aria-describedby="password-hint" />
                <p id="password-hint" class="hint">{strings.password_hint}</p>
            </ActionForm>
        </section>
        <section>
            <h2>{strings.appearance}</h2>
            <ActionForm path="/admin".into() action="set-name" label=strings.change>
                <label for="server-name">{strings.server_name}</label>
                <input id="server-name" name="name" value=name maxlength="48" autocomplete="off" placeholder=crate::brand::DEFAULT_NAME />
                <Hues hue strings />
            </ActionForm>
        </section>
        <section>
            <KeptMessagesForm kept strings=lang.privacy() />
        </section>

    }
}

/// The choice of the color.
#[component]
fn Hues(hue: Option<u16>, strings: &'static ModerationStrings) -> impl IntoView {
    let present = hue.map(Brand::closest);
    let choice = |value: Option<u16>, label: &'static str| {
        let (text, is_present) = (value.map(|hue| hue.to_string()), value == present);
        view! {
            <label class="checkbox">
                <input type="radio" name="hue" value=text.clone().unwrap_or_default() checked=is_present />
                <span class="swatch" data-hue=text.unwrap_or_default() aria-hidden="true"></span>
                {label}
            </label>
        }
    };
    let hues = Brand::HUES.into_iter().zip(strings.hues.iter().copied());
    let hues = hues.map(|(hue, name)| choice(Some(hue), name)).collect::<Vec<_>>();
    view! {
        <fieldset class="swatches">
            <legend>{strings.server_hue}</legend>
            {choice(None, strings.usual_hue)}
            {hues}
        </fieldset>
    }
}
