//! What is known of a message.

use std::ops::Range;

/// Kinds of facts, each with its name in explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fact {
    /// The address of the `From` header.
    From,
    /// Its host, and the host's domain.
    FromHost,
    /// The name beside it.
    FromName,
    /// The address of the `Reply-To` header.
    ReplyTo,
    /// A header that the sender's program writes, as it is spelled, without its value.
    Header,
    /// The program that wrote the mail: `X-Mailer` or `User-Agent`.
    Program,
    /// `X-Priority`, `Importance` and their like, with their value; `Organization`.
    Setting,
    /// Media type of the mail or a part of it.
    MediaType,
    /// Character set of a part.
    Charset,
    /// Transfer encoding of a part.
    Encoding,
    /// Name of an attached file.
    FileName,
    /// Ending of an attached file's name.
    FileEnding,
    /// Host of a link, and the host's domain.
    Host,
    /// What else a link has: its scheme, the parts of its path, names of parameters.
    LinkPart,
    /// An HTML element.
    Element,
    /// An attribute of an HTML element, with its value where that is a matter of looks.
    Attribute,
}

impl Fact {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::FromHost => "from host",
            Self::FromName => "from name",
            Self::ReplyTo => "reply-to",
            Self::Header => "header",
            Self::Program => "program",
            Self::Setting => "setting",
            Self::MediaType => "type",
            Self::Charset => "charset",
            Self::Encoding => "encoding",
            Self::FileName => "file",
            Self::FileEnding => "file ending",
            Self::Host => "host",
            Self::LinkPart => "link",
            Self::Element => "element",
            Self::Attribute => "attribute",
        }
    }
}

macro_rules! traits {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// What is the case with a message, or not.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Trait { $($(#[doc = $doc])+ $variant,)+ }

        impl Trait {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name in explanations.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

traits! {
    /// More bytes than are read, or more of something than its bound.
    Cut = "more than is read",
    /// A mail with HTML and no plain text.
    HtmlOnly = "HTML without plain text",
    /// Text that HTML hides.
    Hidden = "hidden text",
    /// A comment, or an element that shows nothing, within a word.
    SplitWord = "word split by HTML",
    /// A link whose text names another host than it leads to.
    DeceivingLink = "link that names another host",
    /// A link to an address of numbers.
    NumericHost = "link to a numeric address",
    /// A link with a user's name before its host.
    UserInLink = "link with a user name",
    /// A picture that is fetched from a host.
    RemotePicture = "picture from elsewhere",
    /// A form to be filled in.
    Form = "form",
    /// A script.
    Script = "script",
    /// A frame or other object that shows what is elsewhere.
    Embedded = "embedded page",
    /// A file attached.
    Attachment = "attachment",
    /// A mail within the mail.
    InnerMail = "mail within the mail",
    /// MIME parts that are not as they should be.
    Broken = "broken MIME",
    /// Neither text nor HTML.
    NoText = "no text",
    /// No subject.
    NoSubject = "no subject",
    /// Says that it answers an earlier mail.
    Answer = "answers a mail",
    /// Its subject says so and nothing else does.
    FalseAnswer = "says Re: and answers nothing",
    /// No address to send it from.
    NoSender = "no sender",
    /// No address that it is sent to.
    NoRecipient = "no recipient",
    /// More than ten addresses that it is sent to.
    ManyRecipients = "many recipients",
    /// Answers go to another host than it comes from.
    ReplyElsewhere = "answers go elsewhere",
    /// Its id names another host than its sender has.
    IdElsewhere = "id of another host",
    /// No id.
    NoId = "no id",
    /// Characters beyond ASCII in the head of the mail that are not encoded.
    RawHeader = "unencoded header",
}

/// What a filter may look at of one message; see the crate's description.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// The text that people see: of all parts that hold text, one after the other, HTML without its marks.
    pub text: String,
    /// Text that is there and not shown.
    pub hidden: String,
    /// The subject, decoded.
    pub subject: String,
    facts: Vec<(Fact, Range<u32>)>,
    bytes: String,
    traits: u32,
    pub(crate) links: usize,
}

impl Message {
    /// Facts in the order in which they were found; one may be there several times.
    pub fn facts(&self) -> impl Iterator<Item = (Fact, &str)> {
        self.facts.iter().map(|(fact, range)| (*fact, &self.bytes[range.start as usize..range.end as usize]))
    }

    /// Whether this is the case with it.
    #[must_use]
    pub fn has(&self, one: Trait) -> bool {
        self.traits & bit(one) != 0
    }

    /// The traits that it has.
    pub fn traits(&self) -> impl Iterator<Item = Trait> + '_ {
        Trait::ALL.iter().copied().filter(|one| self.has(*one))
    }

    /// Whether something was left out because it went beyond a bound.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.has(Trait::Cut)
    }

    /// Makes it as new, and keeps its room.
    pub(crate) fn clear(&mut self) {
        for text in [&mut self.text, &mut self.hidden, &mut self.subject, &mut self.bytes] {
            text.clear();
        }
        self.facts.clear();
        (self.traits, self.links) = (0, 0);
    }

    pub(crate) fn set(&mut self, one: Trait) {
        self.traits |= bit(one);
    }

    pub(crate) fn set_if(&mut self, one: Trait, is_so: bool) {
        if is_so {
            self.set(one);
        }
    }

    /// Adds a fact in lower case, unless there is nothing in it or no more room.
    pub(crate) fn add(&mut self, fact: Fact, text: &str, limits: &crate::Limits) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        if self.facts.len() >= limits.facts {
            self.set(Trait::Cut);
            return;
        }
        let start = self.bytes.len();
        self.bytes.push_str(&text[..text.floor_char_boundary(limits.fact_bytes)]);
        if fact != Fact::Header {
            self.bytes[start..].make_ascii_lowercase();
        }
        self.facts.push((fact, start as u32..self.bytes.len() as u32));
    }
}

fn bit(one: Trait) -> u32 {
    1 << one as u8
}
