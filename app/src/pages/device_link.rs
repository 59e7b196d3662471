//! Being the same person on another device.

use crate::{
    base::link,
    i18n::Lang,
    ui::share::{ShareLink, ShareLinkField},
    wire::User,
};
use leptos::{either::Either, prelude::*};

/// What the page of a link to another device shows.
#[derive(Debug, Clone)]
pub enum DeviceLinkPage {
    /// The link, on the device where it was made.
    Made(ShareLink),
    /// The question, on the other device. Nothing is used up by looking.
    Opened {
        /// Where the answer goes.
        path: String,
        /// Who one would be.
        becomes: User,
        /// Who one was here before.
        before: User,
    },
}

/// A link to another device: to be passed on, or to be followed.
#[component]
pub fn DeviceLink(
    /// What to show.
    page: DeviceLinkPage,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let strings = lang.strings();
    let content = match page {
        DeviceLinkPage::Made(shared) => Either::Left(view! {
            <p>{strings.device_link_usage}</p>
            <div class="stack"><ShareLinkField id="share" label=strings.link_label shared strings /></div>
            <p class="note">{strings.device_link_warning}</p>
        }),
        DeviceLinkPage::Opened { path, becomes, before } => Either::Right(view! {
            <p>{(strings.device_link_new_user)(becomes.name.as_str())}</p>
            <p class="note">{(strings.device_link_current_user)(before.name.as_str())}</p>
            <form method="post" action=link(&path) class="stack"><button type="submit">{strings.confirm_device_link}</button></form>
        }),
    };
    view! {
        <main class="plain-page">
            <h1>{strings.other_device}</h1>
            {content}
            <p><a href=link("/")>{strings.go_to_lobby}</a></p>
        </main>
    }
}
