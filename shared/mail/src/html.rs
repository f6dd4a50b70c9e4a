//! HTML to the text that people see, the text that they do not, and how it is made.

use std::convert::Infallible;

use html5gum::Tokenizer;
use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};

use crate::message::{Fact, Message, Trait};
use crate::{Limits, links};

/// Bytes of a style that are looked at.
const STYLE_BYTES: usize = 512;
/// Attributes whose values are a matter of looks and become facts.
const LOOKS: [&str; 12] = [
    "color",
    "bgcolor",
    "face",
    "size",
    "align",
    "border",
    "width",
    "height",
    "background",
    "target",
    "type",
    "method",
];

/// Reads HTML into a message.
pub(crate) fn read(html: &str, message: &mut Message, limits: &Limits) {
    let mut page = Page {
        message,
        limits,
        element: Element::default(),
        attribute: String::new(),
        open: Vec::new(),
        hiding: 0,
        background: "white".to_owned(),
        anchor: None,
        was_split: false,
    };
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: html5gum::Span<()>| -> Option<()> {
        page.on(&event);
        None
    });
    emitter.naively_switch_states(true);
    for token in Tokenizer::new_with_emitter(html, emitter) {
        let Ok(()): Result<(), Infallible> = token;
    }
    page.close_anchor();
}

/// The element whose start is being read.
#[derive(Default)]
struct Element {
    name: String,
    is_hidden: bool,
}

/// A link whose text is being read: where it leads, and where its text begins.
struct Anchor {
    target: String,
    text_start: usize,
}

struct Page<'a> {
    message: &'a mut Message,
    limits: &'a Limits,
    element: Element,
    attribute: String,
    /// Elements that are open, and which of them hide what is in them.
    open: Vec<(String, bool)>,
    hiding: usize,
    background: String,
    anchor: Option<Anchor>,
    /// Whether something that shows nothing stood right after a letter.
    was_split: bool,
}

