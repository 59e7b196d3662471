//! Times as people read them.
//!
//! The first render is in UTC on both sides, so that the browser finds what the server wrote; then
//! the browser writes its own zone and language over it.

use crate::wire::Millis;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

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
pub(crate) fn utc(at: Millis) -> String {
    let Utc { month, day, hour, minute, .. } = Utc::of(at);
    format!("{day} {} {hour:02}:{minute:02} UTC", MONTHS[month - 1])
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

/// In the browser's zone and language: the time alone today, with the date before that.
#[cfg(feature = "hydrate")]
pub(crate) fn local(at: Millis) -> String {
    let moment = js_sys::Date::new(&(at as f64).into());
    let today = js_sys::Date::new_0().to_date_string() == moment.to_date_string();
    FORMATS
        .with(|formats| {
            let format = if today { &formats.today } else { &formats.before };
            format.call1(&wasm_bindgen::JsValue::UNDEFINED, &moment).ok().and_then(|text| text.as_string())
        })
        .unwrap_or_else(|| utc(at))
}

#[cfg(feature = "hydrate")]
thread_local! {
    /// Made once: making one takes longer than all else about a message.
    static FORMATS: Formats = Formats::new();
}

/// Functions of `Intl` that write a moment.
#[cfg(feature = "hydrate")]
struct Formats {
    today: js_sys::Function,
    before: js_sys::Function,
}

#[cfg(feature = "hydrate")]
impl Formats {
    fn new() -> Self {
        let time = [("hour", "2-digit"), ("minute", "2-digit")];
        let date = [("day", "numeric"), ("month", "short")];
        Self { today: format(&time), before: format(&[time, date].concat()) }
    }
}

#[cfg(feature = "hydrate")]
fn format(parts: &[(&str, &str)]) -> js_sys::Function {
    use js_sys::{Array, Intl::DateTimeFormat, Object, Reflect};
    let options = Object::new();
    for (part, form) in parts {
        let _ = Reflect::set(&options, &(*part).into(), &(*form).into());
    }
    let language = leptos::prelude::window().navigator().language().unwrap_or_else(|| "en".into());
    DateTimeFormat::new(&Array::of1(&language.into()), &options).format()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(utc(1_795_446_540_000), "23 Nov 15:09 UTC");
    }
}
