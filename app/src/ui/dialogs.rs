//! The dialogs of a page: room details, settings and shortcuts. Only the server renders them, as plain HTML that works
//! without script; scripts find their elements by attributes.

use crate::{
    base::link,
    i18n::{Lang, Strings},
    page_context::PageContext,
    page_data::RoomPage,
    theme::Theme,
    ui::{
        close_button::close_button,
        retention::{RetentionField, RoomRetention},
        share::{ShareLink, ShareLinkField},
        writing_aids::FormattingHelp,
    },
    wire::{
        RoomName,
        limits::{MAX_TITLE_CHARS, MAX_TOPIC_CHARS},
    },
};
use leptos::prelude::*;

/// The dialog with the share link, the notification settings and, for the owner, the title and topic.
#[component]
pub(crate) fn RoomDialog(page: Box<RoomPage>, shared: ShareLink, retention: RoomRetention) -> impl IntoView {
    let strings = page.lang.strings();
    let owner_form = page.is_owner.then(|| {
        view! {
            <form method="post" action=link(&format!("/r/{}/about", page.room)) class="stack">
                <RoomFields title=page.title.clone() topic=page.topic.clone() retention lang=page.lang />
            </form>
        }
    });
    let kept = page.kept_hours.map_or(page.lang.privacy().kept_forever.into(), strings.kept_for);
    // Every list contains the lobby, so it cannot be left.
    let leave = (!page.room.is_lobby()).then(|| {
        view! {
            <form method="post" id="leave" action=link(&format!("/r/{}/leave", page.room)) class="stack">
                <button type="submit" class="outlined">{strings.server.leave}</button>
                <p class="hint">{strings.server.leave_hint}</p>
            </form>
        }
    });
    view! {
        <section id="about" class="dialog" popover="auto" role="dialog" aria-labelledby="about-title">
            <DialogHeader id="about-title" popover="about" title=page.title.clone() strings />
            <p class="hint" id="about-topic">{page.topic.clone()}</p>
            <p class="hint">{kept}</p>
            <div class="stack"><ShareLinkField id="share" label=strings.share shared strings /></div>
            <div class="needs-script stack">
                <label for="notify">{strings.server.notify}</label>
                <select id="notify" autocomplete="off">
                    <option value="off">{strings.server.notify_off}</option>
                    <option value="mentions">{strings.server.notify_mentions}</option>
                    <option value="all">{strings.server.notify_all}</option>
                </select>
                <label class="checkbox"><input type="checkbox" id="sound" autocomplete="off" />{strings.server.sound}</label>
                <p id="notify-problem" class="field-error" role="status"></p>
            </div>
            {owner_form}
            <div class="stack">
                <a class="button outlined" href=link("/search")>{page.lang.search().label}</a>
                <a class="button outlined" href=link(&format!("/r/{}/manage", page.room))>
                    {page.lang.moderation().people_and_moderation}
                </a>
                <ExportButton room=page.room.clone() lang=page.lang />
            </div>
            {leave}
        </section>
    }
}

/// The button that downloads the room.
#[component]
fn ExportButton(room: RoomName, lang: Lang) -> impl IntoView {
    let strings = lang.privacy();
    view! {
        <a class="button outlined" id="export-room" href=link(&format!("/r/{room}/export")) download aria-describedby="export-hint">
            {strings.export_room}
        </a>
        <p class="hint" id="export-hint">{strings.export_room_hint}</p>
    }
}

/// The fields in which the owner edits the title and topic, and how long messages are kept.
#[component]
pub(crate) fn RoomFields(
    title: String,
    topic: String,
    retention: RoomRetention,
    lang: Lang,
) -> impl IntoView {
    let strings = lang.strings();
    view! {
        <label for="title">{strings.server.room_name_label}</label>
        <input id="title" name="title" value=title maxlength=MAX_TITLE_CHARS * 2 required />
        <label for="topic">{strings.server.topic_label}</label>
        <input id="topic" name="topic" value=topic maxlength=MAX_TOPIC_CHARS * 2 />
        <RetentionField retention lang />
        <button type="submit">{strings.server.save_room}</button>
    }
}

