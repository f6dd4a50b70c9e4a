//! The catalogue while everything runs, visitors, users who are forgotten, and the blend: as answered before a kill -9 of everything and after.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use weir_tests::weir::wait_contained;
use weir_tests::{Broker, Client, Cluster, Deployment, Event, Producer, Role, alone, topic, wait_until};

use crate::fresh::items;

const PATIENCE: Duration = Duration::from_mins(2);

/// Films of which people have had some, and books that nobody has had yet.
struct Store {
    cluster: Cluster,
    catalogue: Producer,
}

impl Store {
    fn open(label: &str) -> Self {
        let deployment = Deployment::new(Broker::shared(), label).with("SERVER__SHARDS", 2);
        deployment.create_topics();
        // Two crowds, each with films of their own, so that what goes together can be learned.
        let had = |user: usize| (0..6).map(move |place| (user, (user % 2) * 10 + (user / 2 + place * 3) % 10));
        let events = (0..40).flat_map(had).map(|(user, film)| {
            let user = format!("user-{user}");
            Event::keyed(&user, &json!({"user": user, "item": format!("film-{film}"), "rating": 4}))
        });
        drop(Producer::new(deployment.brokers(), deployment.ratings_topic()).send(events));
        let catalogue = Producer::new(deployment.brokers(), &deployment.items_topic());
        let store = Self { cluster: Cluster::start(deployment, 1, 1), catalogue };
        store.wait_contained();
        store
    }

    fn wait_contained(&self) {
        let deployment = self.cluster.deployment();
        let ends = topic::ends(deployment.brokers(), deployment.ratings_topic());
        wait_contained(&self.rest(), "recommender", deployment.ratings_topic(), &ends, PATIENCE);
    }

    fn rest(&self) -> Client {
        self.cluster.rest()
    }

    fn put(&self, item: &str, record: &Value) {
        assert_eq!(self.catalogue.send([Event::keyed(item, record)]).len(), 1);
    }

    fn get(&self, path: &str) -> Value {
        self.rest().get(path).expect(200)
    }

    /// How long it takes until a list is as it should be.
    fn wait_for(&self, path: &str, what: &str, is_so: impl Fn(&[String]) -> bool) -> Duration {
        let begin = Instant::now();
        wait_until(what, PATIENCE, || is_so(&items(&self.get(path))).then_some(()));
        begin.elapsed()
    }
}

const LIST: &str = "/v1/users/user-3/recommendations?k=20";

#[test]
fn the_catalogue_counts_from_the_next_answer_on() {
    let _alone = alone();
    let mut store = Store::open("catalogue");
    let whole = items(&store.get(LIST));
    assert!(whole.len() > 5, "{whole:?}");
    let mut times = Vec::new();
    for item in &whole[..5] {
        store.put(item, &json!({"hidden": true}));
        times.push(store.wait_for(LIST, "a hidden item vanishes", |list| !list.contains(item)));
        store.put(item, &json!({"title": format!("The {item}"), "categories": ["film"]}));
        let _ = store.wait_for(LIST, "it is back", |list| list.contains(item));
    }
    times.sort_unstable();
    println!("hidden to gone: median {:?}, longest {:?}", times[2], times[4]);
    assert_eq!(items(&store.get(LIST)), whole, "all are back");
    let films = store.get(&format!("{LIST}&category=film&titles=true"));
    assert_eq!(
        (items(&films), &films["items"][0]["title"]),
        (whole[..5].to_vec(), &json!(format!("The {}", whole[0])))
    );
    assert_eq!(items(&store.get(&format!("{LIST}&category=!film"))), whole[5..]);

    // What came later counts, what is over does not, and bad records change nothing but a counter.
    store.put("book-1", &json!({"title": "Dune", "categories": ["book"], "published": 1_000}));
    let _ = store.wait_for("/v1/items/latest?category=book", "a book is new", |list| list == ["book-1"]);
    store.put("book-1", &json!({"published": "yesterday"}));
    store.put(&whole[0], &json!({"expires": 1_000}));
    let _ = store.wait_for(LIST, "an item is over", |list| list == &whole[1..]);
    assert_eq!(store.cluster.gateway().metric("weir_gateway_catalogue_refused_total"), 1.0);
    let book = store.get("/v1/items/book-1");
    assert_eq!(
        (&book["events"], &book["catalogue"]["title"], &book["catalogue"]["shown"]),
        (&json!(0), &json!("Dune"), &json!(true))
    );

    // All of it is there again after every process was killed, and what is removed is as if it had never been said.
    store.cluster.kill_all();
    store.cluster.start_all();
    assert_eq!(items(&store.get(LIST)), whole[1..]);
    drop(store.catalogue.send([Event { payload: None, ..Event::keyed(&whole[0], &json!({})) }]));
    let _ = store.wait_for(LIST, "it is as any other item", |list| list == whole);
}

#[test]
fn who_is_forgotten_begins_anew_and_the_blend_outlives_a_kill() {
    let _alone = alone();
    let mut store = Store::open("forgotten");
    let explained = |store: &Store| {
        let answer = store.get(&format!("{LIST}&explain=true"));
        answer["items"].clone()
    };
    let blend = explained(&store);
    let said = |part: &str| blend.as_array().into_iter().flatten().any(|item| item["parts"][part].as_f64() > Some(0.0));
    assert!(said("company") && said("popularity"), "{blend}");
    let visitor = |store: &Store| {
        let body = json!({"items": ["film-11", "film-14", "no such film"]});
        store.rest().post("/v1/recommendations?k=3", &body).expect(200)
    };
    let of_visitor = visitor(&store);
    assert_eq!(of_visitor["source"], "personal", "{of_visitor}");
    // The second crowd's films go together.
    assert!(items(&of_visitor).iter().all(|film| film.starts_with("film-1") && film.len() > 6), "{of_visitor}");

    let deleted = store.rest().delete("/v1/users/user-5").expect(202);
    let place = &deleted["accepted"][0];
    let at_least =
        format!("at_least={}:{}:{}", place["topic"].as_str().unwrap_or_default(), place["partition"], place["offset"]);
    let unknown = |store: &Store| {
        let problem = store.rest().get(&format!("/v1/users/user-5?{at_least}")).problem(404);
        assert_eq!(problem["code"], "unknown_user", "{problem}");
        let list = store.get("/v1/users/user-5/recommendations");
        assert_eq!(list["source"], "popular", "{list}");
    };
    unknown(&store);
    store.wait_contained();
    let (blend, of_visitor) = (explained(&store), items(&visitor(&store)));
    store.cluster.kill_all();
    store.cluster.delete_data();
    store.cluster.start_all();
    store.wait_contained();
    unknown(&store);
    assert_eq!((explained(&store), items(&visitor(&store))), (blend, of_visitor));
    // Nothing of what was before counts for who begins anew.
    let accepted =
        store.rest().post("/v1/ratings", &json!({"user": "user-5", "item": "film-1", "rating": 5})).expect(202);
    let place = &accepted["accepted"][0];
    let at_least =
        format!("at_least={}:{}:{}", place["topic"].as_str().unwrap_or_default(), place["partition"], place["offset"]);
    assert_eq!(store.get(&format!("/v1/users/user-5?{at_least}"))["events"], 1);
    let list = items(&store.get("/v1/users/user-5/recommendations?k=20"));
    assert!(!list.contains(&"film-1".to_owned()) && list.len() == 19, "only that one film was had: {list:?}");
    assert!(store.cluster.of(Role::Gateway).count() == 1);
}