impl Page<'_> {
    fn on(&mut self, event: &CallbackEvent<'_>) {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.element = Element { name: text(name).to_ascii_lowercase(), is_hidden: false };
                self.attribute.clear();
            }
            CallbackEvent::AttributeName { name } => {
                self.attribute = text(name).to_ascii_lowercase();
                // It needs no value.
                self.element.is_hidden |= self.attribute == "hidden";
            }
            CallbackEvent::AttributeValue { value } => self.on_attribute(text(value)),
            CallbackEvent::CloseStartTag { self_closing } => self.on_start(*self_closing),
            CallbackEvent::EndTag { name } => self.on_end(&text(name).to_ascii_lowercase()),
            CallbackEvent::String { value } => self.on_text(text(value)),
            CallbackEvent::Comment { .. } => self.was_split |= self.ends_in_word(),
            CallbackEvent::Doctype { .. } | CallbackEvent::Error(_) => {}
        }
    }

    fn on_attribute(&mut self, value: &str) {
        match self.attribute.as_str() {
            "style" => self.on_style(value),
            "href" | "action" => self.on_link(value.trim()),
            "src" | "background" => {
                links::add(self.message, value.trim(), self.limits);
                self.message.set_if(Trait::RemotePicture, links::host(value).is_some() && self.element.name == "img");
            }
            "color" if self.element.name == "font" => self.element.is_hidden |= same_colour(value, &self.background),
            "bgcolor" if self.element.name == "body" => value.clone_into(&mut self.background),
            _ => {}
        }
        if LOOKS.contains(&self.attribute.as_str()) {
            let value = &value[..value.floor_char_boundary(32)];
            let fact = format!("{} {}={value}", self.element.name, self.attribute);
            self.message.add(Fact::Attribute, &fact, self.limits);
        }
    }

    /// What a style says that hides: no display, no size, the colour of the ground.
    fn on_style(&mut self, style: &str) {
        let style = &style[..style.floor_char_boundary(STYLE_BYTES)];
        let style: String = style.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
        for rule in style.split(';') {
            let Some((name, value)) = rule.split_once(':') else { continue };
            self.element.is_hidden |= match name {
                "display" => value.starts_with("none"),
                "visibility" => value.starts_with("hidden"),
                "font-size" => is_tiny(value),
                "opacity" => value.parse::<f32>().is_ok_and(|opacity| opacity < 0.1),
                "color" => same_colour(value, &self.background),
                _ => false,
            };
            if matches!(name, "background" | "background-color") && self.element.name == "body" {
                value.clone_into(&mut self.background);
            }
        }
    }

    fn on_link(&mut self, target: &str) {
        links::add(self.message, target, self.limits);
        if self.element.name == "a" {
            self.close_anchor();
            self.anchor = Some(Anchor { target: target.to_owned(), text_start: self.message.text.len() });
        }
    }

    fn on_start(&mut self, self_closing: bool) {
        let Element { name, is_hidden } = std::mem::take(&mut self.element);
        self.message.add(Fact::Element, &name, self.limits);
        let show = match name.as_str() {
            "form" => Some(Trait::Form),
            "script" => Some(Trait::Script),
            "iframe" | "frame" | "object" | "embed" | "applet" => Some(Trait::Embedded),
            _ => None,
        };
        if let Some(one) = show {
            self.message.set(one);
        }
        if is_block(&name) {
            self.gap();
        } else {
            self.was_split |= self.ends_in_word() && !is_common_inline(&name);
        }
        let is_hidden = is_hidden || matches!(name.as_str(), "script" | "style" | "title" | "noscript" | "template");
        if self_closing || is_void(&name) {
            return;
        }
        if self.open.len() >= self.limits.elements {
            self.message.set(Trait::Cut);
            return;
        }
        self.hiding += usize::from(is_hidden);
        self.open.push((name, is_hidden));
    }

    fn on_end(&mut self, name: &str) {
        if is_block(name) {
            self.gap();
        }
        if name == "a" {
            self.close_anchor();
        }
        // What was not closed within is closed with it, as browsers nearly do.
        if let Some(at) = self.open.iter().rposition(|(open, _)| open == name) {
            self.hiding -= self.open.drain(at..).filter(|(_, is_hidden)| *is_hidden).count();
        }
    }

    fn on_text(&mut self, value: &str) {
        // Neither code nor looks; the title is shown above the page, and counts as hidden here.
        if matches!(self.open.last(), Some((name, _)) if matches!(name.as_str(), "script" | "style")) {
            return;
        }
        if self.hiding > 0 {
            self.message.set_if(Trait::Hidden, value.trim().len() > 1 && !self.is_in("title"));
            self.message.hidden.push_str(value);
            self.message.hidden.push(' ');
            return;
        }
        let goes_on = value.chars().next().is_some_and(char::is_alphanumeric);
        self.message.set_if(Trait::SplitWord, self.was_split && goes_on && self.ends_in_word());
        self.was_split = false;
        self.message.text.push_str(value);
    }

    fn is_in(&self, name: &str) -> bool {
        self.open.last().is_some_and(|(open, _)| open == name)
    }

    fn ends_in_word(&self) -> bool {
        self.message.text.chars().next_back().is_some_and(char::is_alphanumeric)
    }

    fn gap(&mut self) {
        if !self.message.text.ends_with(['\n', ' ']) && !self.message.text.is_empty() {
            self.message.text.push('\n');
        }
    }

    /// Compares what the link's text says with where it leads.
    fn close_anchor(&mut self) {
        let Some(Anchor { target, text_start }) = self.anchor.take() else { return };
        let said = self.message.text.get(text_start..).unwrap_or_default().trim();
        let names_host = !said.contains(char::is_whitespace) && !said.contains('@');
        if let (true, Some(said), Some(led)) = (names_host, links::host(said), links::host(&target)) {
            let differ = !links::domain(said).eq_ignore_ascii_case(links::domain(led));
            // "Yahoo!Inc." is no host, "yahoo.com" is.
            let is_likely = links::domain(said).rsplit('.').next().is_some_and(|end| (2..=6).contains(&end.len()));
            self.message.set_if(Trait::DeceivingLink, differ && is_likely);
        }
    }
}

fn text(bytes: &[u8]) -> &str {
    // What is read is UTF-8, and cut only at ASCII.
    str::from_utf8(bytes).unwrap_or_default()
}

/// Whether a size is too small to read: 0 or 1 of pixels or points, less than a third of anything relative.
fn is_tiny(size: &str) -> bool {
    let digits = size.len() - size.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let (number, unit) = size.split_at(digits);
    let most = match unit.get(..1) {
        Some("e" | "r") => 0.3,
        Some("%") => 30.0,
        _ => 1.0,
    };
    number.parse::<f32>().is_ok_and(|number| number <= most)
}

/// Whether two colours cannot be told apart: white and what is nearly white, or the same.
fn same_colour(one: &str, other: &str) -> bool {
    match (colour(one), colour(other)) {
        (Some(one), Some(other)) => one.iter().zip(other).all(|(a, b)| a.abs_diff(b) < 16),
        _ => false,
    }
}

