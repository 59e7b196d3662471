//! The administrator's control of stored data: the retention of messages, and the data of a user.

use super::ActionForm;
use crate::{base::link, i18n::PrivacyStrings, ui::retention::retention_options, wire::Retention};
use leptos::prelude::*;

/// The server's retention of messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeptMessages {
    /// For rooms that say nothing else.
    pub default: Retention,
    /// No room keeps messages longer.
    pub is_limit: bool,
}

/// The progress of a user's erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErasureState {
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

/// The stored data of a user: the forms that export and erase it.
#[component]
pub(super) fn ErasureForms(
    path: String,
    erasure: ErasureState,
    strings: &'static PrivacyStrings,
) -> impl IntoView {
    let erase = match erasure {
        ErasureState::None => view! {
            <ActionForm path=path.clone() action="erase" label=strings.erase is_danger=true>
                <p class="hint">{strings.erase_user_intro}</p>
                <label class="checkbox">
                    <input type="checkbox" name="confirm" value="yes" autocomplete="off" required />
                    {strings.erase_user_confirm}
                </label>
            </ActionForm>
        }
        .into_any(),
        ErasureState::UnderWay(count) => {
            view! { <p role="status">{(strings.erasing_user)(count)}</p> }.into_any()
        }
        ErasureState::Done(count) => view! { <p role="status">{(strings.erased)(count)}</p> }.into_any(),
    };
    view! {
        <section>
            <h2>{strings.user_data_title}</h2>
            <form method="post" action=link(&format!("{path}/export")) class="stack">
                <p class="hint">{strings.export_user_intro}</p>
                <button type="submit" class="outlined">{strings.export}</button>
            </form>
            {erase}
        </section>
    }
}
