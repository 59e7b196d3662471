//! Lists of the page that manages a room, or the server: invitations, reports, restrictions and the log.

use super::{
    ActionForm, InvitationRow, LogRow, ManagePage, ModerationScope, ReportRow, RestrictionRow, UserLink,
    moment,
};
use crate::{base::link, i18n::ModerationStrings};
use leptos::{either::Either, prelude::*};

/// The invitations, and the form that creates one.
#[component]
pub(super) fn Invitations(page: ManagePage, strings: &'static ModerationStrings) -> impl IntoView {
    let path = page.scope.path();
    let none = page.invitations.is_empty().then(|| view! { <p class="hint">{strings.no_invitations}</p> });
    let rows = page.invitations.into_iter().map(|InvitationRow { hash, by, expires_at, uses, most_uses }| {
        let text = (strings.expires)(&moment(expires_at), uses, most_uses);
        view! {
            <li class="split">
                <p>{text}<br /><span class="hint">{(strings.by)(&by)}</span></p>
                <ActionForm path=path.clone() action="revoke" fields=vec![("hash", hash)] label=strings.revoke is_danger=true />
            </li>
        }
    });
    let rows = rows.collect::<Vec<_>>();
    let rotate = (page.owns && page.has_link).then(|| {
        view! {
            <h3>{strings.new_link}</h3>
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
                <div class="columns">
                    <div class="stack">
                        <label for="invite-hours">{strings.duration}</label>
                        <select id="invite-hours" name="hours">
                            <option value="24">{strings.day}</option>
                            <option value="168">{strings.week}</option>
                            <option value="720">{strings.month}</option>
                        </select>
                    </div>
                    <div class="stack">
                        <label for="uses">{strings.uses_label}</label>
                        <select id="uses" name="uses">
                            <option value="1">{strings.once}</option>
                            <option value="10">"10"</option>
                            <option value="100">"100"</option>
                            <option value="0">{strings.unlimited}</option>
                        </select>
                    </div>
                </div>
            </ActionForm>
            {rotate}
        </section>
    }
}

/// The open reports.
#[component]
pub(super) fn Reports(page: ManagePage, strings: &'static ModerationStrings) -> impl IntoView {
    let scope = page.scope.clone();
    let none = page.reports.is_empty().then(|| view! { <p class="hint">{strings.no_reports}</p> });
    let rows = page.reports.into_iter().map(|row| {
        let ReportRow { id, at, by, room, room_title, seq, message, reason } = row;
        let show = format!("{}?around={seq}#m{seq}", room.path());
        let author_scope = ModerationScope { room: Some((room, String::new())) };
        let message = match message {
            Some((user, text)) => Either::Left(view! {
                <p><UserLink scope=author_scope user /></p>
                <blockquote dir="auto">{text}</blockquote>
            }),
            None => Either::Right(view! { <p class="hint">{strings.message_gone}</p> }),
        };
        let reason = (!reason.is_empty()).then(|| view! { <p>{strings.reason}": "<bdi>{reason}</bdi></p> });
        let room_title = room_title.map(|title| view! { ", "<bdi>{title}</bdi> });
        view! {
            <li>
                {message}
                {reason}
                <p class="hint">{(strings.reported)(&by)}", "{moment(at)}{room_title}</p>
                <div class="buttons">
                    <a class="button outlined" href=link(&show)>{strings.show_message}</a>
                    <ActionForm path=scope.path() action="resolve" fields=vec![("report", id.to_string())] label=strings.close_report />
                </div>
            </li>
        }
    });
    let rows = rows.collect::<Vec<_>>();
    view! { <section><h2>{strings.reports}</h2><ul class="entries">{rows}</ul>{none}</section> }
}

/// The users and networks that are muted or removed.
#[component]
pub(super) fn Restrictions(page: ManagePage, strings: &'static ModerationStrings) -> impl IntoView {
    let scope = page.scope.clone();
    let none = page.restrictions.is_empty().then(|| view! { <p class="hint">{strings.no_restrictions}</p> });
    let rows =
        page.restrictions.into_iter().map(|RestrictionRow { user, subject, is_ban, until, by, reason }| {
            let whom = match user {
                Some(user) => Either::Left(view! { <UserLink scope=scope.clone() user /> }),
                None => Either::Right(view! { {strings.network}" "<b>{subject.clone()}</b> }),
            };
            let (word, kind) = if is_ban { (strings.banned, "ban") } else { (strings.muted, "mute") };
            let until = until.map_or(strings.for_ever.to_owned(), |until| (strings.until)(&moment(until)));
            let reason = (!reason.is_empty()).then(|| view! { <br /><bdi>{reason}</bdi> });
            let fields = vec![("subject", subject), ("kind", kind.to_owned())];
            view! {
                <li class="split">
                    <p>
                        {whom}
                        <br />
                        <span class="hint">{word}" "{until}", "{(strings.by)(&by)}{reason}</span>
                    </p>
                    <ActionForm path=scope.path() action="lift" fields label=strings.lift />
                </li>
            }
        });
    let rows = rows.collect::<Vec<_>>();
    view! { <section><h2>{strings.restrictions}</h2><ul class="entries">{rows}</ul>{none}</section> }
}

/// The actions of moderators, newest first.
#[component]
pub(super) fn Log(page: ManagePage, strings: &'static ModerationStrings) -> impl IntoView {
    let none = page.log.is_empty().then(|| view! { <p class="hint">{strings.no_log}</p> });
    let rows = page.log.into_iter().map(|LogRow { at, actor, action, whom, detail, room, until, reason }| {
        let line = (strings.log_line)(&actor, &action, &whom, &detail);
        let until = until.map(|until| format!(", {}", (strings.until)(&moment(until))));
        let room = room.map(|(room, title)| {
            let path = ModerationScope { room: Some((room, String::new())) }.path();
            view! { ", "<a href=link(&path)><bdi>{title}</bdi></a> }
        });
        let reason = (!reason.is_empty()).then(|| view! { <br />{strings.reason}": "<bdi>{reason}</bdi> });
        view! {
            <li>
                <p><bdi>{line}</bdi></p>
                <p class="hint">{moment(at)}{until}{room}{reason}</p>
            </li>
        }
    });
    let rows = rows.collect::<Vec<_>>();
    let older = page.older.map(|before| {
        let path = format!("{}?before={before}#log", page.scope.path());
        view! { <p><a href=link(&path) rel="next">{strings.older_entries}</a></p> }
    });
    view! { <section id="log"><h2>{strings.log}</h2><ul class="entries">{rows}</ul>{none}{older}</section> }
}
