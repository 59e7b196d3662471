//! The browser and the system that a `User-Agent` names (RFC 9110, section 10.1.5), in the words of their makers.

use crate::store::DeviceLabel;
use axum::http::{HeaderMap, header};

/// Characters of a program's name that is not in the list below.
const MAX_NAME_CHARS: usize = 32;

/// A part of each browser's `User-Agent`, and the name of the browser. The first match counts, since most browsers also
/// claim to be others.
const BROWSERS: [(&str, &str); 20] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("OPiOS/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("HuaweiBrowser/", "Huawei Browser"),
    ("MiuiBrowser/", "Mi Browser"),
    ("MicroMessenger/", "WeChat"),
    ("MQQBrowser/", "QQ Browser"),
    ("QQBrowser/", "QQ Browser"),
    ("UCBrowser/", "UC Browser"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// A part of each system's `User-Agent`, and the name of the system. The first match counts.
const SYSTEMS: [(&str, &str); 12] = [
    ("OpenHarmony", "HarmonyOS"),
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("FreeBSD", "FreeBSD"),
    ("Linux", "Linux"),
    ("X11", "Unix"),
];

/// Returns what the `User-Agent` of a request names. A program that is not in the list is called what it calls itself, if that
/// is a word.
pub fn device_label(headers: &HeaderMap) -> DeviceLabel {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let find = |names: &[(&str, &str)]| {
        names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| (*name).to_owned())
    };
    DeviceLabel {
        browser: find(&BROWSERS).unwrap_or_else(|| program(agent)),
        system: find(&SYSTEMS).unwrap_or_default(),
    }
}

/// Returns the name of the first product, as in `curl/8.5`; empty if it is no word or says nothing.
fn program(agent: &str) -> String {
    let name = agent.split(['/', ' ', '(']).next().unwrap_or_default();
    let is_word = name.len() <= MAX_NAME_CHARS
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if is_word && name != "Mozilla" { name.into() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn label(agent: &[u8]) -> (String, String) {
        let headers = HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_bytes(agent).unwrap())]);
        let DeviceLabel { browser, system } = device_label(&headers);
        (browser, system)
    }

    #[test]
    fn browsers_and_systems_are_named_in_plain_words() {
        for (agent, browser, system) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox", "Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0 Safari/537.36 Edg/143.0",
                "Edge",
                "Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari",
                "iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0 Mobile Safari/537.36",
                "Chrome",
                "Android",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 14) AppleWebKit/605.1 (KHTML, like Gecko) Version/18.0 Safari/605.1",
                "Safari",
                "macOS",
            ),
            ("curl/8.5.0", "curl", ""),
        ] {
            assert_eq!(label(agent.as_bytes()), (browser.into(), system.into()), "{agent}");
        }
    }

    #[test]
    fn a_text_that_names_nothing_is_dropped() {
        let long = "x".repeat(33);
        for agent in [&b""[..], b"Mozilla/5.0", b"<b>hello</b>", b"\xff\xfe", b"\"a b\"", long.as_bytes()] {
            assert_eq!(label(agent), (String::new(), String::new()), "{}", String::from_utf8_lossy(agent));
        }
    }
}
