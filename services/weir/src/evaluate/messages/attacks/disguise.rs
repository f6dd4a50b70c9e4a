//! Texts as those write them who want to get past a filter, and as people write them who do not.

/// One way to write a text otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disguise {
    /// As it is.
    None,
    /// A space of no width after every second letter.
    ZeroWidth,
    /// The small letters a, c, e, i, o, p, x and y by Cyrillic ones that look the same.
    Homoglyphs,
    /// In capitals.
    UpperCase,
    /// Every word five times.
    Repeated,
    /// Behind 3 KB of ham.
    HamInFront,
    /// Look-alikes with spaces of no width, in capitals.
    Together,
    /// All of that behind 3 KB of ham.
    TogetherBehindHam,
    /// Ham with little pictures.
    Emoji,
    /// Ham with a sentence in Russian.
    Cyrillic,
    /// Ham with a sentence in Chinese.
    Chinese,
    /// Ham in capitals.
    LoudHam,
}

impl Disguise {
    /// All of them.
    pub(crate) const ALL: [Self; 12] = [
        Self::None,
        Self::ZeroWidth,
        Self::Homoglyphs,
        Self::UpperCase,
        Self::Repeated,
        Self::HamInFront,
        Self::Together,
        Self::TogetherBehindHam,
        Self::Emoji,
        Self::Cyrillic,
        Self::Chinese,
        Self::LoudHam,
    ];

    /// Its name in tables and JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ZeroWidth => "zero_width",
            Self::Homoglyphs => "homoglyphs",
            Self::UpperCase => "upper_case",
            Self::Repeated => "repeated_words",
            Self::HamInFront => "ham_in_front",
            Self::Together => "zero_width_homoglyphs_upper_case",
            Self::TogetherBehindHam => "all_behind_ham",
            Self::Emoji => "ham_with_emoji",
            Self::Cyrillic => "ham_with_cyrillic",
            Self::Chinese => "ham_with_chinese",
            Self::LoudHam => "ham_in_upper_case",
        }
    }

    /// Whether it is ham that is written so, and not spam.
    pub(crate) fn is_of_ham(self) -> bool {
        matches!(self, Self::Emoji | Self::Cyrillic | Self::Chinese | Self::LoudHam)
    }

    /// A text in this disguise, if it is one of its class.
    pub(crate) fn text(self, text: &str, front: &str, is_spam: bool) -> String {
        if self.is_of_ham() == is_spam {
            return text.to_owned();
        }
        match self {
            Self::HamInFront => format!("{front}\n{text}"),
            Self::TogetherBehindHam => format!("{front}\n{}", Self::Together.write(text)),
            Self::Emoji => format!("🙂 {text} 🎉👍"),
            Self::Cyrillic => format!("{text}\nДо встречи завтра вечером на кухне."),
            Self::Chinese => format!("{text}\n我们明天晚上在厨房见面。"),
            _ => self.write(text),
        }
    }

    /// A subject, which nothing stands in front of.
    pub(crate) fn subject(self, subject: &str, is_spam: bool) -> String {
        match self {
            Self::HamInFront | Self::Emoji | Self::Cyrillic | Self::Chinese => subject.to_owned(),
            Self::TogetherBehindHam => Self::Together.subject(subject, is_spam),
            _ => self.text(subject, "", is_spam).replace(['\r', '\n'], " "),
        }
    }

    fn write(self, text: &str) -> String {
        match self {
            Self::ZeroWidth => zero_width(text),
            Self::Homoglyphs => text.chars().map(homoglyph).collect(),
            Self::UpperCase | Self::LoudHam => text.to_uppercase(),
            Self::Repeated => {
                let five = |word: &str| [word; 5].join(" ");
                text.split_inclusive(char::is_whitespace).map(five).collect()
            }
            Self::Together => {
                zero_width(&text.to_lowercase().chars().map(homoglyph).collect::<String>().to_uppercase())
            }
            _ => text.to_owned(),
        }
    }
}

fn zero_width(text: &str) -> String {
    let (mut written, mut letters) = (String::with_capacity(2 * text.len()), 0);
    for character in text.chars() {
        written.push(character);
        letters = if character.is_alphabetic() { letters + 1 } else { 0 };
        if letters > 0 && letters % 2 == 0 {
            written.push('\u{200b}');
        }
    }
    written
}

fn homoglyph(character: char) -> char {
    match character {
        'a' => 'а',
        'c' => 'с',
        'e' => 'е',
        'i' => 'і',
        'o' => 'о',
        'p' => 'р',
        'x' => 'х',
        'y' => 'у',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_as_the_disguise_says() {
        let spam = |disguise: Disguise| disguise.text("Win a prize", "dear ann", true);
        assert_eq!(spam(Disguise::None), "Win a prize");
        assert_eq!(spam(Disguise::ZeroWidth), "Wi\u{200b}n a pr\u{200b}iz\u{200b}e");
        assert_eq!(spam(Disguise::Homoglyphs), "W\u{456}n \u{430} \u{440}r\u{456}z\u{435}");
        assert_eq!(spam(Disguise::UpperCase), "WIN A PRIZE");
        assert_eq!(spam(Disguise::Repeated).matches("prize").count(), 5);
        assert_eq!(spam(Disguise::HamInFront), "dear ann\nWin a prize");
        assert!(spam(Disguise::TogetherBehindHam).starts_with("dear ann\nW\u{406}\u{200b}N \u{410} "));
        for disguise in Disguise::ALL {
            let ham = disguise.text("see you", "front", false);
            assert_eq!(ham != "see you", disguise.is_of_ham(), "{disguise:?}");
            assert_eq!(
                spam(disguise) == "Win a prize",
                disguise.is_of_ham() || disguise == Disguise::None,
                "{disguise:?}"
            );
        }
    }
}
