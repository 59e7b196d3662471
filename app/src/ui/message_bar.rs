//! The actions of a message, and the day of those in view. Only the server renders them, once for all messages:
//! `message-actions.js` moves the bar to the row in use and opens the menu, `day-pill.js` shows the day.

use crate::{
    base::link,
    i18n::Strings,
    page_context::AssetUrls,
    ui::{Icon, reactions::QUICK_REACTIONS},
    wire::RoomName,
};
use leptos::prelude::*;

/// The bar with the most frequent actions, the menu with all of them, and the day.
#[component]
pub(crate) fn MessageActions(
    /// The room.
    room: RoomName,
    /// The addresses of the page's files.
    assets: AssetUrls,
    /// The page's language.
    strings: &'static Strings,
) -> impl IntoView {
    let button = |action: &'static str, label: &'static str, path: &'static str| {
        view! {
            <button type="button" data-action=action aria-label=label title=label><Icon path /></button>
        }
    };
    let item = |action: &'static str, label: &'static str, key: &'static str| {
        view! { <button type="button" role="menuitem" data-action=action>{label}<kbd aria-hidden="true">{key}</kbd></button> }
    };
    view! {
        <div id="message-bar" class="message-bar" role="toolbar" hidden data-search=assets.search data-room=link(&format!("/r/{room}")) aria-label=strings.server.message_actions data-copied=strings.copied data-failed=strings.server.copy_message_failed data-unread=strings.server.marked_unread>
            <button type="button" class="emoji" data-react=QUICK_REACTIONS[0] aria-label=format!("{} {}", strings.react, QUICK_REACTIONS[0])>{QUICK_REACTIONS[0]}</button>
            {button("react", strings.react, "M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18M8.5 14a4 4 0 0 0 7 0M9 9.5h.01M15 9.5h.01")}
            {button("reply", strings.reply, "M9 6 4 11l5 5M4 11h9c4 0 7 2 7 7")}
            {button("link", strings.server.copy, "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1")}
            {button("more", strings.more_actions, "M5 12h.01M12 12h.01M19 12h.01")}
        </div>
        <div id="message-menu" class="message-menu" popover="manual" role="dialog" aria-label=strings.server.message_actions data-markdown=assets.markdown>
            <div class="quick-reactions" role="group" aria-label=strings.react>
                {QUICK_REACTIONS.map(|emoji| view! {
                    <button type="button" class="emoji" data-react=emoji aria-label=format!("{} {emoji}", strings.react)>{emoji}</button>
                })}
                <button type="button" data-action="react" aria-label=strings.server.more_emoji title=strings.server.more_emoji>
                    <Icon path="M12 5v14M5 12h14" />
                </button>
            </div>
            <div role="menu" aria-label=strings.server.message_actions>
                {item("reply", strings.reply, "R")}
                {item("link", strings.server.copy, "C")}
                {item("text", strings.server.copy_text, "")}
                {item("markdown", strings.server.copy_as_markdown, "Shift Y")}
                {item("quote", strings.server.copy_as_quote, "Q")}
                {item("unread", strings.mark_unread, "U")}
                {item("edit", strings.edit, "E")}
                {item("delete", strings.delete, "Del")}
                {item("author", strings.lang.moderation().report_or_block, "")}
            </div>
        </div>
        <div id="emoji-picker" class="emoji-picker" popover="manual" role="dialog" aria-label=strings.react data-script=assets.picker data-emoji=assets.emoji data-recent=strings.server.recent_emoji data-none=strings.server.no_emoji>
            <input type="search" placeholder=strings.server.search_emoji aria-label=strings.server.search_emoji autocomplete="off" maxlength="40" />
            <div class="emoji-groups"></div>
        </div>
        <p id="action-status" class="visually-hidden" role="status"></p>
        <div id="day-pill" class="day-pill" hidden>
            <button type="button"><span></span><span class="visually-hidden">{strings.server.jump_to_day}</span></button>
            <input type="date" tabindex="-1" aria-label=strings.server.jump_to_day />
        </div>
    }
}
