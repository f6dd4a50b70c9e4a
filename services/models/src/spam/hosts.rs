//! The hosts that a message names: that of its sender's address, and those of the links in its text.

/// Hosts of a text that are looked at.
const MOST_HOSTS: usize = 64;
/// Longest name of a host.
const MAX_HOST_BYTES: usize = 253;

/// All of them, in lower case, the sender's first; at most 65.
pub(super) fn hosts(sender: Option<&str>, text: &str) -> Vec<String> {
    let of_sender = sender.and_then(|sender| sender.rsplit_once('@')).map(|(_, host)| host);
    let of_sender = of_sender.map(|host| host.trim_end_matches('>')).and_then(named);
    of_sender.into_iter().chain(links(text).take(MOST_HOSTS)).collect()
}

/// The hosts of what has a scheme.
fn links(text: &str) -> impl Iterator<Item = String> {
    text.match_indices("://").filter_map(|(place, scheme)| {
        let rest = &text[place + scheme.len()..];
        let ends = |character: char| character.is_whitespace() || "/?#\\\"'<>()[]{}|,;".contains(character);
        let authority = rest.split(ends).next()?;
        // What stands before an @ only looks like a host.
        let host = authority.rsplit('@').next()?;
        named(host.split(':').next()?)
    })
}

/// A host in lower case; none if it can be no host.
fn named(host: &str) -> Option<String> {
    let host = host.trim_end_matches('.');
    (!host.is_empty() && host.len() <= MAX_HOST_BYTES).then(|| host.to_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hosts_are_those_that_a_browser_would_go_to() {
        let check = |text: &str, expected: &[&str]| assert_eq!(hosts(None, text), expected, "{text}");
        check("no link, example.com", &[]);
        check("see http://A.Example/path and <https://b.example:8080?x>", &["a.example", "b.example"]);
        check("http://bank.example@evil.example/ http://evil2.example.", &["evil.example", "evil2.example"]);
        check("ftp://", &[]);
        check("https://bücher.example", &["bücher.example"]);
        assert_eq!(hosts(Some("Ann <ann@Home.example>"), "http://x.example"), ["home.example", "x.example"]);
        assert_eq!(hosts(Some("nobody"), ""), Vec::<String>::new());
        assert_eq!(hosts(None, &"http://x ".repeat(100)).len(), MOST_HOSTS);
    }

    proptest! {
        #[test]
        fn any_text_has_a_bounded_number_of_hosts(text in "\\PC{0,200}|(://|a@|[:/.é ]){0,60}", sender in "\\PC{0,40}") {
            let found = hosts(Some(&sender), &text);
            prop_assert!(found.len() <= MOST_HOSTS + 1 && found.iter().all(|host| !host.is_empty()));
        }
    }
}
