//! How fast events are decoded on one core: `cargo run --release -p weir-wire --example parse_speed`
//!
//! Prints, for each kind of event, the best of many short rounds: whatever else the machine does only adds time. For
//! comparing two states of this code on one machine, nothing more.

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::time::Instant;

use weir_wire::mapping::Source;
use weir_wire::rating::{RatingMapping, RatingSources};
use weir_wire::{MappingError, message, rating, scored};

const ROUNDS: usize = 300;
const EVENTS: usize = 2_000;

fn main() -> Result<(), MappingError> {
    let full = |n: usize| {
        let (user, item) = (n * 7919 % 45_000, n * 104_729 % 49_000);
        format!(r#"{{"user":"{user}","item":"tt{item:07}","rating":{}.5,"ts":{}}}"#, n % 10, 1_700_000_000_000 + n)
    };
    let events: Vec<String> = (0..EVENTS).map(full).collect();
    measure("ratings, four fields", &events, |payload| rating::parse(None, Some(payload)).is_ok());
    let short: Vec<String> = (0..EVENTS).map(|n| format!(r#"{{"user":{n},"item":{}}}"#, n % 977)).collect();
    measure("ratings, two integers", &short, |payload| rating::parse(None, Some(payload)).is_ok());
    let unmapped = RatingMapping::new(&RatingSources::default())?;
    measure("four fields, default mapping", &events, |payload| unmapped.parse(None, Some(payload)).is_ok());
    let mapped = |user: &str| {
        let fields = [("user".to_owned(), Source::Pointer(user.to_owned()))].into();
        RatingMapping::new(&RatingSources { fields, ..RatingSources::default() })
    };
    let renamed: Vec<String> = events.iter().map(|event| event.replacen("user", "who", 1)).collect();
    let mapping = mapped("/who")?;
    measure("four fields, one renamed", &renamed, |payload| mapping.parse(None, Some(payload)).is_ok());
    let nested: Vec<String> = events
        .iter()
        .map(|event| event.replacen("\"user\":", "\"customer\":{\"id\":", 1).replacen(',', "},", 1))
        .collect();
    let mapping = mapped("/customer/id")?;
    measure("four fields, one nested", &nested, |payload| mapping.parse(None, Some(payload)).is_ok());
    measure_messages();
    Ok(())
}

fn measure_messages() {
    let message =
        |text: &str| (0..EVENTS).map(|n| format!(r#"{{"id":"{n}","text":"{text}","label":"ham"}}"#)).collect();
    let parse = |payload: &[u8]| message::parse(None, Some(payload)).is_ok();
    let sms = "Free entry in 2 a wkly comp to win FA Cup final tkts, text FA to 87121 now";
    let short: Vec<String> = message(sms);
    measure("messages, short", &short, parse);
    let escaped: Vec<String> = message(&sms.replace(' ', "\\n"));
    measure("messages, short with escapes", &escaped, parse);
    let long: Vec<String> = message(&sms.repeat(50));
    measure("messages, long", &long, parse);
    let scored = |n: usize| {
        format!(
            r#"{{"id":"{n}","label":"spam","probability":0.6{n},"margin":0.7{n},"source":{{"topic":"messages","partition":3,"offset":{n}}},"model":{{"name":"spam","generation":"g1"}}}}"#
        )
    };
    let records: Vec<String> = (0..EVENTS).map(scored).collect();
    measure("scored messages, read", &records, |payload| scored::parse(payload).is_ok());
    let read: Vec<_> = records.iter().filter_map(|record| scored::parse(record.as_bytes()).ok()).collect();
    let (out, next) = (RefCell::new(Vec::with_capacity(1024)), Cell::new(0));
    measure("scored messages, written", &records, |_| {
        let place = next.replace(next.get() + 1) % read.len();
        out.borrow_mut().clear();
        read.get(place).is_some_and(|scored| scored.write(&mut out.borrow_mut()).is_ok())
    });
}

/// Times `parse` over all events, once a round.
fn measure(name: &str, events: &[String], parse: impl Fn(&[u8]) -> bool) {
    let round = |_| {
        let begun = Instant::now();
        let taken = events.iter().filter(|event| parse(black_box(event.as_bytes()))).count();
        assert_eq!(taken, events.len(), "{name}");
        begun.elapsed().as_secs_f64() / events.len() as f64
    };
    let best = (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min);
    let bytes = events.iter().map(String::len).sum::<usize>() as f64 / events.len() as f64;
    let (nanoseconds, million) = (best * 1e9, 1e-6 / best);
    println!("{name:32} {bytes:6.0} bytes {nanoseconds:8.1} ns {million:7.2} M/s {:8.0} MB/s", bytes * million);
}
