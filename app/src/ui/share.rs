//! A link to pass on, with its QR code.

use crate::i18n::Strings;
use leptos::{nonce::use_nonce, prelude::*};

/// A link that is to be passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareLink {
    /// The link.
    pub url: String,
    /// Its QR code (ISO/IEC 18004): so many modules a side, and the dark ones as an SVG path.
    pub qr: Option<(usize, String)>,
}

/// A link, a button that copies it, and its QR code.
#[component]
pub(crate) fn ShareLinkField(
    /// The field's id.
    id: &'static str,
    /// What the link is for.
    label: &'static str,
    /// The link.
    shared: ShareLink,
    /// The page's language.
    strings: &'static Strings,
) -> impl IntoView {
    let qr = shared.qr.map(|(side, path)| {
        // Four modules of quiet around it, as the standard asks.
        let view_box = format!("-4 -4 {0} {0}", side + 8);
        view! {
            <svg class="qr" viewBox=view_box role="img" aria-label=strings.qr>
                <rect x="-4" y="-4" width=side + 8 height=side + 8 />
                <path d=path />
            </svg>
        }
    });
    view! {
        <label for=id>{label}</label>
        <div class="row">
            <input id=id value=shared.url readonly />
            <button type="button" hidden data-copy=id data-copied=strings.copied data-failed=strings.copy_failed>{strings.copy}</button>
        </div>
        <p id="copy-problem" class="note" role="status"></p>
        {qr}
        <script nonce=use_nonce() inner_html=include_str!("../copy.js")></script>
    }
}
