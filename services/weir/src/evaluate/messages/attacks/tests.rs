use weir_runtime::Settings;

use super::*;
use crate::demo::Mailbox;

/// What people write to each other, and what campaigns do: enough of it that a filter knows both. Campaigns have words of their own, so ham in front
/// does not hide them as it hides spam of the real corpora (the README has those figures).
fn messages() -> Vec<Message> {
    let mut mailbox = Mailbox::new(5).expect("a mailbox");
    let (mut some, heads) =
        (Vec::new(), ["From: ann@home.example\r\nTo: bob@work.example\r\nSubject: now\r\n\r\n", ""]);
    for number in 0..3_000 {
        let message = mailbox.message();
        let truth = if message.spam { Label::Positive } else { Label::Negative };
        // As a mail, or as a text of its own.
        let text = format!("{}{}", heads[number % 2], message.text);
        some.push(Message { text: text.into_bytes(), content_type: None, truth });
    }
    some
}

#[test]
fn of_made_up_messages_no_disguise_gets_past_the_default_learner_or_blocks_ham() {
    let settings = Settings::default();
    let spam = weir_models::spam_settings(&settings).expect("valid");
    let options = Options { balance: spam.learning.balance, ..Options::default() };
    let learner = weir_models::spam_learner(&settings.spam, settings.spam.learner).expect("valid");
    let effects = attack(learner, spam.text, &messages(), options);
    let clean = effects["none"];
    assert!(clean.spam_missed < 10.0 && clean.ham_blocked < 5.0, "{clean:?}");
    for (disguise, effect) in &effects {
        let (missed, blocked) = (effect.spam_missed - clean.spam_missed, effect.ham_blocked - clean.ham_blocked);
        assert!(missed <= 3.0, "{disguise} lets {missed} points more through");
        // A slot that a new word shares with one of spam may tip one message of these 450.
        assert!(blocked <= 0.25, "{disguise} blocks {blocked} points more of ham");
    }
}

#[test]
fn a_mail_keeps_its_headers_and_is_read_as_what_people_see() {
    let mail = "From: ann@home.example\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\nX-Long: one\r\n two\r\nContent-Type: text/html\r\n\
                Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>see=20you</p>";
    let message = Message { text: mail.into(), content_type: None, truth: Label::Positive };
    let plain = Plain::read(&message);
    let sent = plain.disguised(Disguise::UpperCase, "");
    let text = String::from_utf8(sent.text.clone()).expect("UTF-8");
    assert!(text.starts_with("From: ann@home.example\r\nX-Long: one\r\n two\r\nSubject: CAF\u{c9}\r\n"), "{text}");
    assert!(text.trim_end().ends_with("8bit\r\n\r\nSEE YOU"), "{text}");
    assert_eq!(plain.disguised(Disguise::LoudHam, ""), plain.disguised(Disguise::None, ""));
}