/// Red, green and blue of `#rrggbb`, `#rgb`, or one of the two names that matter.
fn colour(name: &str) -> Option<[u8; 3]> {
    let name = name.trim().trim_end_matches("!important");
    if name.eq_ignore_ascii_case("white") {
        return Some([255; 3]);
    } else if name.eq_ignore_ascii_case("black") {
        return Some([0; 3]);
    }
    let digits = name.strip_prefix('#').unwrap_or(name);
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let value = u32::from_str_radix(digits, 16).ok()?;
    match digits.len() {
        6 => Some([(value >> 16) as u8, (value >> 8) as u8, value as u8]),
        3 => Some([value >> 8 & 15, value >> 4 & 15, value & 15].map(|digit| digit as u8 * 17)),
        _ => None,
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "br"
            | "div"
            | "td"
            | "th"
            | "tr"
            | "table"
            | "li"
            | "ul"
            | "ol"
            | "hr"
            | "center"
            | "blockquote"
            | "pre"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "dd"
            | "dt"
            | "dl"
            | "form"
            | "option"
            | "select"
            | "title"
            | "body"
            | "head"
            | "html"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "img"
            | "input"
            | "textarea"
            | "button"
    )
}

/// Elements that people put within words.
fn is_common_inline(name: &str) -> bool {
    matches!(
        name,
        "b" | "i" | "u" | "em" | "strong" | "a" | "sup" | "sub" | "small" | "big" | "wbr" | "abbr" | "code" | "tt"
    )
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
            | "p"
            | "li"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(html: &str) -> Message {
        let mut message = Message::default();
        read(html, &mut message, &Limits::default());
        message
    }

    fn facts(message: &Message, fact: Fact) -> Vec<&str> {
        message.facts().filter(|(found, _)| *found == fact).map(|(_, text)| text).collect()
    }

    #[test]
    fn what_people_see_is_the_text() {
        let check = |html, text| assert_eq!(read_all(html).text.trim(), text, "{html}");
        check("<p>Hello <b>you</b></p><p>two &amp; &eacute;", "Hello you\ntwo & é");
        check("<style>p { color: red }</style>x<script>var a = '<p>';</script>y", "xy");
        check("one<br>two<td>three", "one\ntwo\nthree");
        check("V<b></b>iagra", "Viagra");
        check("<!-- nothing -->a < b", "a < b");
    }

    #[test]
    fn what_is_hidden_is_told_apart() {
        for html in [
            "a<div style='display: none'>ham</div>b",
            "a<span style=\"FONT-SIZE:0px\">ham</span>b",
            "a<font color=#FFFFFF>ham</font>b",
            "<body bgcolor=#000><font color=black>ham</font>ab",
            "a<div hidden=''><p>ham</div>b",
            "a<p style='visibility:hidden'></p><i style='color:#fffffe'>ham</i>b",
        ] {
            let message = read_all(html);
            assert!(message.has(Trait::Hidden) && message.hidden.contains("ham"), "{html}: {message:?}");
            assert!(!message.text.contains("ham") && message.text.contains('b'), "{html}: {message:?}");
        }
        let plain = read_all("<p style='font-size: 12px; color: #333'>ham</p><font color=red>b</font>");
        assert!(!plain.has(Trait::Hidden) && plain.text.contains("ham"), "{plain:?}");
    }

    #[test]
    fn words_that_are_split_are_whole_and_it_is_said() {
        assert!(read_all("Via<!-- x -->gra").has(Trait::SplitWord));
        assert!(read_all("Via<font></font>gra").has(Trait::SplitWord));
        assert!(!read_all("<b>B</b>old, <!-- x --> and").has(Trait::SplitWord));
    }

    #[test]
    fn links_are_held_against_what_they_say() {
        let link = |href: &str, text: &str| read_all(&format!("<a href='{href}'>{text}</a>"));
        assert!(link("http://evil.example/x", "www.bank.com").has(Trait::DeceivingLink));
        assert!(link("http://evil.example/x", "<b>https://bank.com/login</b>").has(Trait::DeceivingLink));
        assert!(!link("http://www.bank.com/x", "bank.com").has(Trait::DeceivingLink));
        assert!(!link("http://www.bank.com/x", "click here").has(Trait::DeceivingLink));
        assert!(!link("mailto:me@bank.com", "me@other.com").has(Trait::DeceivingLink));
        assert!(link("http://1.2.3.4/x", "here").has(Trait::NumericHost));
    }

    #[test]
    fn how_it_is_made_is_known() {
        let message =
            read_all("<FORM action=http://a.example/go method=POST><IMG SRC='http://b.example/i.gif' width=1></FORM>");
        assert_eq!(facts(&message, Fact::Element), ["form", "img"]);
        assert_eq!(facts(&message, Fact::Attribute), ["form method=post", "img width=1"]);
        assert!(message.has(Trait::Form) && message.has(Trait::RemotePicture));
        assert_eq!(facts(&message, Fact::Host), ["a.example", "b.example"]);
    }

    #[test]
    fn open_elements_are_bounded() {
        let message = read_all(&"<div>".repeat(10_000));
        assert!(message.is_cut());
        assert_eq!(read_all(&format!("{}x{}", "<b>".repeat(10), "</b>".repeat(10))).text, "x");
    }
}
