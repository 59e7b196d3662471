//! The page on which the user chooses the room that gets what the system shares.

use super::rooms::entries;
use crate::{base::link, i18n::Lang, page_context::AssetUrls, page_data::RoomSummary, ui::Icon};
use leptos::prelude::*;

/// The content of the page.
#[derive(Debug, Clone)]
pub struct SharePage {
    /// The rooms of the user, sorted by title.
    pub rooms: Vec<RoomSummary>,
    /// The number of the user's rooms before the next page, if there is one.
    pub next: Option<u32>,
}

/// The page on which the user chooses a room. `share.js` shows what is shared, which only the browser has, and notes the room;
/// `files.js` hands it over to the message box there.
#[component]
pub fn ShareChoice(
    /// The content.
    page: SharePage,
    /// The addresses of the scripts that `share.js` loads: one writes the sizes of files, the other reads what is shared.
    assets: AssetUrls,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let (strings, texts) = (lang.share(), lang.strings());
    let (rooms, _) = entries(&page.rooms, texts);
    let more = page.next.map(|next| {
        view! { <p><a href=link(&format!("/share?yours={next}")) rel="next">{texts.server.more_rooms}</a></p> }
    });
    view! {
        <main class="plain-page share-page">
            <nav class="row">
                <span><a class="back-link" href=link("/")><Icon path="M14 6l-6 6 6 6" />{texts.server.go_to_lobby}</a></span>
            </nav>
            <h1>{strings.title}</h1>
            <section id="shared" aria-label=strings.shared data-failed=strings.failed data-left-out=strings.left_out data-uploader=assets.uploads data-kept=assets.kept_files hidden>
                <div class="file-tray">
                    <blockquote dir="auto" tabindex="0" hidden></blockquote>
                    <ul hidden></ul>
                    <p class="hint" role="status"></p>
                    <template>
                        <li>
                            <span class="preview"><Icon path="M14 3v5h5M14 3H6v18h12V8z" /></span>
                            <span class="about"><span class="name"></span><small></small></span>
                        </li>
                    </template>
                </div>
                <p class="row"><span class="hint">{strings.hint}</span><button type="button" class="outlined">{strings.cancel}</button></p>
            </section>
            <p id="nothing-shared" role="status" hidden>{strings.nothing}</p>
            <h2>{texts.your_rooms}</h2>
            <ul class="directory">{rooms}</ul>
            {more}
        </main>
    }
}
