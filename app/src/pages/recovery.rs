//! The recovery code: shown once, and typed in to recover an identity.

use crate::{base::link, i18n::Lang, raw_text::rcdata};
use leptos::{nonce::use_nonce, prelude::*};

/// Characters of a recovery code in any spacing, at most.
const MAX_CODE_CHARS: usize = 100;

/// The page that shows a new recovery code. It has no address, so it cannot be opened again.
#[component]
pub fn NewRecoveryCode(
    /// The code, in groups.
    code: String,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let (strings, texts) = (lang.strings(), lang.device_strings());
    view! {
        <main class="plain-page">
            <h1>{texts.your_code}</h1>
            <p>{texts.code_shown_once}</p>
            <div class="stack">
                <label for="code">{texts.code_label}</label>
                <textarea id="code" class="recovery-code" rows="2" readonly spellcheck="false" autocomplete="off">{rcdata(&code)}</textarea>
                <button type="button" hidden data-copy="code" data-copied=strings.copied data-failed=texts.copy_code_failed>{texts.copy}</button>
                <p id="copy-problem" class="hint" role="status"></p>
            </div>
            <p class="hint">{texts.code_warning}</p>
            <p><a href=link("/devices")>{texts.done}</a></p>
            <script nonce=use_nonce() inner_html=include_str!("../copy.js")></script>
        </main>
    }
}

/// The page that takes a recovery code.
#[component]
pub fn Recover(
    /// The last code did not work.
    is_wrong: bool,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let (strings, texts) = (lang.strings(), lang.device_strings());
    let problem = is_wrong.then_some(texts.wrong_code);
    view! {
        <main class="plain-page">
            <h1>{texts.recover}</h1>
            <p>{texts.recover_intro}</p>
            <form method="post" action=link("/recover") class="stack">
                <label for="code">{texts.code_label}</label>
                <input
                    id="code"
                    name="code"
                    class="recovery-code"
                    required
                    maxlength=MAX_CODE_CHARS
                    autocomplete="off"
                    autocapitalize="characters"
                    spellcheck="false"
                    aria-describedby="code-problem code-hint"
                    aria-invalid=is_wrong.then_some("true")
                />
                <p id="code-hint" class="hint">{texts.recover_hint}</p>
                <div id="code-problem" class="field-error" role="alert">{problem}</div>
                <button type="submit">{texts.confirm_recovery}</button>
            </form>
            <p><a href=link("/")>{strings.server.go_to_lobby}</a></p>
        </main>
    }
}
