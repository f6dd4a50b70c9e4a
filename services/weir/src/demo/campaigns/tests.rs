use std::collections::BTreeSet;

use super::*;

fn messages(mailbox: &mut Mailbox, count: usize) -> Vec<Message> {
    (0..count).map(|_| mailbox.message()).collect()
}

fn mailbox(seed: u64) -> Mailbox {
    Mailbox::new(seed).expect("a mailbox")
}

/// Words of three syllables and more, which only campaigns use: their names are long.
fn words(messages: &[Message], spam: bool) -> BTreeSet<&str> {
    messages.iter().filter(|message| message.spam == spam).flat_map(|message| message.text.split(' ')).collect()
}

#[test]
fn the_same_seed_makes_the_same_messages_and_another_one_others() {
    let of = |seed| messages(&mut mailbox(seed), 2_000);
    assert_eq!(of(5), of(5));
    assert_ne!(of(5), of(6));
}

#[test]
fn campaigns_come_and_go_and_people_stay() {
    let mut mailbox = mailbox(1);
    let early = messages(&mut mailbox, 1_000);
    let late = messages(&mut mailbox, 20_000).split_off(19_000);
    let only_spam = |messages| -> BTreeSet<&str> { &words(messages, true) - &words(messages, false) };
    let (of_early, of_late) = (only_spam(&early), only_spam(&late));
    assert!(of_early.len() >= 20 && of_late.len() >= 20, "{of_early:?} {of_late:?}");
    assert!(of_early.intersection(&of_late).count() * 5 < of_early.len(), "{of_early:?} {of_late:?}");
    let (ham_early, ham_late) = (words(&early, false), words(&late, false));
    assert!(ham_early.intersection(&ham_late).count() * 3 > ham_early.len() * 2);
    let share = late.iter().filter(|message| message.spam).count();
    assert!((200..300).contains(&share), "{share} of 1,000 are spam");
}
