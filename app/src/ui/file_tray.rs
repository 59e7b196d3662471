//! The tray that sends files, and the light box that shows pictures. Only the server renders them: `files.js` moves the
//! tray above the message box, and `light-box.js` opens the light box. Without script there is a plain form.

use crate::{
    base::link,
    i18n::{FileStrings, Lang},
    page_context::AssetUrls,
    ui::{Icon, files::size_text},
    wire::{
        RoomName,
        limits::{MAX_ALT_CHARS, MAX_FILES},
    },
};
use leptos::prelude::*;

/// The files that are to be sent, and the light box.
#[component]
pub(crate) fn FileTray(
    /// The room.
    room: RoomName,
    /// Bytes of one file; 0 if the server takes none.
    max_bytes: u64,
    /// The addresses of the scripts that upload the files and keep them over a reload.
    assets: AssetUrls,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let strings = lang.files();
    let most = size_text(max_bytes);
    view! {
        <div
            id="file-tray"
            class="file-tray"
            data-uploads=link("/api/files")
            data-thumbs=link("/f")
            data-uploader=assets.uploads
            data-kept=assets.kept_files
            data-room=room.to_string()
            data-max=max_bytes
            data-most=MAX_FILES
            data-attach=strings.attach
            data-waiting=strings.waiting
            data-offline=strings.offline
            data-done=strings.done
            data-too-large=(strings.too_large)(&most)
            data-too-many=(strings.too_many)(MAX_FILES)
            data-full=strings.full
            data-damaged=strings.damaged
            data-refused=strings.refused
            data-failed=strings.failed
            data-lost=strings.lost
            data-elsewhere=strings.elsewhere
            hidden
        >
            <ul aria-label=strings.list></ul>
            <p class="hint" role="status"></p>
            <template>
                <li>
                    <span class="preview"><Icon path="M14 3v5h5M14 3H6v18h12V8z" /></span>
                    <span class="about"><span class="name"></span><small></small></span>
                    <progress max="1" value="0"></progress>
                    <input type="text" maxlength=MAX_ALT_CHARS placeholder=strings.describe aria-label=strings.describe hidden />
                    <button type="button" data-file="retry" hidden>{strings.retry}</button>
                    <button type="button" data-file="remove" aria-label=strings.remove title=strings.remove><Icon path="M6 6l12 12M18 6 6 18" /></button>
                </li>
            </template>
        </div>
        {(max_bytes > 0).then(|| file_form(&room, strings))}
        {light_box(lang)}
    }
}

/// Returns what sends files without script: its elements belong to the form of the composer. The style shows it only there.
fn file_form(room: &RoomName, strings: &'static FileStrings) -> impl IntoView + use<> {
    let action = link(&format!("/r/{room}/files"));
    view! {
        <p class="file-form">
            <label>{strings.choose}" "<input type="file" name="file" multiple form="composer" /></label>
            <button type="submit" form="composer" formaction=action formenctype="multipart/form-data" formnovalidate class="outlined">{strings.send}</button>
        </p>
    }
}

fn light_box(lang: Lang) -> impl IntoView {
    let (strings, close) = (lang.files(), lang.strings().close);
    view! {
        <dialog id="light-box" class="light-box" aria-label=strings.picture>
            <img alt="" />
            <p><span></span>" "<a target="_blank">{strings.original}</a></p>
            <button type="button" data-step="-1" aria-label=strings.previous title=strings.previous><Icon path="M15 5l-7 7 7 7" /></button>
            <button type="button" data-step="1" aria-label=strings.next title=strings.next><Icon path="M9 5l7 7-7 7" /></button>
            <button type="button" data-close aria-label=close title=close><Icon path="M6 6l12 12M18 6 6 18" /></button>
        </dialog>
    }
}
