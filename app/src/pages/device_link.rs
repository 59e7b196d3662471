//! Links that sign a user in on another device.

use crate::{
    base::link,
    i18n::Lang,
    ui::share::{ShareLink, ShareLinkField},
    wire::User,
};
use leptos::{either::Either, prelude::*};

/// The content of the page of a device link.
#[derive(Debug, Clone)]
pub enum DeviceLinkPage {
    /// The link, on the device that created it.
    Created(ShareLink),
    /// The confirmation, on the other device. Opening the page does not redeem the link.
    Opened {
        /// The path of the form.
        path: String,
        /// The user after the confirmation.
        new_user: User,
        /// The current user of the device.
        current_user: User,
    },
}

/// The page of a device link.
#[component]
pub fn DeviceLink(
    /// The content.
    page: DeviceLinkPage,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let strings = lang.strings();
    let content = match page {
        DeviceLinkPage::Created(shared) => Either::Left(view! {
            <p>{strings.server.device_link_usage}</p>
            <div class="stack"><ShareLinkField id="share" label=strings.server.link_label shared strings /></div>
            <p class="hint">{strings.server.device_link_warning}</p>
        }),
        DeviceLinkPage::Opened { path, new_user, current_user } => Either::Right(view! {
            <p>{(strings.server.device_link_new_user)(new_user.name.as_str())}</p>
            <p class="hint">{(strings.server.device_link_current_user)(current_user.name.as_str())}</p>
            <form method="post" action=link(&path) class="stack"><button type="submit">{strings.server.confirm_device_link}</button></form>
        }),
    };
    view! {
        <main class="plain-page">
            <h1>{strings.server.other_device}</h1>
            {content}
            <p><a href=link("/")>{strings.server.go_to_lobby}</a></p>
        </main>
    }
}
