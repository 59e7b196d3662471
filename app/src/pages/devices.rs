//! The user's devices, and the recovery code.

use crate::{
    base::link,
    clock,
    i18n::{DeviceStrings, Lang},
    ui::{Icon, face::face},
    wire::{Millis, User},
};
use leptos::{either::Either, prelude::*};

/// The content of the page of the user's devices.
#[derive(Debug, Clone)]
pub struct DevicesPage {
    /// The user.
    pub you: User,
    /// The stored data about the user; `None` for a guest.
    pub stored: Option<StoredDevices>,
    /// The action that the user has just completed.
    pub notice: Option<DevicesNotice>,
}

/// The stored data about the sign-ins of a user.
#[derive(Debug, Clone)]
pub struct StoredDevices {
    /// The device that shows the page.
    pub current: DeviceSummary,
    /// The other devices, those seen last first.
    pub others: Vec<DeviceSummary>,
    /// When the recovery code was created.
    pub code_created_at: Option<Millis>,
}

/// A device in the list.
#[derive(Debug, Clone)]
pub struct DeviceSummary {
    /// Its id.
    pub id: String,
    /// Its browser; empty if it is unknown.
    pub browser: String,
    /// Its system; empty if it is unknown.
    pub system: String,
    /// Full hours since the user was seen on it.
    pub hours_ago: u64,
}

/// An action that the user has just completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DevicesNotice {
    /// Devices were signed out.
    SignedOut,
    /// The user came back by a recovery code.
    Recovered,
    /// The recovery code was removed.
    CodeRevoked,
}

/// The page of the user's devices.
#[component]
pub fn Devices(
    /// The content.
    page: DevicesPage,
    /// The page's language.
    lang: Lang,
) -> impl IntoView {
    let (strings, texts) = (lang.strings(), lang.device_strings());
    let notice = page.notice.map(|notice| {
        let sentence = match notice {
            DevicesNotice::SignedOut => texts.signed_out,
            DevicesNotice::Recovered => texts.recovered,
            DevicesNotice::CodeRevoked => texts.code_revoked,
        };
        view! { <p class="notice" role="status">{sentence}</p> }
    });
    let name = page.you.disambiguated();
    let content = match page.stored {
        Some(stored) => Either::Left(view! {
            <p>{(texts.intro)(&name)}</p>
            <DeviceList current=stored.current others=stored.others texts />
            <NewDevice lang />
            <RecoveryCodeForms created_at=stored.code_created_at lang />
            <SignOutEverywhere texts />
        }),
        None => Either::Right(view! {
            <p>{texts.guest}</p>
            <NewDevice lang />
            <h2>{texts.recovery_code}</h2>
            <p><a href=link("/recover")>{texts.recover}</a></p>
        }),
    };
    view! {
        <main class="plain-page devices-page">
            <nav class="row">
                <span><a class="back-link" href=link("/")><Icon path="M14 6l-6 6 6 6" />{strings.server.go_to_lobby}</a></span>
            </nav>
            <h1 class="with-face">{face(&page.you)}{texts.title}</h1>
            {notice}
            {content}
        </main>
    }
}

/// The list of devices, with a button for each of the others.
#[component]
fn DeviceList(
    current: DeviceSummary,
    others: Vec<DeviceSummary>,
    texts: &'static DeviceStrings,
) -> impl IntoView {
    let sign_out_others = (!others.is_empty()).then(|| {
        view! {
            <form method="post" action=link("/devices/sign-out") class="stack">
                <button type="submit" name="all" value="others" class="outlined">{texts.sign_out_others}</button>
                <p class="hint">{texts.sign_out_others_hint}</p>
            </form>
        }
    });
    let none = others.is_empty().then(|| view! { <p class="hint">{texts.no_other_devices}</p> });
    let entries = others.into_iter().map(|device| {
        let label = label(&device, texts);
        let sign_out_of = (texts.sign_out_of)(&label);
        view! {
            <li class="row">
                <div><b>{label}</b><p class="hint">{(texts.seen)(device.hours_ago)}</p></div>
                <form method="post" action=link("/devices/sign-out")>
                    <button type="submit" name="device" value=device.id class="outlined" aria-label=sign_out_of>{texts.sign_out}</button>
                </form>
            </li>
        }
    });
    view! {
        <h2>{texts.this_device}</h2>
        <ul class="devices">
            <li class="row current"><div><b>{label(&current, texts)}</b><p class="hint">{(texts.seen)(current.hours_ago)}</p></div></li>
        </ul>
        <h2>{texts.other_devices}</h2>
        <ul class="devices">{entries.collect::<Vec<_>>()}</ul>
        {none}
        {sign_out_others}
    }
}

/// Returns a device in plain words.
fn label(device: &DeviceSummary, texts: &DeviceStrings) -> String {
    match (&*device.browser, &*device.system) {
        ("", "") => texts.unknown_device.into(),
        (browser, "") => browser.into(),
        ("", system) => system.into(),
        (browser, system) => (texts.label)(browser, system),
    }
}

/// The form that creates a link to another device.
#[component]
fn NewDevice(lang: Lang) -> impl IntoView {
    let strings = lang.strings();
    view! {
        <h2>{strings.server.other_device}</h2>
        <form method="post" action=link("/device") class="stack">
            <p class="hint">{strings.server.device_intro}</p>
            <button type="submit" class="outlined">{strings.server.create_device_link}</button>
        </form>
    }
}

/// The forms that create, replace and remove the recovery code.
#[component]
fn RecoveryCodeForms(created_at: Option<Millis>, lang: Lang) -> impl IntoView {
    let texts = lang.device_strings();
    let (state, create) = match created_at {
        Some(at) => ((texts.code_created)(&clock::utc_day(at, lang.strings())), texts.replace_code),
        None => (texts.no_code.into(), texts.create_code),
    };
    let revoke = created_at.map(|_| {
        view! { <button type="submit" name="action" value="revoke" class="outlined">{texts.revoke_code}</button> }
    });
    let class = if created_at.is_some() { "outlined" } else { "" };
    view! {
        <h2 id="recovery">{texts.recovery_code}</h2>
        <form method="post" action=link("/devices/recovery-code") class="stack">
            <p class="hint">{texts.recovery_intro}</p>
            <p>{state}</p>
            <button type="submit" name="action" value="create" class=class>{create}</button>
            {revoke}
        </form>
    }
}

/// The form that signs the user out on all devices.
#[component]
fn SignOutEverywhere(texts: &'static DeviceStrings) -> impl IntoView {
    view! {
        <h2>{texts.sign_out_here}</h2>
        <form method="post" action=link("/devices/sign-out") class="stack">
            <p class="hint">{texts.sign_out_everywhere_hint}</p>
            <button type="submit" name="all" value="everywhere" class="outlined danger">{texts.sign_out_everywhere}</button>
        </form>
    }
}
