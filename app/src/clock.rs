//! Formats times for users.
//!
//! The first render uses UTC on both sides, so that the browser can hydrate the server's HTML. Then the browser
//! replaces the text with its own time zone and language.

#[cfg(feature = "hydrate")]
use crate::i18n::Lang;
use crate::{i18n::Strings, wire::Millis};
#[cfg(feature = "hydrate")]
use std::cell::OnceCell;

/// The milliseconds of a day.
const DAY_MS: Millis = 86_400_000;

/// The parts of a moment in UTC.
struct Utc {
    year: i64,
    month: usize,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

/// Returns a moment for `<time datetime>`: `2026-11-23T15:09:00Z`.
pub fn iso(at: Millis) -> String {
    let Utc { year, month, day, hour, minute, second } = Utc::from_millis(at);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Returns a moment in UTC: `23 Nov 15:09 UTC`.
pub fn utc(at: Millis, strings: &Strings) -> String {
    let Utc { year, month, day, hour, minute, .. } = Utc::from_millis(at);
    (strings.utc)(year.cast_unsigned(), month, day, hour, minute)
}

/// Returns a day in UTC: `23 Nov 2026`.
pub fn utc_day(at: Millis, strings: &Strings) -> String {
    let Utc { year, month, day, .. } = Utc::from_millis(at);
    (strings.utc_day)(year.cast_unsigned(), month, day)
}

/// Returns the day of a moment in UTC, in days since the Unix epoch.
pub fn day_in_utc(at: Millis) -> u64 {
    at / DAY_MS
}

impl Utc {
    /// Converts days to a date of the proleptic Gregorian calendar, with years that begin on 1 March
    /// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
    fn from_millis(at: Millis) -> Self {
        let seconds = at / 1_000;
        let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Self {
            year: (year_of_era + era * 400 + u64::from(month <= 2)) as i64,
            month: month as usize,
            day: day_of_year - (153 * from_march + 2) / 5 + 1,
            hour: second_of_day / 3_600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
        }
    }
}

/// Returns the time of the browser's wall clock.
#[cfg(feature = "hydrate")]
pub fn now() -> Millis {
    js_sys::Date::now() as Millis
}

/// Returns the time of a monotonic clock in milliseconds, for timeouts and delays. It counts from the load of the page and
/// starts high, so that 0 is in the distant past.
#[cfg(feature = "hydrate")]
pub fn steady() -> Millis {
    const ORIGIN: Millis = 1_000_000_000;
    leptos::prelude::window().performance().map_or_else(now, |clock| ORIGIN + clock.now() as Millis)
}

/// Returns the day of a moment in the browser's time zone, in days since the Unix epoch.
#[cfg(feature = "hydrate")]
pub fn day_here(at: Millis) -> u64 {
    let west = js_sys::Date::new(&(at as f64).into()).get_timezone_offset();
    ((at as f64 - west * 60_000.0) / DAY_MS as f64) as u64
}

/// Returns the time of day in the browser's time zone and the page's language.
#[cfg(feature = "hydrate")]
pub fn local(at: Millis, strings: &Strings) -> String {
    format_with(at, strings, Formats::time).unwrap_or_else(|| utc(at, strings))
}

/// Returns the day in the browser's time zone and the page's language, or the words for today and yesterday.
#[cfg(feature = "hydrate")]
pub fn local_day(at: Millis, strings: &Strings) -> String {
    match day_here(now()).saturating_sub(day_here(at)) {
        0 => strings.today.into(),
        1 => strings.yesterday.into(),
        _ => format_with(at, strings, Formats::day).unwrap_or_else(|| utc_day(at, strings)),
    }
}

#[cfg(feature = "hydrate")]
fn format_with(
    at: Millis,
    strings: &Strings,
    format: impl FnOnce(&Formats, &Strings) -> js_sys::Function,
) -> Option<String> {
    let moment = js_sys::Date::new(&(at as f64).into());
    let nothing = wasm_bindgen::JsValue::UNDEFINED;
    FORMATS.with(|formats| format(formats, strings).call1(&nothing, &moment).ok()?.as_string())
}

#[cfg(feature = "hydrate")]
thread_local! {
    /// The formatters of the page's language. They are cached because their construction is slower than everything else
    /// about a message, and each is constructed when it is used first.
    static FORMATS: Formats = const { Formats { time: OnceCell::new(), day: OnceCell::new() } };
}

/// The formatting functions of `Intl.DateTimeFormat`.
#[cfg(feature = "hydrate")]
struct Formats {
    time: OnceCell<js_sys::Function>,
    day: OnceCell<js_sys::Function>,
}

#[cfg(feature = "hydrate")]
impl Formats {
    fn time(&self, strings: &Strings) -> js_sys::Function {
        let parts = [("hour", "numeric"), ("minute", "2-digit")];
        // If the page does not support the browser's language, the time keeps the digits of that language.
        let construct = || format(&parts, strings, |browser| browser.is_none_or(|lang| lang == strings.lang));
        self.time.get_or_init(construct).clone()
    }

    fn day(&self, strings: &Strings) -> js_sys::Function {
        let parts = [("weekday", "long"), ("day", "numeric"), ("month", "long"), ("year", "numeric")];
        let construct = || format(&parts, strings, |browser| browser == Some(strings.lang));
        self.day.get_or_init(construct).clone()
    }
}

/// Returns the formatting function of the browser's own language if `fits` accepts it, or else of the page's.
#[cfg(feature = "hydrate")]
fn format(
    parts: &[(&str, &str)],
    strings: &Strings,
    fits: impl FnOnce(Option<Lang>) -> bool,
) -> js_sys::Function {
    use js_sys::{Array, Intl::DateTimeFormat, Object, Reflect};
    let own = leptos::prelude::window().navigator().language().unwrap_or_default();
    let language = if !own.is_empty() && fits(Lang::from_tag(&own)) { own.as_str() } else { strings.tag };
    let options = Object::new();
    for (part, form) in parts {
        let _ = Reflect::set(&options, &(*part).into(), &(*form).into());
    }
    DateTimeFormat::new(&Array::of1(&language.into()), &options).format()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;

    #[test]
    fn iso_formats_known_moments() {
        for (at, date) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_709_210_096_789, "2024-02-29T12:34:56Z"),
            (1_798_761_599_000, "2026-12-31T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(iso(at), date);
        }
    }

    #[test]
    fn utc_formats_in_both_languages() {
        let (en, zh) = (Lang::En.strings(), Lang::Zh.strings());
        assert_eq!(utc(1_795_446_540_000, en), "23 Nov 15:09 UTC");
        assert_eq!(utc(1_795_446_540_000, zh), "11月23日 15:09 UTC");
        assert_eq!(utc_day(1_795_446_540_000, zh), "2026年11月23日");
    }
}
