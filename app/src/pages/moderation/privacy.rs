//! What the administrator says about what is kept: for how long, and what is stored of a person.

use super::ActionForm;
use crate::{base::link, i18n::PrivacyStrings, ui::retention::retention_options, wire::Retention};
use leptos::prelude::*;

/// How long the server keeps messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeptMessages {
    /// For rooms that say nothing else.
    pub default: Retention,
    /// No room keeps messages longer.
    pub is_limit: bool,
}

/// How far the erasure of a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonErasure {
    /// It was never begun.
    None,
    /// It is under way: so many messages and reactions are gone.
    UnderWay(u64),
    /// It has ended.
    Done(u64),
}

/// The form that says how long messages are kept.
#[component]
pub(super) fn KeptMessagesForm(kept: KeptMessages, strings: &'static PrivacyStrings) -> impl IntoView {
    let KeptMessages { default, is_limit } = kept;
    view! {
        <h2>{strings.keep_label}</h2>
        <ActionForm path="/admin".into() action="set-retention" label=strings.keep_apply>
            <label for="keep">{strings.keep_label}</label>
            <select id="keep" name="keep" autocomplete="off">{retention_options(Some(default.hours()), strings)}</select>
            <label class="checkbox">
                <input type="checkbox" name="keep_limit" value="yes" checked=is_limit autocomplete="off" />
                {strings.keep_is_limit}
            </label>
            <p class="hint">{strings.keep_hint}</p>
        </ActionForm>
    }
}

/// What is stored of a person: the forms that export and erase it.
#[component]
pub(super) fn PersonData(
    path: String,
    erasure: PersonErasure,
    strings: &'static PrivacyStrings,
) -> impl IntoView {
    let erase = match erasure {
        PersonErasure::None => view! {
            <ActionForm path=path.clone() action="erase" label=strings.erase is_danger=true>
                <p class="hint">{strings.erase_person_intro}</p>
                <label class="checkbox">
                    <input type="checkbox" name="confirm" value="yes" autocomplete="off" required />
                    {strings.erase_person_confirm}
                </label>
            </ActionForm>
        }
        .into_any(),
        PersonErasure::UnderWay(count) => {
            view! { <p role="status">{(strings.erasing_person)(count)}</p> }.into_any()
        }
        PersonErasure::Done(count) => view! { <p role="status">{(strings.erased)(count)}</p> }.into_any(),
    };
    view! {
        <section>
            <h2>{strings.person_data}</h2>
            <form method="post" action=link(&format!("{path}/export")) class="stack">
                <p class="hint">{strings.export_person_intro}</p>
                <button type="submit" class="outlined">{strings.export}</button>
            </form>
            {erase}
        </section>
    }
}
