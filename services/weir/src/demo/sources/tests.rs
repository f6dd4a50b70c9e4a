use super::*;

fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join(name);
    std::fs::write(&path, text).expect("written");
    (directory, path)
}

#[test]
fn ratings_of_a_file_come_in_its_order_and_what_rates_nothing_is_counted() {
    let (_directory, path) = file("ratings.dat", "1::alien::4.5::1\nnonsense\n\n2::brazil::3::2\n3::x::NaN::3\n");
    let mut ratings = Ratings::open(Some(&path), 1).expect("opened");
    let mut next = || ratings.next().expect("read").map(|rating| (rating.user, rating.item, rating.stars));
    assert_eq!(next(), Some(("1".into(), "alien".into(), 4.5)));
    assert_eq!(next(), Some(("2".into(), "brazil".into(), 3.0)));
    assert_eq!((next(), next()), (None, None));
    assert_eq!(ratings.passed_over(), 2);
    assert!(ratings.world().is_none());
}

#[test]
fn messages_of_a_file_have_a_text_and_a_label() {
    let lines = "{\"id\":\"a\",\"text\":\"win\",\"label\":\"spam\"}\n{\"id\":\"b\",\"text\":\"hi\"}\n{\"id\":\"c\",\"text\":\"yo\",\"label\":\"ham\"}\n";
    let (_directory, path) = file("mails.jsonl", lines);
    let mut messages = Messages::open(Some(&path), 1).expect("opened");
    let message = |id: &str, text: &str, spam| Message { id: id.into(), text: text.into(), spam };
    assert_eq!(messages.next().expect("read"), Some(message("a", "win", true)));
    assert_eq!(messages.next().expect("read"), Some(message("c", "yo", false)));
    assert_eq!(messages.next().expect("read"), None);
    assert_eq!(messages.passed_over(), 1);
}

#[test]
fn without_a_file_they_are_made_up() {
    assert!(Ratings::open(None, 1).expect("a world").next().expect("made").is_some());
    assert!(Messages::open(None, 1).expect("a mailbox").next().expect("made").is_some());
    let missing = Ratings::open(Some(Path::new("/nowhere/ratings.csv")), 1);
    assert!(missing.is_err_and(|error| error.to_string().contains("/nowhere/ratings.csv")));
}