/// The dialog with the theme, the language, device links and the shortcuts.
#[component]
pub(crate) fn SettingsDialog(
    /// The context of the page.
    context: PageContext,
    /// The page has keyboard shortcuts.
    has_shortcuts: bool,
) -> impl IntoView {
    let strings = context.lang.strings();
    let shortcuts = has_shortcuts.then(|| {
        view! { <button type="button" class="outlined needs-script" popovertarget="shortcuts">{strings.server.shortcuts}</button> }
    });
    let theme = |theme: Theme| {
        let label = match theme {
            Theme::System => strings.server.system,
            Theme::Light => strings.server.light,
            Theme::Dark => strings.server.dark,
        };
        let pressed = if context.theme == theme { "true" } else { "false" };
        view! { <button name="theme" value=theme.name() data-theme-choice=theme.name() aria-pressed=pressed>{label}</button> }
    };
    let lang = |lang: Lang| {
        let own = lang.strings();
        let pressed = if context.lang == lang { "true" } else { "false" };
        view! { <button name="lang" value=own.tag lang=own.tag aria-pressed=pressed>{own.server.native_name}</button> }
    };
    view! {
        <section id="settings" class="dialog" popover="auto" role="dialog" aria-labelledby="settings-title">
            <DialogHeader id="settings-title" popover="settings" title=strings.settings.into() strings />
            <form method="post" action=link("/settings") class="stack">
                <input type="hidden" name="back" value=context.path.clone() />
                <h3>{strings.server.theme}</h3>
                <div class="segmented" role="group" aria-label=strings.server.theme>{Theme::ALL.map(theme)}</div>
                <h3>{strings.server.language}</h3>
                <div class="segmented" role="group" aria-label=strings.server.language>
                    {Lang::ALL.iter().copied().map(lang).collect::<Vec<_>>()}
                </div>
            </form>
            <form method="post" action=link("/device") class="stack">
                <h3>{strings.server.other_device}</h3>
                <p class="hint">{strings.server.device_intro}</p>
                <button type="submit">{strings.server.create_device_link}</button>
                <a class="button outlined" href=link("/devices")>{context.lang.device_strings().title}</a>
            </form>
            <p><a href=link("/you/data")>{context.lang.privacy().your_data}</a></p>
            {shortcuts}
        </section>
    }
}

/// The dialog with the keyboard shortcuts.
#[component]
pub(crate) fn ShortcutsDialog(strings: &'static Strings) -> impl IntoView {
    let shortcut = |keys: &'static str, action: &'static str| {
        let keys = keys.split(' ').map(|key| view! { <kbd>{key}</kbd> }).collect::<Vec<_>>();
        view! { <div><dt>{keys}</dt><dd>{action}</dd></div> }
    };
    view! {
        <section id="shortcuts" class="dialog" popover="auto" role="dialog" aria-labelledby="shortcuts-title">
            <DialogHeader id="shortcuts-title" popover="shortcuts" title=strings.server.shortcuts.into() strings />
            <dl>
                {shortcut("?", strings.server.shortcut_help)}
                {shortcut("Ctrl /", strings.server.shortcut_help_in_field)}
                {shortcut("Ctrl K", strings.server.shortcut_switcher)}
                {shortcut("Ctrl F", strings.lang.search().label)}
                {shortcut("Alt Shift ↓", strings.server.shortcut_next_unread)}
                {shortcut("Alt ↓", strings.server.shortcut_next_room)}
                {shortcut("Alt ↑", strings.server.shortcut_previous_room)}
                {shortcut("Alt End", strings.server.shortcut_latest)}
                {shortcut("↑", strings.server.shortcut_edit_last)}
                {shortcut("Enter", strings.server.shortcut_send)}
                {shortcut("Shift Enter", strings.server.shortcut_new_line)}
                {shortcut("↑ ↓", strings.server.shortcut_messages)}
                {shortcut("R", strings.server.shortcut_reply)}
                {shortcut("C Q U E Del", strings.server.shortcut_copy)}
                {shortcut("Shift Y", strings.server.shortcut_markdown)}
            </dl>
            <FormattingHelp strings />
        </section>
    }
}

/// The title of a dialog with its close button.
#[component]
fn DialogHeader(
    id: &'static str,
    popover: &'static str,
    title: String,
    strings: &'static Strings,
) -> impl IntoView {
    view! {
        <div class="row">
            <h2 id=id>{title}</h2>
            {close_button(popover, strings)}
        </div>
    }
}
