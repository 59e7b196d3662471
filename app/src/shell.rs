//! The HTML around a page: the head, the page itself, and the sheets that the server alone renders.

use crate::{
    app::App,
    base::link,
    i18n::PageError,
    page_context::{AssetUrls, PageContext},
    page_data::{PageKind, RoomPage},
    pages::{DeviceLink, DeviceLinkPage, ErrorPage, RejectedForm, RoomDirectory, RoomsPage},
    raw_text::inline_script,
    theme::Theme,
    ui::{
        dialogs::{RoomDialog, SettingsDialog, ShortcutsDialog},
        share::ShareLink,
    },
};
use leptos::{
    either::{Either, EitherOf4},
    html,
    nonce::use_nonce,
    prelude::*,
};

/// What is on the screen.
#[derive(Debug, Clone)]
pub enum View {
    /// A room, and its link for others.
    Room(Box<RoomPage>, ShareLink),
    /// The rooms, and a form for a new one.
    Rooms(Box<RoomsPage>),
    /// A link to another device.
    DeviceLink(Box<DeviceLinkPage>),
    /// A sentence that says why there is nothing else, and what was written in vain.
    Error(PageError, Option<RejectedForm>),
}

/// The whole document for `screen`.
pub fn shell(context: PageContext, view: View) -> impl IntoView {
    provide_context(context.base.clone());
    let base = Some(context.base.0.clone()).filter(|base| !base.is_empty());
    let strings = context.lang.strings();
    let script = matches!(view, View::Room(..)).then(|| script(&context.assets));
    let theme = (context.theme != Theme::System).then(|| context.theme.name());
    view! {
        <!DOCTYPE html>
        <html lang=strings.tag data-theme=theme data-base=base>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content" />
                <meta name="color-scheme" content="light dark" />
                <meta name="description" content=strings.app_description />
                {colour(context.theme)}
                <title>{title(&view)}</title>
                <link rel="icon" href=link("/favicon.svg") type="image/svg+xml" />
                <link rel="apple-touch-icon" href=link("/icon-192.png") />
                <link rel="manifest" href=link(&format!("/hubbub.webmanifest?lang={}", strings.tag)) crossorigin="use-credentials" />
                <link rel="stylesheet" id="leptos" href=context.assets.style.clone() />
                {context.assets.reload.clone().map(|options| view! { <AutoReload options /> })}
                {script}
            </head>
            <body>
                {body(&context, view)}
            </body>
        </html>
    }
}

/// What surrounds the page on a phone has its colour.
fn colour(theme: Theme) -> impl IntoView {
    let of = |colour: &'static str, media: Option<&'static str>| {
        html::meta().name("theme-color").content(colour).attr("media", media)
    };
    let (light, dark) = ("#faf9f5", "#191715");
    match theme {
        Theme::System => Either::Left((
            of(light, Some("(prefers-color-scheme: light)")),
            of(dark, Some("(prefers-color-scheme: dark)")),
        )),
        Theme::Light => Either::Right(of(light, None)),
        Theme::Dark => Either::Right(of(dark, None)),
    }
}

/// Fetches the wasm, unless the browser cannot run the app.
const FETCH: &str =
    "window.app = 'WebAssembly' in window && ('WebSocket' in window || 'EventSource' in window) && fetch({})";

/// Hydrates the page once the glue script and the wasm are there. Without the app the page says so.
const START: &str = "(async () => { if (!window.app) throw 0; const app = await import({});\
    await app.default({ module_or_path: window.app }); app.hydrate(); performance.mark('hydrated') })()\
    .catch(error => { if (error) console.error(error);\
    document.querySelector('.state')?.append(document.getElementById('no-app').content) })";

/// A browser that cannot run the app, or does not get it, keeps the plain page, which posts without script, and says
/// that new messages need a reload; one without script does not even fetch the app.
fn script(assets: &AssetUrls) -> impl IntoView + use<> {
    view! {
        // At once, while the page is still being read.
        <script nonce=use_nonce()>
            {inline_script(FETCH, &[&assets.wasm])}
        </script>
        <link rel="modulepreload" href=assets.script.clone() nonce=use_nonce() />
        <script type="module" nonce=use_nonce()>{inline_script(START, &[&assets.script])}</script>
    }
}

fn body(context: &PageContext, view: View) -> impl IntoView + use<> {
    let (lang, strings) = (context.lang, context.lang.strings());
    let settings = view! { <SettingsDialog context=context.clone() keys=matches!(view, View::Room(..)) /> };
    match view {
        View::Room(page, shared) => {
            // In a room without events there is nothing to have seen.
            let seen = (page.kind == PageKind::Latest && page.head > 0)
                .then(|| link(&format!("/r/{}/seen?seq={}", page.room, page.head)));
            let path = link(&context.path);
            let about = view! { <RoomDialog page=page.clone() shared /> };
            provide_context(page);
            // The sheets follow the app, so that it is hydrated from where the browser expects it.
            EitherOf4::A(view! {
                <App />
                {about}
                {settings}
                <ShortcutsDialog strings />
                <template id="no-app"><p>{strings.app_unavailable}" "<a href=path>{strings.reload}</a></p></template>
                {seen.map(|seen| view! { <noscript><img class="visually-hidden" src=seen alt="" /></noscript> })}
            })
        }
        View::Rooms(page) => EitherOf4::B(view! { <RoomDirectory page=*page lang />{settings} }),
        View::DeviceLink(page) => EitherOf4::C(view! { <DeviceLink page=*page lang /> }),
        View::Error(error, rejected) => EitherOf4::D(view! { <ErrorPage error rejected lang /> }),
    }
}

fn title(view: &View) -> String {
    match view {
        View::Room(page, _) => format!("{} · Hubbub", page.title),
        View::Rooms(page) => format!("{} · Hubbub", page.lang.strings().rooms),
        View::DeviceLink(_) | View::Error(..) => "Hubbub".into(),
    }
}
