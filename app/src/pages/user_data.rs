//! Everything of the user: its export and its erasure.

use crate::{base::link, i18n::Lang};
use leptos::{either::EitherOf3, prelude::*};

/// The state of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataPage {
    /// The user may download everything, and erase it.
    Offered {
        /// The form was sent without its confirmation.
        is_unconfirmed: bool,
    },
    /// The erasure is under way: so many messages and reactions are gone.
    Erasing(u64),
    /// The erasure has ended: so many messages and reactions are gone. The browser belongs to a new user.
    Erased(u64),
}

/// The page with the export and the erasure of everything of the user.
#[component]
pub fn UserData(
    /// The state.
    page: DataPage,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let strings = lang.privacy();
    let content = match page {
        DataPage::Offered { is_unconfirmed } => {
            let problem = is_unconfirmed
                .then(|| view! { <p id="confirm-problem" class="field-error" role="alert">{strings.erase_unconfirmed}</p> });
            EitherOf3::A(view! {
                <p>{strings.export_intro}</p>
                <p><a class="button" href=link("/you/export") download>{strings.export}</a></p>
                <h2>{strings.erase}</h2>
                <p>{strings.erase_intro}</p>
                <form method="post" action=link("/you/erase") class="stack">
                    <label class="checkbox">
                        <input
                            type="checkbox"
                            name="confirm"
                            value="yes"
                            autocomplete="off"
                            aria-describedby=is_unconfirmed.then_some("confirm-problem")
                            required
                        />
                        {strings.erase_confirm}
                    </label>
                    {problem}
                    <button type="submit" class="danger">{strings.erase}</button>
                </form>
            })
        }
        DataPage::Erasing(count) => EitherOf3::B(view! {
            <p role="status">{(strings.erasing)(count)}</p>
            <p class="hint">{strings.erasing_hint}</p>
        }),
        DataPage::Erased(count) => EitherOf3::C(view! {
            <p role="status">{(strings.erased)(count)}</p>
            <p class="hint">{strings.erased_hint}</p>
        }),
    };
    view! {
        <main class="plain-page">
            <h1>{strings.your_data}</h1>
            {content}
            <p><a href=link("/")>{lang.strings().server.go_to_lobby}</a></p>
        </main>
    }
}
