//! A share link with its QR code.

use crate::i18n::Strings;
use leptos::{nonce::use_nonce, prelude::*};

/// A share link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareLink {
    /// The link.
    pub url: String,
    /// Its QR code (ISO/IEC 18004): the modules of a side, and the dark modules as an SVG path.
    pub qr: Option<(usize, String)>,
}

/// A field with a link, a copy button and the QR code.
#[component]
pub(crate) fn ShareLinkField(
    /// The id of the field.
    id: &'static str,
    /// The label of the field.
    label: &'static str,
    /// The link.
    shared: ShareLink,
    /// The page's language.
    strings: &'static Strings,
) -> impl IntoView {
    let qr = shared.qr.map(|(side, path)| {
        // The standard requires a quiet zone of four modules.
        let view_box = format!("-4 -4 {0} {0}", side + 8);
        view! {
            <svg class="qr-code" viewBox=view_box role="img" aria-label=strings.server.qr>
                <rect x="-4" y="-4" width=side + 8 height=side + 8 />
                <path d=path />
            </svg>
        }
    });
    view! {
        <label for=id>{label}</label>
        <div class="row">
            <input id=id value=shared.url readonly />
            <button type="button" hidden data-copy=id data-copied=strings.copied data-failed=strings.server.copy_failed>{strings.server.copy}</button>
        </div>
        <p id="copy-problem" class="hint" role="status"></p>
        {qr}
        <script nonce=use_nonce() inner_html=include_str!("../copy.js")></script>
    }
}
