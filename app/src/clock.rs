//! Times as people read them.
//!
//! The first render is in UTC on both sides, so that the browser finds what the server wrote; then
//! the browser writes its own zone and language over it.

#[cfg(feature = "hydrate")]
use crate::i18n::Lang;
use crate::{i18n::Strings, wire::Millis};

/// Milliseconds of a day.
const DAY: Millis = 86_400_000;

/// A moment in UTC, taken apart.
struct Utc {
    year: i64,
    month: usize,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

/// For `<time datetime>`: `2026-11-23T15:09:00Z`.
pub(crate) fn iso(at: Millis) -> String {
    let Utc { year, month, day, hour, minute, second } = Utc::of(at);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// For a page without script: `23 Nov 15:09 UTC`.
pub(crate) fn utc(at: Millis, strings: &Strings) -> String {
    let Utc { year, month, day, hour, minute, .. } = Utc::of(at);
    (strings.utc)(year.cast_unsigned(), month, day, hour, minute)
}

/// A day for a page without script: `23 Nov 2026`.
pub(crate) fn utc_day(at: Millis, strings: &Strings) -> String {
    let Utc { year, month, day, .. } = Utc::of(at);
    (strings.utc_day)(year.cast_unsigned(), month, day)
}

/// The day of a moment in UTC, counted from 1970.
pub(crate) fn day_in_utc(at: Millis) -> u64 {
    at / DAY
}

impl Utc {
    /// Days to a date of the proleptic Gregorian calendar, counting years from 1 March
    /// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
    fn of(at: Millis) -> Self {
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

/// The browser's clock.
#[cfg(feature = "hydrate")]
pub(crate) fn now() -> Millis {
    js_sys::Date::now() as Millis
}

/// A clock in milliseconds that is never set, as wall clocks are: for everything that waits. It counts from when the
/// page came, and starts high, so that 0 is long ago.
#[cfg(feature = "hydrate")]
pub(crate) fn steady() -> Millis {
    const START: Millis = 1_000_000_000;
    leptos::prelude::window().performance().map_or_else(now, |clock| START + clock.now() as Millis)
}

/// The day of a moment in the browser's zone, counted from 1970.
#[cfg(feature = "hydrate")]
pub(crate) fn day_here(at: Millis) -> u64 {
    let west = js_sys::Date::new(&(at as f64).into()).get_timezone_offset();
    ((at as f64 - west * 60_000.0) / DAY as f64) as u64
}

/// The time of day in the browser's zone and the page's language.
#[cfg(feature = "hydrate")]
pub(crate) fn local(at: Millis, strings: &Strings) -> String {
    write(at, strings, |formats| &formats.time).unwrap_or_else(|| utc(at, strings))
}

/// The day in the browser's zone and the page's language: today and yesterday by their names.
#[cfg(feature = "hydrate")]
pub(crate) fn local_day(at: Millis, strings: &Strings) -> String {
    match day_here(now()).saturating_sub(day_here(at)) {
        0 => strings.today.into(),
        1 => strings.yesterday.into(),
        _ => write(at, strings, |formats| &formats.day).unwrap_or_else(|| utc_day(at, strings)),
    }
}

#[cfg(feature = "hydrate")]
fn write(
    at: Millis,
    strings: &Strings,
    format: impl FnOnce(&Formats) -> &js_sys::Function,
) -> Option<String> {
    let moment = js_sys::Date::new(&(at as f64).into());
    let nothing = wasm_bindgen::JsValue::UNDEFINED;
    FORMATS.with(|formats| {
        format(formats.get_or_init(|| Formats::new(strings))).call1(&nothing, &moment).ok()?.as_string()
    })
}

#[cfg(feature = "hydrate")]
thread_local! {
    /// Made once: making one takes longer than all else about a message. A page has one language.
    static FORMATS: std::cell::OnceCell<Formats> = const { std::cell::OnceCell::new() };
}

/// Functions of `Intl` that write a moment.
#[cfg(feature = "hydrate")]
struct Formats {
    time: js_sys::Function,
    day: js_sys::Function,
}

#[cfg(feature = "hydrate")]
impl Formats {
    fn new(strings: &Strings) -> Self {
        let time = [("hour", "numeric"), ("minute", "2-digit")];
        let day = [("weekday", "long"), ("day", "numeric"), ("month", "long"), ("year", "numeric")];
        let own = leptos::prelude::window().navigator().language().unwrap_or_default();
        let (spoken, page) = (Lang::from_tag(&own), Some(strings.lang));
        let own = Some(own.as_str());
        Self {
            // Digits as at home, also where the page does not speak the browser's language.
            time: format(&time, own.filter(|_| spoken.is_none() || spoken == page).unwrap_or(strings.tag)),
            day: format(&day, own.filter(|_| spoken == page).unwrap_or(strings.tag)),
        }
    }
}

#[cfg(feature = "hydrate")]
fn format(parts: &[(&str, &str)], language: &str) -> js_sys::Function {
    use js_sys::{Array, Intl::DateTimeFormat, Object, Reflect};
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
    fn known_moments_have_their_dates() {
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
    fn a_page_without_script_says_utc() {
        let (en, zh) = (Lang::En.strings(), Lang::Zh.strings());
        assert_eq!(utc(1_795_446_540_000, en), "23 Nov 15:09 UTC");
        assert_eq!(utc(1_795_446_540_000, zh), "11月23日 15:09 UTC");
        assert_eq!(utc_day(1_795_446_540_000, zh), "2026年11月23日");
    }
}
