use proptest::prelude::*;

use super::*;

fn parse(format: Format, lines: &[&str]) -> Vec<Result<Option<String>, String>> {
    let mut parser = Parser::new(format, Path::new("data/SMSSpamCollection.gz"));
    let parse = |(number, text): (u64, &&str)| {
        let payload = parser.payload(Line { number, bytes: text.as_bytes(), is_cut: false });
        payload.map(|payload| payload.map(|bytes| String::from_utf8(bytes).unwrap())).map_err(|refusal| refusal.detail)
    };
    (1..).zip(lines).map(parse).collect()
}

fn check(format: Format, line: &str, expected: &str) {
    assert_eq!(parse(format, &[line]), [Ok(Some(expected.to_owned()))], "{line}");
}

fn refused(format: Format, line: &str, expected: &str) {
    let outcome = parse(format, &[line]).remove(0);
    assert!(outcome.as_ref().is_err_and(|detail| detail.contains(expected)), "{line}: {outcome:?}");
}

#[test]
fn lines_of_every_format_become_events() {
    let expected = r#"{"user":"12620","item":"2171847","rating":6.0,"ts":1362062307000}"#;
    check(Format::Colons, "12620::2171847::6::1362062307", expected);
    check(Format::Tabs, "12620\t2171847\t6.0\t1362062307", expected);
    check(Format::Csv, "12620,2171847,6,1362062307", expected);
    check(Format::Csv, "\"a,\"\"b\",i,4.5", r#"{"user":"a,\"b","item":"i","rating":4.5}"#);
    let sms = r#"{"id":"SMSSpamCollection-1","text":"win\ta prize","label":"spam"}"#;
    check(Format::Sms, "spam\twin\ta prize", sms);
    check(Format::Json, r#"{"any": "thing"}"#, r#"{"any": "thing"}"#);
}

#[test]
fn a_heading_names_the_columns_in_any_order() {
    let lines = ["timestamp,movie_id,userId,other", "10,i,u,x", ""];
    let expected = r#"{"user":"u","item":"i","ts":10000}"#.to_owned();
    assert_eq!(parse(Format::Csv, &lines), [Ok(None), Ok(Some(expected)), Ok(None)]);
    let lines = ["userId,movieId,rating,timestamp", "1,31,2.5,1260759144"];
    let expected = r#"{"user":"1","item":"31","rating":2.5,"ts":1260759144000}"#.to_owned();
    assert_eq!(parse(Format::Csv, &lines), [Ok(None), Ok(Some(expected))]);
}

#[test]
fn what_is_no_event_says_why() {
    refused(Format::Colons, "1::2", "has 2 columns");
    refused(Format::Tabs, "1::2::3", "has 1 columns");
    refused(Format::Csv, "1,2,five", "rating: is \"five\", a rating is a number");
    refused(Format::Csv, "1,2,NaN", "between -1000000");
    refused(Format::Csv, "1,2,1e30", "between -1000000");
    refused(Format::Colons, "1::2::3::yesterday", "time: is \"yesterday\"");
    refused(Format::Colons, "1::2::3::1362062307000", "not in milliseconds");
    refused(Format::Csv, &"a,".repeat(100), "more than 64 columns");
    refused(Format::Csv, "1,\"2,3", "quote that is not closed");
    refused(Format::Sms, "spam and no tab", "has no tab");
    refused(Format::Sms, "junk\ttext", "label: is \"junk\"");
    let mut parser = Parser::new(Format::Tabs, Path::new("-"));
    let cut = parser.payload(Line { number: 1, bytes: b"xxx", is_cut: true });
    assert_eq!(cut.unwrap_err().detail, "is longer than 3 bytes");
    let latin = parser.payload(Line { number: 2, bytes: b"a\xe9\ti\t3", is_cut: false });
    assert_eq!(latin.unwrap_err().reason, "invalid_utf8");
}

fn field() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9äß ._-]{1,20}".prop_filter("trimmed", |text| text.trim() == text && !text.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_rating_is_read_back(user in field(), item in field(), half in 0_u8..=20, seconds in 0_i64..4_000_000_000) {
        let rating = f32::from(half) / 2.0;
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let lines = [
            (Format::Colons, format!("{user}::{item}::{rating}::{seconds}")),
            (Format::Tabs, format!("{user}\t{item}\t{rating}\t{seconds}")),
            (Format::Csv, format!("{},{},{rating},{seconds}", quoted(&user), quoted(&item))),
        ];
        for (format, line) in lines {
            let mut parser = Parser::new(format, Path::new("ratings"));
            // Not the first line, which may be a heading.
            let payload = parser.payload(Line { number: 2, bytes: line.as_bytes(), is_cut: false }).unwrap().unwrap();
            let expected = RatingEvent::Rated {
                user: user.as_str().into(),
                item: item.as_str().into(),
                rating: Some(rating),
                ts: Some(seconds * 1000),
                event: None,
                id: None,
            };
            prop_assert_eq!(rating::parse(None, Some(&payload)), Ok(expected), "{}", line);
        }
    }

    #[test]
    fn arbitrary_lines_are_events_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        for format in [Format::Csv, Format::Tabs, Format::Colons, Format::Sms, Format::Json] {
            let payload = Parser::new(format, Path::new("-")).payload(Line { number: 1, bytes: &bytes, is_cut: false });
            if format != Format::Json && let Ok(Some(payload)) = payload {
                prop_assert!(serde_json::from_slice::<serde_json::Value>(&payload).is_ok());
            }
        }
    }

    #[test]
    fn csv_is_read_as_the_standard_says(fields in proptest::collection::vec("[a-z,\" ]{0,8}", 1..6)) {
        let line = fields.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect::<Vec<_>>().join(",");
        let (mut text, mut ends) = (Vec::new(), [0; MAX_COLUMNS]);
        let found = csv_columns(&mut Reader::new(), &line, &mut text, &mut ends).unwrap();
        prop_assert_eq!(found, fields.iter().map(String::as_bytes).collect::<Vec<_>>());
    }
}
