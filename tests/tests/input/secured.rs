//! A broker with TLS and SASL: everything that weir does goes over it.

use std::path::Path;

use serde_json::json;
use weir_tests::secured::{PASSWORD, USER};
use weir_tests::weir::wait_contained;
use weir_tests::{Broker, Deployment, Role, topic};

use crate::PATIENCE;

fn deployment(broker: &Broker, label: &str, mechanism: &str, password: &str) -> Deployment {
    let (address, certificate) = broker.secured_listener();
    let deployment = Deployment::new(broker, label).at(&address).with("KAFKA__PARTITIONS", 2);
    let deployment = deployment.with("KAFKA__SETTINGS__SECURITY_PROTOCOL", "sasl_ssl");
    let deployment = deployment.with("KAFKA__SETTINGS__SSL_CA_LOCATION", Path::display(certificate));
    let deployment = deployment.with("KAFKA__SETTINGS__SASL_MECHANISM", mechanism);
    deployment.with("KAFKA__SETTINGS__SASL_USERNAME", USER).with("KAFKA__SETTINGS__SASL_PASSWORD", password)
}

#[test]
fn everything_goes_over_tls_with_sasl() {
    let broker = Broker::secured();
    for mechanism in ["PLAIN", "SCRAM-SHA-512"] {
        let label = format!("secured-{}", mechanism.to_lowercase());
        let deployment = deployment(&broker, &label, mechanism, PASSWORD);
        deployment.create_topics();
        let file = deployment.data_dir("ratings.csv");
        std::fs::write(&file, "user,item,rating\nu,i1,4\nv,i2,3\nv,i3,5\n").expect("written");
        let imported = deployment.run(&["import", "ratings", &file.display().to_string()]);
        assert!(imported.status.success(), "{imported:?}");
        let mut instance = deployment.start(Role::Standalone, "all");
        instance.wait_ready();
        let rated = instance.rest().post("/v1/ratings", &json!({"user": "u", "item": "i2", "rating": 5})).expect(202);
        assert!(rated["accepted"][0]["offset"].is_u64(), "{rated}");
        // The harness looks from the plain side.
        let ends = topic::ends(broker.brokers(), deployment.ratings_topic());
        assert_eq!(ends.iter().sum::<u64>(), 4);
        wait_contained(&instance.rest(), "recommender", deployment.ratings_topic(), &ends, PATIENCE);
        assert_eq!(instance.rest().get("/v1/users/u").expect(200)["events"], 2);
        assert_eq!(instance.rest().get("/v1/users/v").expect(200)["events"], 2);
        let dumped = deployment.run(&["config", "--dump"]);
        assert!(!String::from_utf8_lossy(&dumped.stdout).contains(PASSWORD), "the password is dumped");
        assert!(!instance.log().contains(PASSWORD), "the password is in the log");
    }
    refuses_strangers(&broker);
}

fn refuses_strangers(broker: &Broker) {
    let stranger = deployment(broker, "stranger", "PLAIN", "guessed").run(&["topics"]);
    let said = String::from_utf8_lossy(&stranger.stderr);
    assert_eq!(stranger.status.code(), Some(1), "{said}");
    let (address, _) = broker.secured_listener();
    assert!(said.contains(&address) && said.contains("uthentication failed"), "{said}");
    assert!(!said.contains("guessed"), "{said}");
}
