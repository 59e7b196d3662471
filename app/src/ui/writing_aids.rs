//! The aids for writing a message. Only the server renders them; `writing-aids.js` shows them beside the composer.

use crate::{i18n::Strings, wire::limits::MAX_MESSAGE_BYTES};
use leptos::prelude::*;

/// The list of completions, the offer to format pasted code, the count near the limit, and the link to the formatting help.
#[component]
pub(crate) fn WritingAids(
    /// The address of the names of emoji.
    emoji: String,
    /// The page's language.
    strings: &'static Strings,
) -> impl IntoView {
    view! {
        <div id="writing-aids" class="writing-aids" hidden>
            <ul id="completions" class="completions" role="listbox" aria-label=strings.server.completions data-emoji=emoji data-draft=strings.draft data-insert=strings.server.insert_emoji data-present=strings.present hidden></ul>
            <p id="code-offer" class="hint" role="status" hidden>
                {strings.server.pasted_code}" "<button type="button">{strings.server.format_as_code}</button>
            </p>
            <p id="count" class="count" data-limit=MAX_MESSAGE_BYTES hidden></p>
        </div>
    }
}

/// A table of the markup of messages.
#[component]
pub(crate) fn FormattingHelp(strings: &'static Strings) -> impl IntoView {
    let row = |written: &'static str, shown: &'static str, class: &'static str| {
        view! { <div><dt><kbd>{written}</kbd></dt><dd><span class=class>{shown}</span></dd></div> }
    };
    view! {
        <h3>{strings.server.formatting}</h3>
        <dl class="formatting text">
            {row("**…**", strings.server.formatting_bold, "bold")}
            {row("*…*", strings.server.formatting_italic, "italic")}
            {row("~~…~~", strings.server.formatting_struck, "struck")}
            {row("`…`", strings.code, "code")}
            {row("```", strings.server.formatting_block, "code")}
            {row("> …", strings.server.formatting_quote, "")}
            {row("- …", strings.server.formatting_list, "")}
            {row("@… :…", strings.server.completion_hint, "")}
        </dl>
    }
}
