//! The page of a user: what moderators can do about them, and about one of their messages.

use super::{
    ActionForm, ErasureState, ModerationScope, ReasonField, RestrictionFields, moment, privacy::ErasureForms,
};
use crate::{
    base::link,
    i18n::{Lang, ModerationStrings},
    ui::{Icon, face},
    wire::{Millis, Seq, User},
};
use leptos::prelude::*;

/// A message that is about to be reported.
#[derive(Debug, Clone)]
pub struct Reported {
    /// Its `seq`.
    pub seq: Seq,
    /// Its text.
    pub text: String,
}

/// The content of the page.
#[derive(Debug, Clone)]
pub struct UserPage {
    /// The room, or the server.
    pub scope: ModerationScope,
    /// The user.
    pub user: User,
    /// The user is the current user.
    pub is_self: bool,
    /// The current user has blocked them.
    pub is_blocked: bool,
    /// The current user may mute and remove them.
    pub may_restrict: bool,
    /// The current user may make them a moderator, or dismiss them.
    pub may_appoint: bool,
    /// The current user may hand the room over.
    pub may_hand_over: bool,
    /// They are a moderator.
    pub is_moderator: bool,
    /// They are muted until then; the inner `None` is for good.
    pub mute: Option<Option<Millis>>,
    /// They are removed until then.
    pub ban: Option<Option<Millis>>,
    /// For the administrator on the page of the server: how far the erasure of the user is.
    pub erasure: Option<ErasureState>,
    /// The message from which the page was opened.
    pub reported: Option<Reported>,
    /// A sentence about the action that was just completed.
    pub notice: Option<String>,
}

/// The page of a user.
#[component]
pub fn ManageUser(page: UserPage, lang: Lang) -> impl IntoView {
    let strings = lang.moderation();
    let (path, back) = (page.scope.user_path(&page.user), back_path(&page));
    let state =
        [(page.mute, strings.muted), (page.ban, strings.banned)].into_iter().filter_map(|(until, word)| {
            let until = until?.map_or(strings.for_ever.to_owned(), |until| (strings.until)(&moment(until)));
            Some(view! { <p class="notice">{word}" "{until}</p> })
        });
    let state = state.collect::<Vec<_>>();
    let (reported, name) = (page.reported.clone(), page.user.disambiguated());
    let (back_label, about) = match &page.scope.room {
        Some((_, title)) => (strings.back_to_room, title.clone()),
        None => (strings.administration, strings.on_this_server.into()),
    };
    let about = view! { <p class="subject"><bdi>{about}</bdi></p> };
    view! {
        <main class="plain-page moderation">
            <nav class="row">
                <span><a class="back-link" href=link(&back)><Icon path="M14 6l-6 6 6 6" />{back_label}</a></span>
            </nav>
            <h1 class="person">{face(&page.user)}<bdi>{name}</bdi></h1>
            {page.notice.clone().map(|notice| view! { <p class="notice" role="status">{notice}</p> })}
            {about}
            {state}
            {reported.filter(|_| !page.is_self).map(|reported| view! { <ReportForm reported path=path.clone() strings /> })}
            {(!page.is_self).then(|| view! { <BlockForm is_blocked=page.is_blocked path=path.clone() strings /> })}
            {page.may_restrict.then(|| view! { <Restrict page=page.clone() path=path.clone() strings /> })}
            {page.may_appoint.then(|| view! { <Appoint page=page.clone() path=path.clone() strings /> })}
            {page.erasure.map(|erasure| view! { <ErasureForms path erasure strings=lang.privacy() /> })}
        </main>
    }
}

fn back_path(page: &UserPage) -> String {
    match (&page.scope.room, &page.reported) {
        (Some((room, _)), Some(reported)) => format!("{}?around={1}#m{1}", room.path(), reported.seq),
        (Some((room, _)), None) => room.path(),
        (None, _) => "/admin".into(),
    }
}

/// The form that reports a message.
#[component]
fn ReportForm(reported: Reported, path: String, strings: &'static ModerationStrings) -> impl IntoView {
    view! {
        <section>
            <h2>{strings.report_title}</h2>
            <blockquote dir="auto">{reported.text}</blockquote>
            <ActionForm path action="report" fields=vec![("seq", reported.seq.to_string())] label=strings.send_report is_primary=true>
                <ReasonField id="report" strings />
                <p class="hint">{strings.report_hint}</p>
            </ActionForm>
        </section>
    }
}

/// The form that blocks a user for the current user.
#[component]
fn BlockForm(is_blocked: bool, path: String, strings: &'static ModerationStrings) -> impl IntoView {
    let (action, label) = if is_blocked { ("unblock", strings.unblock) } else { ("block", strings.block) };
    let text = if is_blocked { strings.blocked_user } else { strings.block_hint };
    view! {
        <section>
            <h2>{strings.block_title}</h2>
            <ActionForm path action label><p class="hint">{text}</p></ActionForm>
        </section>
    }
}

/// The forms that mute and remove a user, and delete their messages.
#[component]
fn Restrict(page: UserPage, path: String, strings: &'static ModerationStrings) -> impl IntoView {
    let is_server = page.scope.room.is_none();
    let network = is_server.then(|| {
        view! { <label class="checkbox"><input type="checkbox" name="network" value="yes" />{strings.with_network}</label> }
    });
    let mute = match page.mute {
        Some(_) => view! { <ActionForm path=path.clone() action="unmute" label=strings.unmute /> }.into_any(),
        None => view! {
            <ActionForm path=path.clone() action="mute" label=strings.mute><RestrictionFields id="mute" strings /></ActionForm>
        }
        .into_any(),
    };
    let ban = match page.ban {
        Some(_) => {
            view! { <ActionForm path=path.clone() action="readmit" label=strings.readmit /> }.into_any()
        }
        None => view! {
            <ActionForm path=path.clone() action="remove" label=strings.ban is_danger=true>
                <RestrictionFields id="remove" strings />
                {network}
            </ActionForm>
        }
        .into_any(),
    };
    let delete_hint = if is_server { strings.delete_hour_everywhere } else { strings.delete_hour_hint };
    view! {
        <section><h2>{strings.mute_title}</h2>{mute}</section>
        <section><h2>{if is_server { strings.ban_from_server } else { strings.ban_from_room }}</h2>{ban}</section>
        <section>
            <h2>{strings.delete_hour}</h2>
            <ActionForm path action="delete-hour" label=strings.delete_hour is_danger=true>
                <ReasonField id="delete" strings />
                <p class="hint">{delete_hint}</p>
            </ActionForm>
        </section>
    }
}

/// The forms that give a user a role.
#[component]
fn Appoint(page: UserPage, path: String, strings: &'static ModerationStrings) -> impl IntoView {
    let (action, label) = match page.is_moderator {
        true => ("dismiss", strings.dismiss),
        false => ("appoint", strings.appoint_moderator),
    };
    let hand_over = page.may_hand_over.then(|| {
        view! {
            <h3>{strings.hand_over}</h3>
            <ActionForm path=path.clone() action="hand-over" label=strings.hand_over is_danger=true>
                <p class="hint">{strings.hand_over_hint}</p>
            </ActionForm>
        }
    });
    view! {
        <section>
            <h2>{strings.role}</h2>
            <ActionForm path=path.clone() action label is_danger=page.is_moderator>
                <p class="hint">{if page.is_moderator { strings.is_moderator } else { strings.appoint_hint }}</p>
            </ActionForm>
            {hand_over}
        </section>
    }
}
