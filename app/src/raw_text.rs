//! Text inside the elements whose children Leptos does not escape.
//!
//! tachys 0.2.19 writes the text children of `<textarea>`, `<script>`, `<style>` and `<noscript>` without escaping
//! (`ESCAPE_CHILDREN` is false) and does not hydrate them. A dynamic child of such an element must go through a
//! function of this module; `tests/raw_text.rs` checks the sources.

/// Returns `text` as the child of a `<textarea>`.
///
/// On the server the result is HTML: `&` and `<` are escaped, control characters are
/// [replaced](crate::wire::sanitize_for_display), and a line feed is prepended because a parser drops the first one
/// (HTML, section 13.2.6.4.7). In the browser the text becomes a DOM node and needs no change.
pub fn rcdata(text: &str) -> String {
    #[cfg(feature = "ssr")]
    return format!(
        "\n{}",
        crate::wire::sanitize_for_display(text).replace('&', "&amp;").replace('<', "&lt;")
    );
    #[cfg(not(feature = "ssr"))]
    text.into()
}

/// Returns `code` as the child of a `<script>`, with each `{}` replaced by the next of `values` as a string
/// literal. A literal contains no `<`, so a value can neither end the script nor open a comment in it.
#[cfg(feature = "ssr")]
pub fn inline_script(code: &'static str, values: &[&str]) -> String {
    let mut pieces = code.split("{}");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.zip(values).fold(first, |script, (piece, value)| {
        let literal = serde_json::Value::from(*value).to_string().replace('<', "\\u003c");
        script + &literal + piece
    })
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use leptos::prelude::*;

    #[test]
    fn rcdata_escapes_markup_and_keeps_a_leading_line_feed() {
        let html = view! { <textarea>{rcdata("\n</textarea>&lt;\r\n\0")}</textarea> }.to_html();
        assert_eq!(html, "<textarea>\n\n&lt;/textarea>&amp;lt;\n\u{fffd}</textarea>");
        assert_eq!(view! { <textarea>{rcdata("")}</textarea> }.to_html(), "<textarea>\n</textarea>");
    }

    #[test]
    fn inline_script_cannot_be_ended_by_a_value() {
        let script = inline_script("f({}, {})", &["</script>\"", "<!--"]);
        assert_eq!(script, r#"f("\u003c/script>\"", "\u003c!--")"#);
    }

    /// Guards the assumption of the module documentation; a later version of Leptos may change it.
    #[test]
    fn leptos_escapes_titles_and_no_raw_text_element() {
        let text = "</a>&";
        assert_eq!(view! { <title>{text}</title> }.to_html(), "<title>&lt;/a&gt;&amp;</title>");
        for (html, tag) in [
            (view! { <textarea>{text}</textarea> }.to_html(), "textarea"),
            (view! { <script>{text}</script> }.to_html(), "script"),
            (view! { <style>{text}</style> }.to_html(), "style"),
            (view! { <noscript>{text}</noscript> }.to_html(), "noscript"),
        ] {
            assert_eq!(html, format!("<{tag}></a>&</{tag}>"));
        }
    }
}
