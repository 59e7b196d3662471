//! The sheets of a page: about the room, settings, shortcuts. The server alone renders them, plain HTML that
//! opens and works without script; what a script adds is marked by attributes that it looks for.

use crate::{
    base::link,
    i18n::{Lang, Words},
    page_context::Frame,
    page_data::RoomPage,
    theme::Theme,
    ui::{
        Close,
        share::{LinkToPass, Shared},
    },
    wire::limits::{TITLE_CHARS, TOPIC_CHARS},
};
use leptos::prelude::*;

/// The share link, notifications, and for its maker the title.
#[component]
pub(crate) fn About(page: Box<RoomPage>, shared: Shared) -> impl IntoView {
    let words = page.lang.words();
    let maker = page.owned.then(|| {
        view! {
            <form method="post" action=link(&format!("/r/{}/about", page.room)) class="stack">
                <AboutFields title=page.title.clone() topic=page.topic.clone() words />
            </form>
        }
    });
    // The lobby is on every list.
    let leave = (!page.room.is_lobby()).then(|| {
        view! {
            <form method="post" action=link(&format!("/r/{}/leave", page.room)) class="stack">
                <button type="submit" class="plain">{words.leave}</button>
                <p class="note">{words.leave_hint}</p>
            </form>
        }
    });
    view! {
        <section id="about" class="sheet" popover="auto" role="dialog" aria-labelledby="about-title">
            <Head id="about-title" sheet="about" title=page.title.clone() words />
            <p class="note" id="about-topic">{page.topic.clone()}</p>
            <LinkToPass id="share" label=words.share shared words />
            <div class="needs-script stack">
                <label for="notify">{words.notify}</label>
                <select id="notify" autocomplete="off">
                    <option value="off">{words.notify_off}</option>
                    <option value="mentions">{words.notify_mentions}</option>
                    <option value="all">{words.notify_all}</option>
                </select>
                <label class="tick"><input type="checkbox" id="sound" autocomplete="off" />{words.sound}</label>
                <p id="notify-problem" class="problem" role="status"></p>
            </div>
            {maker}
            {leave}
        </section>
    }
}

/// What a room is called and about, to be changed by whoever made it.
#[component]
pub(crate) fn AboutFields(title: String, topic: String, words: &'static Words) -> impl IntoView {
    view! {
        <label for="title">{words.title}</label>
        <input id="title" name="title" value=title maxlength=TITLE_CHARS * 2 required />
        <label for="topic">{words.topic_label}</label>
        <input id="topic" name="topic" value=topic maxlength=TOPIC_CHARS * 2 />
        <button type="submit">{words.rename_room}</button>
    }
}

/// Theme, language, another device, and the way to the shortcuts.
#[component]
pub(crate) fn Settings(
    /// How the page is rendered.
    frame: Frame,
    /// The page has shortcuts.
    keys: bool,
) -> impl IntoView {
    let words = frame.lang.words();
    let keys = keys.then(|| {
        view! { <button type="button" class="plain needs-script" popovertarget="keys">{words.shortcuts}</button> }
    });
    let theme = |theme: Theme| {
        let label = match theme {
            Theme::System => words.system,
            Theme::Light => words.light,
            Theme::Dark => words.dark,
        };
        let pressed = if frame.theme == theme { "true" } else { "false" };
        view! { <button name="theme" value=theme.name() data-theme-choice=theme.name() aria-pressed=pressed>{label}</button> }
    };
    let lang = |lang: Lang| {
        let own = lang.words();
        let pressed = if frame.lang == lang { "true" } else { "false" };
        view! { <button name="lang" value=own.tag lang=own.tag aria-pressed=pressed>{own.own_name}</button> }
    };
    view! {
        <section id="settings" class="sheet" popover="auto" role="dialog" aria-labelledby="settings-title">
            <Head id="settings-title" sheet="settings" title=words.settings.into() words />
            <form method="post" action=link("/settings") class="stack">
                <input type="hidden" name="back" value=frame.path.clone() />
                <h3>{words.theme}</h3>
                <div class="choices" role="group" aria-label=words.theme>{Theme::ALL.map(theme)}</div>
                <h3>{words.language}</h3>
                <div class="choices" role="group" aria-label=words.language>
                    {Lang::ALL.iter().copied().map(lang).collect::<Vec<_>>()}
                </div>
            </form>
            <form method="post" action=link("/device") class="stack">
                <h3>{words.device}</h3>
                <p class="note">{words.device_intro}</p>
                <button type="submit">{words.device_make}</button>
            </form>
            {keys}
        </section>
    }
}

/// Every shortcut.
#[component]
pub(crate) fn Keys(words: &'static Words) -> impl IntoView {
    let key = |keys: &'static str, does: &'static str| {
        let keys = keys.split(' ').map(|key| view! { <kbd>{key}</kbd> }).collect::<Vec<_>>();
        view! { <div><dt>{keys}</dt><dd>{does}</dd></div> }
    };
    view! {
        <section id="keys" class="sheet" popover="auto" role="dialog" aria-labelledby="keys-title">
            <Head id="keys-title" sheet="keys" title=words.shortcuts.into() words />
            <dl>
                {key("?", words.key_help)}
                {key("Ctrl /", words.key_help_writing)}
                {key("Alt Shift ↓", words.key_unread)}
                {key("Alt ↓", words.key_next)}
                {key("Alt ↑", words.key_previous)}
                {key("Alt End", words.key_latest)}
                {key("↑", words.key_edit)}
                {key("Enter", words.key_send)}
                {key("Shift Enter", words.key_line)}
            </dl>
        </section>
    }
}

/// A sheet's title, and the button that closes it.
#[component]
fn Head(id: &'static str, sheet: &'static str, title: String, words: &'static Words) -> impl IntoView {
    view! {
        <div class="row">
            <h2 id=id>{title}</h2>
            <Close sheet words />
        </div>
    }
}
