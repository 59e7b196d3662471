//! The HTML around a page: the head, the page itself, and the sheets that the server alone renders.

use crate::{
    app::App,
    base::link,
    i18n::Trouble,
    page_context::{Frame, Links},
    page_data::{Place, RoomPage},
    pages::{AllRooms, Device, DevicePage, RoomsPage, Sorry, Unsaved},
    raw_text::inline_script,
    theme::Theme,
    ui::{
        dialogs::{About, Keys, Settings},
        share::Shared,
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
pub enum Screen {
    /// A room, and its link for others.
    Room(Box<RoomPage>, Shared),
    /// The rooms, and a form for a new one.
    Rooms(Box<RoomsPage>),
    /// A link to another device.
    Device(Box<DevicePage>),
    /// A sentence that says why there is nothing else, and what was written in vain.
    Sorry(Trouble, Option<Unsaved>),
}

/// The whole document for `screen`.
pub fn document(frame: Frame, screen: Screen) -> impl IntoView {
    provide_context(frame.base.clone());
    let base = Some(frame.base.0.clone()).filter(|base| !base.is_empty());
    let words = frame.lang.words();
    let script = matches!(screen, Screen::Room(..)).then(|| script(&frame.links));
    let theme = (frame.theme != Theme::System).then(|| frame.theme.name());
    view! {
        <!DOCTYPE html>
        <html lang=words.tag data-theme=theme data-base=base>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content" />
                <meta name="color-scheme" content="light dark" />
                <meta name="description" content=words.about_hubbub />
                {colour(frame.theme)}
                <title>{title(&screen)}</title>
                <link rel="icon" href=link("/favicon.svg") type="image/svg+xml" />
                <link rel="apple-touch-icon" href=link("/icon-192.png") />
                <link rel="manifest" href=link(&format!("/hubbub.webmanifest?lang={}", words.tag)) crossorigin="use-credentials" />
                <link rel="stylesheet" id="leptos" href=frame.links.style.clone() />
                {frame.links.reload.clone().map(|options| view! { <AutoReload options /> })}
                {script}
            </head>
            <body>
                {body(&frame, screen)}
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
fn script(links: &Links) -> impl IntoView + use<> {
    view! {
        // At once, while the page is still being read.
        <script nonce=use_nonce()>
            {inline_script(FETCH, &[&links.wasm])}
        </script>
        <link rel="modulepreload" href=links.script.clone() nonce=use_nonce() />
        <script type="module" nonce=use_nonce()>{inline_script(START, &[&links.script])}</script>
    }
}

fn body(frame: &Frame, screen: Screen) -> impl IntoView + use<> {
    let (lang, words) = (frame.lang, frame.lang.words());
    let settings = view! { <Settings frame=frame.clone() keys=matches!(screen, Screen::Room(..)) /> };
    match screen {
        Screen::Room(page, shared) => {
            // In a room without events there is nothing to have seen.
            let seen = (page.place == Place::Newest && page.head > 0)
                .then(|| link(&format!("/r/{}/seen?seq={}", page.room, page.head)));
            let path = link(&frame.path);
            let about = view! { <About page=page.clone() shared /> };
            provide_context(page);
            // The sheets follow the app, so that it is hydrated from where the browser expects it.
            EitherOf4::A(view! {
                <App />
                {about}
                {settings}
                <Keys words />
                <template id="no-app"><p>{words.no_app}" "<a href=path>{words.reload}</a></p></template>
                {seen.map(|seen| view! { <noscript><img class="unseen" src=seen alt="" /></noscript> })}
            })
        }
        Screen::Rooms(page) => EitherOf4::B(view! { <AllRooms page=*page lang />{settings} }),
        Screen::Device(page) => EitherOf4::C(view! { <Device page=*page lang /> }),
        Screen::Sorry(trouble, unsaved) => EitherOf4::D(view! { <Sorry trouble unsaved lang /> }),
    }
}

fn title(screen: &Screen) -> String {
    match screen {
        Screen::Room(page, _) => format!("{} · Hubbub", page.title),
        Screen::Rooms(page) => format!("{} · Hubbub", page.lang.words().rooms),
        Screen::Device(_) | Screen::Sorry(..) => "Hubbub".into(),
    }
}
